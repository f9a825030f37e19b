/** What is known of the server and the database that a backup is restored into, before anything is touched. */
import type { DatabaseFacts } from './facts.ts';
import type { SourceFingerprint } from './fingerprint.ts';
import { sharedHostProject } from './fingerprint.ts';
import type { ServerAddress } from './poolers.ts';
import type { RecognisedProvider } from './providers.ts';
import { countOf, listWords } from './words.ts';

export interface TargetFacts {
  /** `host/database`, or `host:port/database` where the port is not 5432: what `confirm` must say. */
  fingerprint: string;
  server: { version: string; major: number; isStandby: boolean };
  /**
   * Of the database that `target-database-url` names. Where there is none, `exists` is false, and everything but the
   * name is that of the maintenance database.
   */
  database: DatabaseFacts;
  exists: boolean;
  /** Relations, functions, types and large objects that are nobody's extension's: none in an empty database. */
  objects: number;
  /** Some of them by name, for words. */
  examples: readonly string[];
  /** How many of them are in which schema, so that those of a provider can be told apart; large objects are in none. */
  objectsBySchema: readonly { schema: string; objects: number }[];
  /** As backups of this database would carry it. */
  source: SourceFingerprint;
  provider?: RecognisedProvider;
  /** The connecting role. */
  role: {
    name: string;
    superuser: boolean;
    createDatabase: boolean;
    createRole: boolean;
    bypassRls: boolean;
    /** Owns the database, or is a member of its owner. */
    ownsDatabase: boolean;
    /** May end sessions of other roles. */
    signalsOthers: boolean;
  };
  roles: readonly string[];
  /** Names in pg_available_extensions. */
  availableExtensions: readonly string[];
  /** Where databases are created and renamed from: `postgres` where it lets us in, else another. */
  maintenanceDatabase: string;
  /** Names of all databases. */
  databases: readonly string[];
  /** Of the database, where it is not the server's default. */
  tablespace?: string;
  /** Databases in which an earlier restore into this one left its work undone: nobody has ever used them. */
  leftovers: readonly string[];
  /** The note of a pause that an earlier restore did not end: see `resumeFromNote`. */
  pause?: string;
  /** The comment of the database says that a restore of ours made it and did not finish it: nobody has ever used it. */
  madeByUs: boolean;
  /** Sessions of others in the database. */
  otherSessions: number;
  /** Those of them that the connecting role may not end, as `role (program)`. */
  lastingSessions: readonly string[];
  /** Prepared transactions in the database: it cannot be renamed while there is one. */
  preparedTransactions: number;
  /** Whether a new session may only read: in the database itself, and in the maintenance database. */
  readOnly: { target: boolean; maintenance: boolean };
  /** The server is built with ICU. */
  icu: boolean;
  /** Free bytes where the server keeps its data, when the server is on this machine and tells. */
  freeBytes?: number;
}

/**
 * The name of a target that a person must type to have it replaced: the host exactly as the connection names it. Behind
 * a pooler that all projects of a region share, the project's reference stands before it: `<ref>@<host>/postgres`.
 */
export function targetFingerprint({ host, port, user, database }: ServerAddress): string {
  const project = sharedHostProject(host, user);
  return `${project === undefined ? '' : `${project}@`}${host}${port === 5432 ? '' : `:${port}`}/${database}`;
}

/**
 * Whether a drill may use the database: it is empty, or a restore of ours left it unfinished. Otherwise the words why not.
 */
export function notThrowaway(facts: TargetFacts): string | undefined {
  if (!facts.exists || facts.objects === 0 || facts.madeByUs) return undefined;
  const named = listWords(facts.examples, { all: facts.objects });
  return `${facts.fingerprint} holds ${countOf(facts.objects, 'object')}: ${named}. A drill only runs where nothing can be lost`;
}
