/**
 * How other roles are kept out of a database while it is saved and replaced, and how they get back in. The way back is
 * settled before anything is paused.
 */
import { type DatabaseGrant, type DatabaseProperties, granteeSql } from './database-properties.ts';
import * as json from './json-reader.ts';
import { quoteIdentifier } from './relations.ts';
import { sqlLiteral } from './restore-guide/step.ts';

const NOTE_VERSION = 1;

/** Everything that is needed to give access back, by whichever process. Nothing in it is secret. */
export interface PauseNote {
  version: number;
  /** When it was paused; a swap may have renamed it since, so the OID counts. */
  database: string;
  oid: number;
  maintenanceDatabase: string;
  /** What the limit of connections was; present where it was the means. */
  connectionLimit?: number;
  /** Rights to connect that were taken away. */
  revoked: DatabaseGrant[];
  /** The database's own comment. */
  comment?: string;
}

const limit: json.Reader<number> = (value, path) => (value === -1 ? -1 : json.count(value, path));

const readNote = json.object<PauseNote>({
  version: json.count,
  database: json.text,
  oid: json.count,
  maintenanceDatabase: json.text,
  connectionLimit: json.optional(limit),
  revoked: json.list(
    json.object<DatabaseGrant>({
      grantee: json.optional(json.text),
      privilege: json.text,
      grantor: json.text,
      grantable: json.flag,
    }),
  ),
  comment: json.optional(json.text),
});

/** `undefined` for what is not a note that this version wrote. */
export function parsePauseNote(text: string): PauseNote | undefined {
  try {
    const note = readNote(JSON.parse(text), 'note');
    return note.version === NOTE_VERSION ? note : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof json.ShapeError) return undefined;
    throw error;
  }
}

export interface PausePlan {
  note: PauseNote;
  /** For one transaction. The comment that marks the pause comes with them. */
  statements: readonly string[];
}

/**
 * A superuser sets the limit of connections to none: that holds for everybody but superusers, the owner too, and the
 * rights stay as they are, a list that was never touched too (which no GRANT gives back). An owner who is none would lock
 * itself out with that, and takes the right to connect from everybody else. Rights that come from another grantor, or
 * were handed on, stay: whoever took them would take the others' along.
 */
export function planPause(properties: DatabaseProperties, superuser: boolean, maintenanceDatabase: string): PausePlan {
  const { name, oid, comment, connectionLimit, owner, grants } = properties;
  const connects = grants.filter(({ privilege }) => privilege === 'CONNECT');
  const handedOn = new Set(connects.map(({ grantor }) => grantor));
  const revoked = superuser
    ? []
    : connects.filter(
        ({ grantee, grantor }) =>
          grantor === owner && grantee !== owner && !(grantee !== undefined && handedOn.has(grantee)),
      );
  const database = quoteIdentifier(name);
  return {
    note: {
      version: NOTE_VERSION,
      database: name,
      oid,
      maintenanceDatabase,
      ...(superuser ? { connectionLimit } : {}),
      revoked,
      ...(comment === undefined ? {} : { comment }),
    },
    statements: superuser
      ? [`ALTER DATABASE ${database} CONNECTION LIMIT 0`]
      : revoked.map((grant) => `REVOKE CONNECT ON DATABASE ${database} FROM ${granteeSql(grant)}`),
  };
}

/** Gives access back to the database, which is called `name` by now: the rights first, the mark last. */
export function resumeStatements(note: PauseNote, name: string): string[] {
  const database = quoteIdentifier(name);
  return [
    ...(note.connectionLimit === undefined
      ? []
      : [`ALTER DATABASE ${database} CONNECTION LIMIT ${note.connectionLimit}`]),
    ...note.revoked.map(
      (grant) =>
        `GRANT CONNECT ON DATABASE ${database} TO ${granteeSql(grant)}${grant.grantable ? ' WITH GRANT OPTION' : ''}`,
    ),
    `COMMENT ON DATABASE ${database} IS ${note.comment === undefined ? 'NULL' : sqlLiteral(note.comment)}`,
  ];
}
