/**
 * Comparing a backup with the one before it, without a key: from the plain manifests alone. Names of tables stand
 * there only as salted hashes, so everything of the present is hashed again with the salt of the past.
 */
import { createHash } from 'node:crypto';
import { compareSource, type SourceFingerprint } from './fingerprint.ts';
import type { Manifest, ManifestWarning } from './manifest.ts';
import { displayName, type QualifiedName, relationKey } from './relations.ts';
import type { Scope } from './scope.ts';
import { countOf, fewOf, formatBytes, formatCount } from './words.ts';

/** Below these a change is everyday life, however many percent it is. */
export const LEAST_BYTES_CHANGED = 1024 * 1024;
export const LEAST_ROWS_CHANGED = 1000;
/** A single table is watched more closely, because a lost one hides in the totals of a large database. */
export const LEAST_TABLE_ROWS_LOST = 100;
/** A table that lost all of them; queues run empty, so not from the first row on. */
export const LEAST_ROWS_OF_EMPTIED_TABLE = 10;
const MOST_DETAILS = 50;

/** A table whose rows are in the archive. */
export interface CountedTable extends QualifiedName {
  rows: number;
  /** Of COPY text. */
  bytes: number;
}

/** A partitioned table with all its leaves, however deep. */
export interface PartitionedTable extends QualifiedName {
  leaves?: readonly QualifiedName[];
}

export type TableStats = Manifest['tableStats']['tables'];

export interface CurrentBackup {
  totals: Pick<Manifest['totals'], 'plainBytes' | 'rows'>;
  tables: readonly CountedTable[];
  /** Facts of all partitioned tables; others in the list are passed over. */
  partitioned?: readonly PartitionedTable[];
}

/** `message` holds no names and may stand in the plain manifest; `details` are for the summary. */
export interface ChangeWarning extends ManifestWarning {
  details: string[];
}

/** Compared only with backups of the same salt: `sha256(salt NUL "scope" NUL JSON)`; the order of patterns is no matter. */
export function scopeFingerprint(scope: Scope, salt: string): string {
  const sorted = (patterns: readonly string[]): string[] => [...patterns].sort();
  const canonical = [
    scope.content,
    sorted(scope.schemas),
    sorted(scope.excludeSchemas),
    sorted(scope.tables),
    sorted(scope.excludeTables),
    sorted(scope.excludeTableData),
  ];
  return createHash('sha256')
    .update(`${salt}\0scope\0${JSON.stringify(canonical)}`)
    .digest('hex');
}

/**
 * Rows and bytes per table under `sha256(salt + schema NUL name)`. Partitions count under their topmost parent:
 * they come and go by design, and a dropped one is no lost table.
 */
export function tableStats(
  salt: string,
  tables: readonly CountedTable[],
  partitioned: readonly PartitionedTable[] = [],
): TableStats {
  return hashed(salt, combine(tables, partitioned));
}

/**
 * The newest proven backup that holds the same part of the same database. `manifests` are of one series.
 * Leave `source` out to compare across databases, as after `accept-new-source`.
 */
export function findPrevious(
  manifests: readonly Manifest[],
  like: { scope: Scope; source?: SourceFingerprint },
): Manifest | undefined {
  const alike = manifests.filter(
    (manifest) =>
      manifest.verdict === 'proven' &&
      manifest.scope.fingerprint === scopeFingerprint(like.scope, manifest.tableStats.salt) &&
      (like.source === undefined || compareSource(sourceOf(manifest), like.source) !== 'different'),
  );
  return alike.reduce<Manifest | undefined>(
    (newest, manifest) => (newest === undefined || manifest.id > newest.id ? manifest : newest),
    undefined,
  );
}

/**
 * What changed by more than `maxChangePercent`: plain size (which no compression disturbs) and rows of the whole in
 * either direction, and tables that lost rows or are gone. Only for an archive that was read to its end.
 */
export function compareWithPrevious(
  previous: Manifest,
  current: CurrentBackup,
  maxChangePercent: number,
): ChangeWarning[] {
  const { plainBytes, rows } = previous.totals;
  const limit = `${maxChangePercent} %`;
  const warnings: ChangeWarning[] = [];
  if (isBeyond(plainBytes, current.totals.plainBytes, maxChangePercent, LEAST_BYTES_CHANGED)) {
    const change = changeInWords(plainBytes, current.totals.plainBytes, formatBytes);
    warnings.push({ code: 'size-changed', message: `The content ${change}, more than ${limit}`, details: [] });
  }
  if (isBeyond(rows, current.totals.rows, maxChangePercent, LEAST_ROWS_CHANGED)) {
    const change = changeInWords(rows, current.totals.rows, formatCount);
    warnings.push({ code: 'rows-changed', message: `The number of rows ${change}, more than ${limit}`, details: [] });
  }
  return [...warnings, ...compareTables(previous, current, maxChangePercent)].map((warning) => ({
    ...warning,
    message: `${warning.message} (compared with ${previous.id})`,
  }));
}

function compareTables(previous: Manifest, current: CurrentBackup, maxChangePercent: number): ChangeWarning[] {
  const { salt, tables: before } = previous.tableStats;
  const combined = combine(current.tables, current.partitioned ?? []);
  const now = new Map(combined.map((table) => [tableHash(salt, table), table]));
  const gone: string[] = [];
  const shrunk: string[] = [];
  for (const [hash, { rows, bytes }] of Object.entries(before)) {
    const table = now.get(hash);
    if (table === undefined) {
      if (rows > 0) gone.push(`${hash.slice(0, 12)}…: had ${countOf(rows, 'row')}, ${formatBytes(bytes)}`);
    } else if (lostRows(rows, table.rows, maxChangePercent)) {
      shrunk.push(`${displayName(table)}: ${changeInWords(rows, table.rows, inRows)}`);
    } else if (table.bytes < bytes && isBeyond(bytes, table.bytes, maxChangePercent, LEAST_BYTES_CHANGED)) {
      shrunk.push(`${displayName(table)}: ${changeInWords(bytes, table.bytes, formatBytes)}`);
    }
  }
  const warnings: ChangeWarning[] = [];
  if (gone.length > 0) {
    warnings.push({
      code: 'tables-gone',
      message: `${countOf(gone.length, 'table that held rows is', 'tables that held rows are')} no longer there`,
      details: fewOf(
        gone.map((line) => `${line} (its name is in contents.json of ${previous.id})`),
        MOST_DETAILS,
      ),
    });
  }
  if (shrunk.length > 0) {
    warnings.push({
      code: 'tables-shrank',
      message: `${countOf(shrunk.length, 'table')} lost more than ${maxChangePercent} % of ${shrunk.length === 1 ? 'its' : 'their'} rows or bytes`,
      details: fewOf(shrunk, MOST_DETAILS),
    });
  }
  return warnings;
}

function lostRows(before: number, now: number, maxChangePercent: number): boolean {
  const emptied = now === 0 && before > 0;
  return (
    now < before &&
    isBeyond(before, now, maxChangePercent, emptied ? LEAST_ROWS_OF_EMPTIED_TABLE : LEAST_TABLE_ROWS_LOST)
  );
}

function isBeyond(before: number, now: number, maxChangePercent: number, least: number): boolean {
  const change = Math.abs(now - before);
  return before > 0 && change >= least && (change / before) * 100 > maxChangePercent;
}

function inRows(rows: number): string {
  return countOf(rows, 'row');
}

function changeInWords(before: number, now: number, format: (value: number) => string): string {
  const percent = Math.round((Math.abs(now - before) / before) * 100);
  return `${now < before ? 'fell' : 'grew'} from ${format(before)} to ${format(now)} (${now < before ? '-' : '+'}${percent} %)`;
}

function combine(tables: readonly CountedTable[], partitioned: readonly PartitionedTable[]): CountedTable[] {
  const roots = rootsOfLeaves(partitioned);
  const combined = new Map<string, CountedTable>();
  for (const table of tables) {
    const { schema, name } = roots.get(relationKey(table)) ?? table;
    const known = combined.get(relationKey({ schema, name }));
    if (known === undefined)
      combined.set(relationKey({ schema, name }), { schema, name, rows: table.rows, bytes: table.bytes });
    else {
      known.rows += table.rows;
      known.bytes += table.bytes;
    }
  }
  return [...combined.values()];
}

/** A leaf stands under each of its ancestors; the one with the most leaves is the topmost. */
function rootsOfLeaves(partitioned: readonly PartitionedTable[]): Map<string, QualifiedName> {
  const roots = new Map<string, QualifiedName>();
  const smallestFirst = [...partitioned].sort((a, b) => (a.leaves?.length ?? 0) - (b.leaves?.length ?? 0));
  for (const parent of smallestFirst) for (const leaf of parent.leaves ?? []) roots.set(relationKey(leaf), parent);
  return roots;
}

function hashed(salt: string, tables: readonly CountedTable[]): TableStats {
  return Object.fromEntries(tables.map((table) => [tableHash(salt, table), { rows: table.rows, bytes: table.bytes }]));
}

/** The key of a table in {@link Manifest.tableStats}: `sha256(salt + schema NUL name)`. */
export function tableHash(salt: string, table: QualifiedName): string {
  return createHash('sha256')
    .update(`${salt}${relationKey(table)}`)
    .digest('hex');
}

function sourceOf(manifest: Manifest): SourceFingerprint {
  return { fingerprint: manifest.source.fingerprint, kind: manifest.source.fingerprintKind };
}
