/** Messages of pg_restore and psql that are known word for word: why they are harmless, or what they mean. */
import { type RestoreMessage, wordsOf } from './message.ts';

export interface MessageContext {
  /** Major version of the target's server. */
  targetMajor: number;
  /** Whether pg_restore worked with several connections: then its count of errors says little. */
  parallel?: boolean;
}

interface HarmlessForm {
  matches(message: RestoreMessage, context: MessageContext): boolean;
  reason: string;
}

/** Each is exact in its message and in the command that it was about. */
export const HARMLESS_FORMS: readonly HarmlessForm[] = [
  {
    // Since 17 pg_dump and pg_restore set it in their own session.
    matches: (message, { targetMajor }) =>
      targetMajor < 17 &&
      /^(?:could not execute query|line \d+): ERROR: {2}unrecognized configuration parameter "transaction_timeout"$/.test(
        message.text,
      ) &&
      (message.text.startsWith('line ') || commandOf(message) === 'SET transaction_timeout = 0;'),
    reason: 'servers before 17 do not know this setting, which concerns the restoring session alone',
  },
  {
    // A dump of chosen schemas creates `public`, which every new database has.
    matches: (message) =>
      message.text === 'could not execute query: ERROR:  schema "public" already exists' &&
      commandOf(message) === 'CREATE SCHEMA public;',
    reason: 'every new database has the schema public; its owner and rights are set by statements of their own',
  },
  {
    matches: (message) => {
      const name = /^could not execute query: ERROR: {2}must be owner of extension (\S+)$/.exec(message.text)?.[1];
      return name !== undefined && commandOf(message).startsWith(`COMMENT ON EXTENSION ${name} IS `);
    },
    reason: 'the extension belongs to the server; only the comment on it stays as the extension itself brings it',
  },
  {
    matches: ({ severity, text }) =>
      severity === 'warning' && /^WARNING: {2}"?wal_level"? is insufficient to publish logical changes$/.test(text),
    reason: 'the publication is defined; a server that publishes nothing is just what a copy should be',
  },
  {
    matches: ({ severity, text }) =>
      severity === 'warning' && /^WARNING: {2}database ".*" has a collation version mismatch$/.test(text),
    reason: 'indexes are built anew by this restore, with the collation that the target has',
  },
  {
    matches: (message) =>
      /^could not set "default_tablespace" to .*: ERROR: {2}invalid value for parameter "default_tablespace": /.test(
        message.text,
      ),
    reason: 'the target lacks this tablespace; what lay in it lies in the default one of the database',
  },
  {
    matches: ({ severity, text }) =>
      severity === 'warning' && /^line \d+: WARNING: {2}there is already a transaction in progress$/.test(text),
    reason: 'what was dropped and what is restored are one transaction',
  },
];

/** What errors mean whose words are known; the first that fits. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/: No space left on device$|could not extend file/m, 'the disk of the target is full'],
  [/role ".*" does not exist/, 'a role is missing on the target, so an owner or a right is missing'],
  [/extension ".*" is not available|could not open extension control file/, 'the target lacks an extension'],
  [/permission denied to create extension/, 'the role may not create this extension'],
  [
    /must be member of role|must be able to SET ROLE/,
    'the role may not give things to that owner; `owner: drop` does without',
  ],
  [/permission denied|must be superuser|must be owner|Must be superuser/, 'the role of the target lacks a right'],
  [/collation ".*" for encoding ".*" does not exist|could not create locale/, 'the target lacks a collation'],
  [/security label provider ".*" is not loaded/, 'the extension that gives the label a meaning is not loaded'],
  [/already exists/, 'the target was not empty'],
  [
    /violates foreign key constraint|violates (?:check|unique|not-null) constraint|could not create unique index|violates row-level security policy/,
    'rows do not meet a constraint of the backup',
  ],
  [/row-level security/, 'row-level security hides rows from the role'],
  [
    /(?:relation|type|schema|function|operator|extension|server|column|aggregate|publication|event trigger|language|table|collation|index|constraint) .*does not exist|has no partitions/,
    'it needs something that was not restored',
  ],
  [
    /terminating connection|server closed the connection|connection to server|could not connect|no connection to the server|Connection refused|SSL SYSCALL/,
    'the connection to the target was lost',
  ],
  [/COPY failed for table|ERROR: {2}invalid input|ERROR: {2}.*null value/, 'rows of a table were refused'],
  [
    /unsupported version|corrupt|unexpected end of file|not a valid archive|could not uncompress|could not read from input file|invalid (?:compression|block)|checksum/,
    'the archive is damaged, or newer than the client',
  ],
];

/** `undefined` when the words are not known. */
export function meaningOf(message: RestoreMessage): string | undefined {
  const whole = wordsOf(message);
  return MEANINGS.find(([form]) => form.test(whole))?.[1];
}

/** Of several lines, on one. */
function commandOf({ more }: RestoreMessage): string {
  const at = more.findIndex((line) => line.startsWith('Command was: '));
  return at === -1
    ? ''
    : more
        .slice(at)
        .join(' ')
        .replace(/^Command was: /, '')
        .trim();
}
