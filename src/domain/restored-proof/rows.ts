/** Rows of a restored database against those that were recorded when it was backed up. */
import type { RowsDigest } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { Contents, ContentsTable } from '../contents.ts';
import type { EntryPlan } from '../entry-plan.ts';
import type { SourceDigests } from '../facts.ts';
import { conclude } from '../proof/conclude.ts';
import { displayName, type QualifiedName, relationKey } from '../relations.ts';
import type { Content } from '../scope.ts';
import { countOf, formatCount, shareOf } from '../words.ts';
import { partWords, restoredOf } from './part.ts';

/** Why a table could not be read: it (or a column) is not there, or the server refuses to show its rows. */
export interface UnreadTable {
  kind: 'missing' | 'refused';
  message: string;
}

export interface RestoredRows {
  /** Of every table that could be read, by `relationKey`. */
  digests: SourceDigests;
  /** The others, by `relationKey`. */
  unread: ReadonlyMap<string, UnreadTable>;
  /** The topmost parent of every partition, both by `relationKey`. */
  roots: ReadonlyMap<string, string>;
}

/** Tables whose rows the plan brings back. */
export function tablesToProve(contents: Contents, plan: EntryPlan): ContentsTable[] {
  return restoredOf(contents.tables, plan, 'TABLE DATA');
}

/** Rows and content digest of every restored table are those that were recorded. */
export function checkRestoredTables(contents: Contents, plan: EntryPlan, restored: RestoredRows): Check {
  const expected = tablesToProve(contents, plan);
  const part = partWords(plan);
  if (expected.length === 0) return noTables(contents, part);
  const moved = treesWithEqualSums(expected, restored);
  const wrong: string[] = [];
  const unread: string[] = [];
  for (const table of expected) {
    const key = relationKey(table);
    const failure = restored.unread.get(key);
    const digest = restored.digests.get(key);
    const equal = digest !== undefined && sameRows(digest, table);
    if (equal || moved.has(restored.roots.get(key) ?? '')) continue;
    if (failure?.kind === 'missing') wrong.push(`${displayName(table)}: cannot be read: ${failure.message}`);
    else if (failure !== undefined)
      unread.push(`${displayName(table)}: the server refused to show its rows: ${failure.message}`);
    else if (digest === undefined) unread.push(`${displayName(table)}: was not read`);
    else wrong.push(difference(table, digest));
  }
  if (wrong.length > 0) {
    const reason = `${countOf(wrong.length, 'table differs', 'tables differ')} from what was recorded in the backup`;
    return { id: 'tables', status: 'failed', reason, details: [...wrong, ...unread] };
  }
  if (unread.length > 0) {
    const reason = `${countOf(unread.length, 'table')} could not be read, so nobody knows whether all rows are there`;
    return { id: 'tables', status: 'partial', reason, details: unread };
  }
  const [tables, rows] = [expected.length, expected.reduce((sum, table) => sum + table.rows, 0)];
  return {
    id: 'tables',
    status: 'passed',
    reason: `${shareOf(tables, tables, `table${part} holds`, `tables${part} hold`)} the ${countOf(rows, 'row that was', 'rows that were')} recorded, byte for byte`,
    details: [],
  };
}

function noTables(contents: Contents, part: string): Check {
  const reason =
    contents.scope.content === 'schema'
      ? 'The backup holds definitions alone, so no rows'
      : `No table${part} has rows in the backup`;
  return { id: 'tables', status: 'passed', reason, details: [] };
}

function difference(table: ContentsTable, digest: RowsDigest): string {
  if (digest.rows !== table.rows) {
    return `${displayName(table)}: ${countOf(table.rows, 'row')} in the backup, ${formatCount(digest.rows)} in the restored database`;
  }
  return `${displayName(table)}: as many rows as in the backup (${formatCount(table.rows)}), but other content: ${table.digest} in the backup, ${digest.digest} in the restored database`;
}

function sameRows(one: RowsDigest, other: RowsDigest): boolean {
  return one.rows === other.rows && one.digest === other.digest;
}

/**
 * Roots of partition trees whose leaves, added up, hold what was recorded. Rows that pg_dump loads through the root
 * (hash partitions by an enum) may be in another leaf than before, and rightly so. Digests are sums, so they add up.
 */
function treesWithEqualSums(expected: readonly ContentsTable[], { digests, roots }: RestoredRows): Set<string> {
  const trees = new Map<string, { recorded: RowsDigest[]; found: (RowsDigest | undefined)[] }>();
  for (const table of expected) {
    const root = roots.get(relationKey(table));
    if (root === undefined) continue;
    const tree = trees.get(root) ?? { recorded: [], found: [] };
    tree.recorded.push(table);
    tree.found.push(digests.get(relationKey(table)));
    trees.set(root, tree);
  }
  return new Set(
    [...trees].flatMap(([root, { recorded, found }]) => {
      const read = found.filter((digest) => digest !== undefined);
      return read.length === recorded.length && sameRows(sumOf(recorded), sumOf(read)) ? [root] : [];
    }),
  );
}

function sumOf(digests: readonly RowsDigest[]): RowsDigest {
  const half = (from: number): string =>
    BigInt.asUintN(
      64,
      digests.reduce((sum, { digest }) => sum + BigInt(`0x${digest.slice(from, from + 16)}`), 0n),
    )
      .toString(16)
      .padStart(16, '0');
  return { rows: digests.reduce((sum, { rows }) => sum + rows, 0), digest: half(0) + half(16) };
}

/** What one pattern of `critical-tables` finds in the restored database. */
export interface CriticalTables {
  pattern: string;
  /** With the leaves whose rows are its own; a table that is not partitioned is its own leaf. */
  tables: readonly (QualifiedName & { leaves: readonly QualifiedName[] })[];
}

/** Every table that `critical-tables` names is there and holds rows. `rows` is by `relationKey`. */
export function checkRestoredCritical(
  content: Content,
  critical: readonly CriticalTables[],
  rows: ReadonlyMap<string, { rows: number }>,
): Check {
  const id = 'critical-tables';
  if (content === 'schema') {
    return { id, status: 'not-run', reason: 'A backup of definitions alone holds no rows', details: [] };
  }
  const rowsOf = (leaf: QualifiedName): number => rows.get(relationKey(leaf))?.rows ?? 0;
  const unmatched = critical
    .filter(({ tables }) => tables.length === 0)
    .map(({ pattern }) => `${pattern}: matches no table of the restored database`);
  const tables = new Map(critical.flatMap((each) => each.tables.map((table) => [relationKey(table), table])));
  const empty = [...tables.values()]
    .filter(({ leaves }) => !leaves.some((leaf) => rowsOf(leaf) > 0))
    .map((table) => `${displayName(table)}: is critical and has no rows in the restored database`);
  return conclude(id, [...unmatched, ...empty], {
    passed: `${countOf(tables.size, 'critical table holds', 'critical tables hold')} rows`,
    failed: (count) => `${countOf(count, 'critical table is', 'critical tables are')} missing or empty`,
  });
}
