/**
 * `contents.json`: what is inside a backup set, by name. Encrypted whenever the archive is.
 * Format: docs/format.md, docs/contents.schema.json.
 */
import type { ArchivedLargeObjects, ArchivedObject, ArchivedTable } from './archive-report.ts';
import type { Check, CheckId } from './checks.ts';
import { type DocumentKind, parseDocument, serializeDocument } from './document.ts';
import type { CopySettings, DatabaseFacts, ExtensionFacts, SequenceState, ServerFacts, TableKind } from './facts.ts';
import * as json from './json-reader.ts';
import {
  type ObjectRole,
  readBackupId,
  readCheckStatus,
  readContent,
  readObjectName,
  readObjectRole,
} from './manifest.ts';
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

/** Throws `ERR_MANIFEST`; a newer `schemaVersion` is refused by name. Fields that this version does not know are dropped. */
export function parseContents(text: string): Contents {
  return parseDocument(KIND, text);
}

/** Fields in a fixed order. Throws `ERR_MANIFEST` for what {@link parseContents} would refuse. */
export function serializeContents(contents: Contents): string {
  return serializeDocument(KIND, contents);
}

const readDigest = json.matching(/^[0-9a-f]{32}$/, 'a digest of 32 hexadecimal digits');
const readBigint = json.matching(/^-?\d{1,19}$/, 'a whole number as a text');
const texts = json.list(json.text);
const readState = json.object<SequenceState>({ lastValue: readBigint, isCalled: json.flag });

const readTable = json.object<ContentsTable>({
  schema: json.text,
  name: json.text,
  columns: texts,
  rows: json.count,
  bytes: json.count,
  digest: readDigest,
  sizeBytes: json.count,
  countedRows: json.optional(json.count),
  extensionCondition: json.optional(json.text),
});

const readDatabase = json.object<DatabaseFacts>({
  name: json.text,
  encoding: json.text,
  collate: json.text,
  ctype: json.text,
  localeProvider: json.text,
  locale: json.optional(json.text),
  collationVersion: json.optional(json.text),
  sizeBytes: json.count,
});

const readSettings = json.object<CopySettings>({
  TimeZone: json.text,
  DateStyle: json.text,
  IntervalStyle: json.text,
  extra_float_digits: json.text,
  bytea_output: json.text,
  lc_monetary: json.text,
  client_encoding: json.text,
});

const readScope = json.object<Scope>({
  content: readContent,
  schemas: texts,
  excludeSchemas: texts,
  tables: texts,
  excludeTables: texts,
  excludeTableData: texts,
});

const readContents = json.object<Contents>({
  schemaVersion: json.count,
  id: readBackupId,
  server: json.object<ServerFacts>({ version: json.text, major: json.count, isStandby: json.flag }),
  database: readDatabase,
  settings: readSettings,
  scope: readScope,
  plainObjects: json.list(
    json.object({ role: readObjectRole, name: readObjectName, sizeBytes: json.count, sha256: json.sha256Hex }),
  ),
  digestAlgorithm: json.oneOf('rows-xxh64x2'),
  tables: json.list(readTable),
  definedOnly: json.list(
    json.object<ContentsEmptyTable>({
      schema: json.text,
      name: json.text,
      kind: json.oneOf('table', 'partitioned-table', 'foreign-table'),
    }),
  ),
  sequences: json.list(
    json.object<ContentsSequence>({
      schema: json.text,
      name: json.text,
      dumped: readState,
      before: readState,
      after: json.optional(readState),
    }),
  ),
  largeObjects: json.object<ArchivedLargeObjects>({ count: json.count, bytes: json.count, digest: readDigest }),
  objects: json.list(
    json.object<ArchivedObject>({
      type: json.text,
      schema: json.text,
      name: json.text,
      digests: json.list(json.sha256Hex),
    }),
  ),
  extensions: json.list(json.object<ExtensionFacts>({ name: json.text, version: json.text, schema: json.text })),
  roles: texts,
  checks: json.list(
    json.object<Check>({ id: json.anyWord<CheckId>(), status: readCheckStatus, reason: json.text, details: texts }),
  ),
});

const KIND: DocumentKind<Contents> = { name: 'contents.json', version: CONTENTS_SCHEMA_VERSION, read: readContents };
