/** What is known of the server and the database that a backup is restored into, before anything is touched. */
import type { DatabaseFacts } from './facts.ts';
import type { SourceFingerprint } from './fingerprint.ts';
import type { RecognisedProvider } from './providers.ts';

export interface TargetFacts {
  /** `host/database`, or `host:port/database` where the port is not 5432: what `confirm` must say. */
  fingerprint: string;
  server: { version: string; major: number; isStandby: boolean };
  /** Of the database that `target-database-url` names. */
  database: DatabaseFacts;
  /** Relations, functions, types and large objects that are nobody's extension's: none in an empty database. */
  objects: number;
  /** Some of them by name, for words. */
  examples: readonly string[];
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
  /** Sessions of others in the database. */
  otherSessions: number;
  /** Free bytes where the server keeps its data, when the server is on this machine and tells. */
  freeBytes?: number;
}
