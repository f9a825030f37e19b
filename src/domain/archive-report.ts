/** What was read back from the archive itself, end to end. */
import type { QualifiedName } from './relations.ts';

/** Number of rows and the order-independent content digest `rows-xxh64x2` (docs/format.md): 32 hex digits. */
export interface RowsDigest {
  rows: number;
  digest: string;
}

/** One COPY block. */
export interface ArchivedTable extends QualifiedName, RowsDigest {
  /** In COPY order; empty for a table without columns. */
  columns: string[];
  /** Bytes of COPY text, without the terminator. */
  bytes: number;
}

/** From `SELECT pg_catalog.setval(…)`. 64-bit, so a decimal string. */
export interface ArchivedSequence extends QualifiedName {
  lastValue: string;
  isCalled: boolean;
}

export interface ArchivedLargeObjects {
  count: number;
  bytes: number;
  /** `rows-xxh64x2` over rows `oid TAB sha256hex`. */
  digest: string;
}

/** Definitions that share type, schema and name (overloads, operators): a sorted multiset of digests. */
export interface ArchivedObject {
  /** As pg_dump names it: `TABLE`, `FUNCTION`, `DEFAULT ACL`… */
  type: string;
  /** `-` when the object has none. */
  schema: string;
  name: string;
  /** SHA-256 of each definition's text, hex, sorted. */
  digests: string[];
}

/** A relation that the archive defines, taken from its CREATE statement. */
export interface ArchivedRelation extends QualifiedName {
  kind: 'table' | 'foreign-table' | 'view' | 'materialized-view' | 'sequence';
}

export interface ArchiveReport {
  tables: ArchivedTable[];
  sequences: ArchivedSequence[];
  largeObjects: ArchivedLargeObjects;
  objects: ArchivedObject[];
  relations: ArchivedRelation[];
  /** Names of extensions created by the archive. */
  extensions: string[];
  /** Bytes of plain SQL that were read. */
  plainBytes: number;
}
