/**
 * `contents.json`: what is inside a backup set, by name. Encrypted whenever the archive is.
 * Format: docs/format.md, docs/contents.schema.json.
 */
import type { ArchivedLargeObjects, ArchivedObject, ArchivedTable } from './archive-report.ts';
import type { Check } from './checks.ts';
import type { CopySettings, DatabaseFacts, ExtensionFacts, SequenceState, ServerFacts, TableKind } from './facts.ts';
import type { ObjectRole } from './manifest.ts';
import type { QualifiedName } from './relations.ts';
import type { Scope } from './scope.ts';

export const CONTENTS_SCHEMA_VERSION = 1;

/** A table whose rows are in the archive. */
export interface ContentsTable extends ArchivedTable {
  /** Table and TOAST on disk at the source, without indexes. */
  sizeBytes: number;
  /** `count(*)` at the source in the same snapshot, where it was counted. */
  countedRows?: number;
  /** Only the rows of an extension's configuration table that meet this condition are dumped. */
  extensionCondition?: string;
}

/** A table that is defined in the archive without rows of its own. */
export interface ContentsEmptyTable extends QualifiedName {
  kind: TableKind;
}

export interface ContentsSequence extends QualifiedName {
  dumped: SequenceState;
  before: SequenceState;
  after?: SequenceState;
}

export interface Contents {
  schemaVersion: number;
  id: string;
  server: ServerFacts;
  database: DatabaseFacts;
  settings: CopySettings;
  scope: Scope;
  /** SHA-256 and size of the plain bytes of every other object of the set, before encryption. */
  plainObjects: { role: ObjectRole; name: string; sizeBytes: number; sha256: string }[];
  digestAlgorithm: 'rows-xxh64x2';
  tables: ContentsTable[];
  definedOnly: ContentsEmptyTable[];
  sequences: ContentsSequence[];
  largeObjects: ArchivedLargeObjects;
  objects: ArchivedObject[];
  extensions: ExtensionFacts[];
  roles: string[];
  checks: Check[];
}
