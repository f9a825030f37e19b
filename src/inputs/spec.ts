/**
 * Every input of the action: what it is called, which commands use it, how it is read, and the words that action.yml
 * and the README say about it. The one source of all of these.
 */
import { PGDG_URI } from '../domain/apt.ts';
import { parseConnection } from '../domain/connection.ts';
import { PGDG_KEY } from '../domain/pgdg-key.ts';
import { MAX_DURATION_MINUTES } from '../domain/stale-writes.ts';
import {
  aptUri,
  compression,
  destinations,
  label,
  openPgpKey,
  passphrase,
  recipients,
  roleArn,
  schemaPatterns,
  seriesName,
  tablePatterns,
} from './backup-values.ts';
import { assignees, issueLabels } from './issue-values.ts';
import { oneOf, optional, orElse, type Parse, wholeNumber, words, yesOrNo } from './values.ts';

export const COMMANDS = ['backup'] as const;
export type CommandName = (typeof COMMANDS)[number];

export interface InputSpec<T> {
  /** Commands that use it; all, when absent. */
  commands?: readonly CommandName[];
  /** For people; Markdown. Sentences without the default. */
  description: string;
  /** What an empty input means, in words. */
  whenEmpty: string;
  /**
   * The `default:` in action.yml, which the runner fills in: nobody can tell any more whether it was given. Only for
   * what the runner alone knows.
   */
  actionDefault?: string;
  /** Its text is handed to the parser as it is; everything else is trimmed first. */
  verbatim?: boolean;
  parse: Parse<T>;
}

/** The names and facts of all inputs, without their types. */
export type InputSpecs = Readonly<Record<string, InputSpec<unknown>>>;

/** Lets each entry of the table infer its own type. */
function input<T>(spec: InputSpec<T>): InputSpec<T> {
  return spec;
}

const backup: readonly CommandName[] = ['backup'];

export const INPUTS = {
  command: input({
    description: 'What to do: `backup`.',
    whenEmpty: '`backup`',
    parse: orElse(oneOf(...COMMANDS), 'backup'),
  }),
  name: input({
    description:
      'The series: the folder in the storage under which backups of this database collect. 1 to 63 small letters, digits, `.`, `_` or `-`. Another database under a known name is refused.',
    whenEmpty: "the database's name, made to fit",
    parse: optional(seriesName),
  }),
  storage: input({
    description:
      'Where backups go, one destination a line: `s3://bucket/prefix?region=…` or the path of a directory. Each backup is written to all of them at once; the first is the one that is read from. Further options of an S3 destination: `endpoint`, `force-path-style`, `credentials`, `max-parts`, `part-size-mib`, `checksum`, `sse` (`AES256` or `aws:kms`), `kms-key-id`, `storage-class`, `ca-file`. Credentials come from `aws-role-to-assume` or the AWS default chain; `credentials=NAME` reads `NAME_ACCESS_KEY_ID` and `NAME_SECRET_ACCESS_KEY` from the environment.',
    whenEmpty: 'the directory `backups`; in a workflow that is an error unless `allow-ephemeral` is set',
    parse: destinations,
  }),
  'aws-role-to-assume': input({
    description:
      'ARN of a role that the action assumes itself with the OIDC token of the job (`permissions: id-token: write`), and renews for as long as it runs. For every S3 destination without `credentials=NAME`.',
    whenEmpty: 'the AWS default chain',
    parse: optional(roleArn),
  }),
  'database-url': input({
    description:
      'The direct connection string of the database, as libpq reads it: `postgresql://user:password@host:5432/database?sslmode=require` or `key=value` pairs. `PG*` environment variables fill what it leaves out. Not the URL of a transaction pooler.',
    whenEmpty: 'the `PG*` environment variables alone say where; an error without `PGHOST`',
    verbatim: true,
    parse: parseConnection,
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
      'Opens one issue for each series when a backup fails or is not proven, comments on it the next time, and closes it with the next proven backup.',
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  'issue-labels': input({
    description: 'Labels of that issue, one a line or with commas between them. GitHub makes those that do not exist.',
    whenEmpty: 'none',
    parse: issueLabels,
  }),
  'issue-assignees': input({
    description:
      'Who that issue is assigned to: names of up to 10 GitHub accounts that can be assigned in this repository, one a line or with commas between them.',
    whenEmpty: 'nobody',
    parse: assignees,
  }),
  encryption: input({
    commands: backup,
    description:
      '`none` says aloud that backups are stored as they are; `age` demands `age-recipients` or `age-passphrase`, wherever the backup goes.',
    whenEmpty:
      '`age` when there are recipients or a passphrase; otherwise an error for S3, and in a workflow for a directory too unless `allow-ephemeral` is set',
    parse: optional(oneOf('age', 'none')),
  }),
  'age-recipients': input({
    commands: backup,
    description:
      'Public keys (`age1…`), one a line or with commas between them; any one of their holders can decrypt. Lines that begin with `#` are comments. Excludes `age-passphrase`.',
    whenEmpty: 'none; for S3 an error unless there is a passphrase or `encryption: none`',
    parse: recipients,
  }),
  'age-passphrase': input({
    commands: backup,
    description:
      'Encrypts with a passphrase of at least 10 characters instead of recipients. Recipients are better: then the workflow holds nothing that can read a backup.',
    whenEmpty: 'none',
    verbatim: true,
    parse: passphrase,
  }),
  label: input({
    commands: backup,
    description:
      'What this backup is for: `nightly`, `pre-migration`, `release-2.4.0`. It stands in the name of the set: up to 40 letters, digits, `.`, `_` or `-`.',
    whenEmpty: '`nightly` in a scheduled run, otherwise `manual`',
    parse: label,
  }),
  'keep-forever': input({
    commands: backup,
    description: 'Marks the backup as one to keep for ever, in its `metadata.json`, for whatever deletes old ones.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'reuse-within-minutes': input({
    commands: backup,
    description:
      'Takes the newest backup instead of a new one when it is not older than this, proven, whole at every destination, and of the same database, scope, encryption and checks.',
    whenEmpty: 'a new backup is always taken',
    parse: optional(wholeNumber(1, 10_080)),
  }),
  'dry-run': input({
    commands: backup,
    description:
      'Goes through the whole preflight (database, client tools, every destination, recipients), says what a backup would do, and writes nothing that stays.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  schemas: input({
    commands: backup,
    description:
      'Only these schemas: patterns as `pg_dump --schema` reads them, one a line. One that matches nothing is an error.',
    whenEmpty: 'all',
    parse: schemaPatterns,
  }),
  'exclude-schemas': input({
    commands: backup,
    description: 'Not these schemas: patterns, one a line.',
    whenEmpty: 'none',
    parse: schemaPatterns,
  }),
  tables: input({
    commands: backup,
    description:
      'Only these tables: patterns as `pg_dump --table` reads them, one a line. Excludes `schemas` and `exclude-schemas`, which have no effect on it.',
    whenEmpty: 'all',
    parse: tablePatterns,
  }),
  'exclude-tables': input({
    commands: backup,
    description: 'Not these tables: patterns, one a line.',
    whenEmpty: 'none',
    parse: tablePatterns,
  }),
  'exclude-table-data': input({
    commands: backup,
    description: 'These tables without their rows: patterns, one a line.',
    whenEmpty: 'none',
    parse: tablePatterns,
  }),
  content: input({
    commands: backup,
    description: '`all`, `schema` (definitions without rows) or `data` (rows without definitions).',
    whenEmpty: '`all`',
    parse: orElse(oneOf('all', 'schema', 'data'), 'all'),
  }),
  compression: input({
    commands: backup,
    description:
      'Inside the archive: `zstd`, `gzip` or `lz4`, each also with a level as in `zstd:3`, or `none`. zstd and lz4 need Postgres 16 or newer.',
    whenEmpty: '`zstd:1` from Postgres 16 on, `gzip:1` before',
    parse: optional(compression),
  }),
  globals: input({
    commands: backup,
    description: 'Stores the roles of the server beside the archive, without their passwords.',
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
  verify: input({
    commands: backup,
    description:
      'Proofs, one a line or with commas between them. `archive` reads the archive back to its end and is always done; `source` reads every table a second time in the same snapshot and compares content digests.',
    whenEmpty: '`archive`',
    parse: words(oneOf('archive', 'source')),
  }),
  'critical-tables': input({
    commands: backup,
    description:
      'Tables that must hold rows and are always counted, however large: patterns, one a line. An empty one means that the backup is not proven.',
    whenEmpty: 'none',
    parse: tablePatterns,
  }),
  'max-size-change-percent': input({
    commands: backup,
    description:
      'A size or row count that differs by more than this from the last like backup is a warning; the verdict stands.',
    whenEmpty: '`50`',
    parse: orElse(wholeNumber(1, 100_000), 50),
  }),
  'lock-timeout-seconds': input({
    commands: backup,
    description: 'How long to wait for the lock on a table that a migration holds.',
    whenEmpty: '`60`',
    parse: orElse(wholeNumber(1, 86_400), 60),
  }),
  'max-duration-minutes': input({
    commands: backup,
    description: 'The whole run ends with an error after this time, before the runner would end it without a word.',
    whenEmpty: '`330`',
    parse: orElse(wholeNumber(1, MAX_DURATION_MINUTES), 330),
  }),
  'stall-timeout-seconds': input({
    commands: backup,
    description:
      'The run ends with an error when no byte has moved for this long and the server is not at work either. A connection to the bucket that stands still for this long, or for 30 seconds, is tried again.',
    whenEmpty: '`120`',
    parse: orElse(wholeNumber(1, 86_400), 120),
  }),
  'connect-window-seconds': input({
    commands: backup,
    description: 'How long to go on trying to connect to a server that is asleep or starting; `0` tries once.',
    whenEmpty: '`60`',
    parse: orElse(wholeNumber(0, 3_600), 60),
  }),
  'allow-empty': input({
    commands: backup,
    description: 'Accepts a database without a single table, which is otherwise refused as probably the wrong one.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'allow-ephemeral': input({
    commands: backup,
    description:
      'Accepts a directory that vanishes with the runner as the only destination: for trying out, or when a later step takes the files away.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'accept-new-source': input({
    commands: backup,
    description: 'Lets another database take over the series `name`, once. Remove it again after that run.',
    whenEmpty: '`false`',
    parse: orElse(yesOrNo, false),
  }),
  'postgres-apt-mirror': input({
    commands: backup,
    description:
      'A mirror of the PostgreSQL apt repository (PGDG): the URL that has `dists` and `pool` below it. `pg_dump` is fetched from there when the runner has none of the server’s major version. Credentials belong into `/etc/apt/auth.conf.d`, not into the URL.',
    whenEmpty: `\`${PGDG_URI}\``,
    parse: orElse(aptUri, PGDG_URI),
  }),
  'postgres-apt-key': input({
    commands: backup,
    description:
      'The public key (`-----BEGIN PGP PUBLIC KEY BLOCK-----`) of a mirror that signs its lists anew. The only key that is trusted then.',
    whenEmpty: "the PostgreSQL project's own key, which is part of the action",
    parse: orElse(openPgpKey, PGDG_KEY),
  }),
  'cache-client-tools': input({
    commands: backup,
    description:
      "Keeps fetched client tools in the repository's Actions cache for up to a month. `false` where jobs that must not see the database's secrets can write that cache.",
    whenEmpty: '`true`',
    parse: orElse(yesOrNo, true),
  }),
} as const;

/** What every input's parser gives. */
export type InputValues = {
  [Name in keyof typeof INPUTS]: (typeof INPUTS)[Name] extends InputSpec<infer T> ? T : never;
};
