/** Inputs of `restore` and `drill`. */
import { parseConnection } from '../../domain/connection.ts';
import { assertions, textOrFile } from '../drill-values.ts';
import { type CommandName, input } from '../input.ts';
import { backupSelector, identitySources } from '../recovery-values.ts';
import { oneOf, optional, orElse, wholeNumber, yesOrNo } from '../values.ts';

const restore: readonly CommandName[] = ['restore'];
const drill: readonly CommandName[] = ['drill'];
const both: readonly CommandName[] = ['restore', 'drill'];
const drillAndCheck: readonly CommandName[] = ['drill', 'check'];

export const RECOVERY = {
  backup: input({
    commands: both,
    description:
      'Which backup: `latest`, `latest-proven`, `latest-restored` (the newest that a drill has brought back), `before:2026-11-21T02:00Z`, the id of a set or a prefix that only it has, or the key, URI or path of a set. Also a dump made by other means (`.sql`, `.sql.gz`, `.sql.zst`, custom or directory archive); its verdict is never above `partial`. What a restore saved beforehand (label `emergency`) is chosen by its id alone.',
    whenEmpty: '`latest-proven`',
    parse: orElse(backupSelector, { kind: 'latest-proven' } as const),
  }),
  'target-database-url': input({
    commands: both,
    description:
      'The direct connection string of the database to restore to; `strategy` says what happens to it. Of a drill: a throwaway server, such as a service container, whose database is empty.',
    whenEmpty: 'an error in `restore`; `drill` starts a server of its own on the runner and removes it afterwards',
    verbatim: true,
    parse: (text, env) => (text.trim() === '' ? undefined : parseConnection(text, env, 'target-database-url')),
  }),
  strategy: input({
    commands: restore,
    description:
      '`new-database` restores beside the database that is there and touches nothing of it; `swap` does the same and, if all of it is proven, lets the new one take the name of the old one, which is kept; `in-place` replaces the content of the database itself.',
    whenEmpty: '`new-database`',
    parse: orElse(oneOf('new-database', 'swap', 'in-place'), 'new-database'),
  }),
  confirm: input({
    commands: restore,
    description:
      'The fingerprint `host/database` of the target, typed out: without it `in-place` refuses a database that is not empty. The error message says what to type. With `require-second-person` the fingerprint of the plan, which the dry run printed.',
    whenEmpty: 'not confirmed',
    parse: optional((text) => text),
  }),
  'require-second-person': input({
    commands: restore,
    description:
      'Restores only a plan that another person has looked at: a dry run keeps its plan in `_audit/` for 24 hours and prints its fingerprint, and somebody else types that into `confirm`. A plan is another as soon as the backup, the target, what is dropped or an input differs. For workflows alone. Why, and what it is worth: docs/restore.md.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'check-confirm': input({
    commands: restore,
    description:
      'With `dry-run`: fails wherever the restore itself would be refused for its `confirm`, a missing one included, and keeps no plan of its own. For a step before the one that closes your application, as in the template `restore.yml`.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  reason: input({
    commands: restore,
    description: 'Why this is restored, for the audit record. `in-place` demands it where the target is not empty.',
    whenEmpty: 'none',
    parse: optional((text) => text),
  }),
  'age-identity': input({
    commands: both,
    description:
      'What decrypts: secret keys (`AGE-SECRET-KEY-1…`) or paths of files that hold them, one a line. Excludes `age-passphrase`.',
    whenEmpty: 'none; an error when the backup is encrypted to recipients',
    verbatim: true,
    parse: identitySources,
  }),
  jobs: input({
    commands: both,
    description: 'Connections that restore and read at once.',
    whenEmpty: 'as many as the machine has cores',
    parse: optional(wholeNumber(1, 64)),
  }),
  'safety-backup': input({
    commands: restore,
    description:
      'Takes a full proven backup of the target with the label `emergency`, kept for ever, before `swap` or `in-place` touches a database that is not empty. If it fails, nothing is touched.',
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  'pause-writes': input({
    commands: restore,
    description:
      'Keeps other roles from connecting to the target from before the safety backup until the proof, so that nothing that is written in between is lost unseen; gives access back at the end, whatever happens. With `swap` and `in-place` only.',
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  owner: input({
    commands: both,
    description: '`keep` restores owners as they were; `drop` lets everything belong to the connecting role.',
    whenEmpty: '`keep`',
    parse: orElse(oneOf('keep', 'drop'), 'keep'),
  }),
  privileges: input({
    commands: both,
    description: '`keep` restores grants as they were; `drop` leaves them out.',
    whenEmpty: '`keep`',
    parse: orElse(oneOf('keep', 'drop'), 'keep'),
  }),
  'create-roles': input({
    commands: both,
    description:
      'Creates roles that the backup needs and the target lacks, from the roles stored with it, without passwords.',
    whenEmpty: '`false` in `restore`, where missing roles are listed and nothing is touched; `true` in `drill`',
    parse: optional(yesOrNo),
  }),
  'allow-older-major': input({
    commands: both,
    description:
      'Restores to a server of an older major version than the one that was backed up, as far as that works.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'accept-partial': input({
    commands: both,
    description:
      'Makes the verdict `partial` (nothing failed, but something could not be checked) a warning instead of a failure.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'after-restore-sql': input({
    commands: both,
    description:
      'SQL that runs after the proof, in one transaction that stops at the first error, before anybody else may connect to the restored database: what makes a sanitised copy. A text, or the path of a file that ends in `.sql`.',
    whenEmpty: 'nothing',
    parse: optional(textOrFile),
  }),
  'after-restore-command': input({
    commands: both,
    description:
      'A shell command that runs last, with the restored database in `DATABASE_URL`: migrations, the application’s own tests. Its failure fails the step.',
    whenEmpty: 'nothing',
    parse: optional((text) => text),
  }),
  assertions: input({
    commands: drillAndCheck,
    description:
      'What must be true of the restored database, or of the live one: SQL, one a line, or the path of a file that ends in `.sql`. Forms: a query that must return true, a query with an expected value, a freshness query: docs/assertions.md.',
    whenEmpty: 'none',
    parse: optional(assertions),
  }),
  'min-tables': input({
    commands: drillAndCheck,
    description: 'At least so many tables must have come back, or be there.',
    whenEmpty: 'not checked',
    parse: optional(wholeNumber(1, 1_000_000)),
  }),
  'max-restore-minutes': input({
    commands: drill,
    description: 'The recovery time objective: a drill that takes longer, from fetching to proof, fails.',
    whenEmpty: 'not checked; the time is recorded all the same',
    parse: optional(wholeNumber(1, 10_080)),
  }),
  'prove-the-alarm': input({
    commands: drill,
    description:
      'Also makes broken copies of small parts of the backup and demands that each is noticed, and looks whether an issue could be opened and the mail server of `smtp-url` takes the login.',
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  'report-path': input({
    commands: [...both, 'check'],
    description:
      'Where a report is written: of `restore` a Markdown timeline for an incident log, of `drill` Markdown and, beside it, JUnit XML; of `check` these, its record (`.json`) and the list of objects (`.schema.txt`). No row of the database stands in it.',
    whenEmpty: 'no report beyond the job summary',
    parse: optional((text) => text),
  }),
} as const;
