/** What the catalog says inside the snapshot that pg_dump reads. */
import type { RowsDigest } from './archive-report.ts';
import type { QualifiedName } from './relations.ts';

export type TableKind = 'table' | 'partitioned-table' | 'foreign-table';

export interface TableFacts extends QualifiedName {
  oid: number;
  kind: TableKind;
  persistence: 'permanent' | 'unlogged';
  /** Columns that COPY carries (no dropped, no generated ones), in attribute order. */
  columns: string[];
  /** Heap and TOAST, without indexes (pg_table_size). */
  sizeBytes: number;
  /** The archive must hold a COPY block for it. */
  hasData: boolean;
  /** WHERE condition under which an extension's configuration table is dumped; '' for all its rows. */
  extensionCondition?: string;
  /** Member of an extension: its definition is not in the archive. */
  ofExtension: boolean;
  /** Named by `critical-tables`. */
  critical: boolean;
  /** Of a partitioned table: all its leaves, however deep. */
  leaves?: QualifiedName[];
  /** Exact `count(*)` in the snapshot; absent when it was too large to count. */
  rows?: number;
}

export interface SequenceState {
  /** Decimal, 64-bit. */
  lastValue: string;
  isCalled: boolean;
}

export interface SequenceFacts extends QualifiedName {
  oid: number;
  increment: string;
  cycles: boolean;
  before: SequenceState;
  /** Read again after the dump; absent when that failed. */
  after?: SequenceState;
}

export interface RelationFacts extends QualifiedName {
  kind: 'view' | 'materialized-view';
}

export interface ExtensionFacts {
  name: string;
  version: string;
  schema: string;
}

/** Settings that shape COPY text, as pg_dump runs under them. Recorded so that a restore reads the same text. */
export interface CopySettings {
  TimeZone: string;
  DateStyle: string;
  IntervalStyle: string;
  extra_float_digits: string;
  bytea_output: string;
  lc_monetary: string;
  client_encoding: string;
}

export interface DatabaseFacts {
  name: string;
  encoding: string;
  collate: string;
  ctype: string;
  /** `libc`, `icu` or `builtin`. */
  localeProvider: string;
  /** ICU or builtin locale, where there is one. */
  locale?: string;
  collationVersion?: string;
  sizeBytes: number;
}

export interface ServerFacts {
  /** `server_version`: `17.10 (Debian …)`. */
  version: string;
  /** `server_version_num` / 10000. */
  major: number;
  isStandby: boolean;
}

export interface CatalogFacts {
  server: ServerFacts;
  database: DatabaseFacts;
  settings: CopySettings;
  /** Time of the snapshot, ISO 8601 UTC, from the server's clock. */
  snapshotAt: string;
  tables: TableFacts[];
  sequences: SequenceFacts[];
  relations: RelationFacts[];
  extensions: ExtensionFacts[];
  /** Role names, without `pg_*`. */
  roles: string[];
  /** Large objects in the database; whether the dump holds them depends on the scope. */
  largeObjects: number;
  /** Whether the chosen scope brings the large objects along. */
  largeObjectsSelected: boolean;
}

/** Digests of a second reading of the source in the same snapshot (`verify: source`), by `relationKey`. */
export type SourceDigests = Map<string, RowsDigest>;
