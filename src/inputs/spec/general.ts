/** Inputs that every command uses. */
import { PGDG_URI } from '../../domain/apt.ts';
import { PGDG_KEY } from '../../domain/pgdg-key.ts';
import { MAX_DURATION_MINUTES } from '../../domain/stale-writes.ts';
import {
  aptUri,
  destinations,
  openPgpKey,
  passphrase,
  roleArn,
  schemaPatterns,
  seriesName,
  tablePatterns,
} from '../backup-values.ts';
import { secretUrl } from '../channel-values.ts';
import { criticalTables } from '../check-values.ts';
import { COMMANDS, type CommandName, input } from '../input.ts';
import { assignees, issueLabels } from '../issue-values.ts';
import { oneOf, optional, orElse, wholeNumber, yesOrNo } from '../values.ts';

/** They speak with a Postgres. */
const withDatabase: readonly CommandName[] = ['backup', 'restore', 'drill'];
/** They read a live database, or one that was restored. */
const reading: readonly CommandName[] = [...withDatabase, 'check'];

export const GENERAL = {
  command: input({
    description:
      'What to do: `backup`, `restore` (bring a backup back), `drill` (restore one into a throwaway Postgres and prove it), `prune` (remove old backups by a policy), `status` (say from the storage alone whether all is well with the backups) or `check` (the health of the live database, as a gate before a release).',
    whenEmpty: '`backup`',
    parse: orElse(oneOf(...COMMANDS), 'backup'),
  }),
  name: input({
    description:
      'The series: the folder in the storage under which backups of this database collect. 1 to 63 small letters, digits, `.`, `_` or `-`. Another database under a known name is refused.',
    whenEmpty: "the database's name, made to fit; an error in `prune`; all that are found in `status`",
    parse: optional(seriesName),
  }),
  storage: input({
    description:
      'Where backups go, one destination a line: `s3://bucket/prefix?region=…` or the path of a directory. Each backup is written to all of them at once; the first is the one that is read from. Further options of an S3 destination: `endpoint`, `force-path-style`, `credentials`, `max-parts`, `part-size-mib`, `checksum`, `sse` (`AES256` or `aws:kms`), `kms-key-id`, `storage-class`, `ca-file`. Credentials come from `aws-role-to-assume` or the AWS default chain; `credentials=NAME` reads `NAME_ACCESS_KEY_ID` and `NAME_SECRET_ACCESS_KEY` from the environment.',
    whenEmpty:
      'the directory `backups`; in a workflow that is an error unless `allow-ephemeral` is set. In `check`: nothing is compared with backups or kept',
    parse: destinations,
  }),
  'aws-role-to-assume': input({
    description:
      'ARN of a role that the action assumes itself with the OIDC token of the job (`permissions: id-token: write`), and renews for as long as it runs. For every S3 destination without `credentials=NAME`.',
    whenEmpty: 'the AWS default chain',
    parse: optional(roleArn),
  }),
  'github-token': input({
    description:
      'Opens the issue when a backup fails; the job needs `permissions: issues: write` for it. Without a token, or without that right, everything else works.',
    whenEmpty: 'no issue is opened, and a notice says so; without this input it is the token of the job',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub Actions
    actionDefault: '${{ github.token }}',
    parse: (text) => text,
  }),
  'issue-on-failure': input({
    description:
      'Opens one issue for each series and command when it fails or is not proven, comments on it the next time, and closes it with the next success.',
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  'issue-labels': input({
    description:
      'Labels of that issue, one a line or with commas between them. GitHub makes those that do not exist. One that is critical gets the label `critical` as well.',
    whenEmpty: 'none',
    parse: issueLabels,
  }),
  'issue-assignees': input({
    description:
      'Who that issue is assigned to: names of up to 10 GitHub accounts that can be assigned in this repository, one a line or with commas between them.',
    whenEmpty: 'nobody',
    parse: assignees,
  }),
  'heartbeat-url': input({
    description:
      'A secret: the address at which a service that expects this job is told of each run that is no dry run, so that somebody is called when one does not come at all. Services of the form of Healthchecks hear of start, success and failure, others of success: docs/heartbeat.md.',
    whenEmpty: 'nobody is told',
    parse: optional(secretUrl),
  }),
  'age-passphrase': input({
    commands: withDatabase,
    description:
      'Encrypts, or decrypts, with a passphrase of at least 10 characters instead of recipients. Recipients are better: then the backup job holds nothing that can read a backup.',
    whenEmpty: 'none',
    verbatim: true,
    parse: passphrase,
  }),
  schemas: input({
    commands: withDatabase,
    description:
      'Only these schemas are backed up, or restored: patterns as `pg_dump --schema` reads them, one a line. One that matches nothing is an error.',
    whenEmpty: 'all',
    parse: schemaPatterns,
  }),
  tables: input({
    commands: withDatabase,
    description:
      'Only these tables are backed up, or restored: patterns as `pg_dump --table` reads them, one a line. Cannot be given together with `schemas` or `exclude-schemas`.',
    whenEmpty: 'all',
    parse: tablePatterns,
  }),
  'critical-tables': input({
    commands: reading,
    description:
      'Tables that must hold rows and are always counted, however large: patterns, one a line. An empty one means that the backup is not proven. A restore brings them back first. In `check` conditions can stand behind a pattern: `public.orders rows>=100 newest(created_at)<2h`.',
    whenEmpty: 'none',
    parse: criticalTables,
  }),
  'dry-run': input({
    description:
      'Goes through the whole preflight (database, client tools, every destination, keys), says what the command would do, and writes nothing that stays but the plan that `require-second-person` keeps.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'lock-timeout-seconds': input({
    commands: withDatabase,
    description: 'How long to wait for the lock on a table that a migration holds.',
    whenEmpty: '`60`',
    parse: orElse(wholeNumber(1, 86_400), 60),
  }),
  'max-duration-minutes': input({
    description: 'The whole run ends with an error after this time, before the runner would end it without a word.',
    whenEmpty: '`330`',
    parse: orElse(wholeNumber(1, MAX_DURATION_MINUTES), 330),
  }),
  'stall-timeout-seconds': input({
    description:
      'The run ends with an error when no byte has moved for this long and the server is not at work either. A connection to the bucket that stands still for this long, or for 30 seconds, is tried again.',
    whenEmpty: '`120`',
    parse: orElse(wholeNumber(1, 86_400), 120),
  }),
  'connect-window-seconds': input({
    commands: reading,
    description: 'How long to go on trying to connect to a server that is asleep or starting; `0` tries once.',
    whenEmpty: '`60`',
    parse: orElse(wholeNumber(0, 3_600), 60),
  }),
  'postgres-apt-mirror': input({
    commands: withDatabase,
    description:
      'A mirror of the PostgreSQL apt repository (PGDG): the URL that has `dists` and `pool` below it. `pg_dump` is fetched from there when the runner has none of the server’s major version. Credentials belong into `/etc/apt/auth.conf.d`, not into the URL.',
    whenEmpty: `\`${PGDG_URI}\``,
    parse: orElse(aptUri, PGDG_URI),
  }),
  'postgres-apt-key': input({
    commands: withDatabase,
    description:
      'The public key (`-----BEGIN PGP PUBLIC KEY BLOCK-----`) of a mirror that signs its lists anew. The only key that is trusted then.',
    whenEmpty: "the PostgreSQL project's own key, which is part of the action",
    parse: orElse(openPgpKey, PGDG_KEY),
  }),
  'cache-client-tools': input({
    commands: withDatabase,
    description:
      "Keeps fetched client tools in the repository's Actions cache for up to a month. `false` where jobs that must not see the database's secrets can write that cache.",
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
} as const;
