/** Inputs of `backup`, and of what backs up before a restore. */
import { parseConnection } from '../../domain/connection.ts';
import { compression, label, recipients, schemaPatterns, tablePatterns } from '../backup-values.ts';
import { type CommandName, input } from '../input.ts';
import { oneOf, optional, orElse, wholeNumber, words, yesOrNo } from '../values.ts';

const backup: readonly CommandName[] = ['backup'];
/** Their safety backup is a backup, too. */
const backupAndRestore: readonly CommandName[] = ['backup', 'restore'];

export const BACKUP = {
  'database-url': input({
    commands: ['backup', 'check'],
    description:
      'The direct connection string of the database, as libpq reads it: `postgresql://user:password@host:5432/database?sslmode=require` or `key=value` pairs. `PG*` environment variables fill what it leaves out. Not the URL of a transaction pooler; `check` takes one, and says what it cannot see.',
    whenEmpty: 'the `PG*` environment variables alone say where; an error without `PGHOST`',
    verbatim: true,
    parse: parseConnection,
  }),
  encryption: input({
    commands: backupAndRestore,
    description:
      '`none` says aloud that backups are stored as they are; `age` demands `age-recipients` or `age-passphrase`, wherever the backup goes.',
    whenEmpty:
      '`age` when there are recipients or a passphrase; otherwise an error for S3, and in a workflow for a directory too unless `allow-ephemeral` is set',
    parse: optional(oneOf('age', 'none')),
  }),
  'age-recipients': input({
    commands: backupAndRestore,
    description:
      'Public keys (`age1…`), one a line or with commas between them; any one of their holders can decrypt. Lines that begin with `#` are comments. Excludes `age-passphrase`. In `restore` for the safety backup, which otherwise is encrypted like the backup that is restored.',
    whenEmpty: 'none; for S3 an error unless there is a passphrase or `encryption: none`',
    parse: recipients,
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
  'exclude-schemas': input({
    commands: backup,
    description: 'Not these schemas: patterns, one a line.',
    whenEmpty: 'none',
    parse: schemaPatterns,
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
      'Proofs, one a line or with commas between them. `archive` reads the archive back to its end and is always done; `source` reads every table a second time in the same snapshot and compares content digests; `restore` restores the archive while it is made into a local Postgres of the same major and compares what came back.',
    whenEmpty: '`archive`',
    parse: words(oneOf('archive', 'source', 'restore')),
  }),
  'max-size-change-percent': input({
    commands: backup,
    description:
      'A size or row count that differs by more than this from the last like backup is a warning; the verdict stands.',
    whenEmpty: '`50`',
    parse: orElse(wholeNumber(1, 100_000), 50),
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
} as const;
