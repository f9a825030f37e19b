/** Checks on tables and their rows. */
import type { ArchivedTable, ArchiveReport } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { CatalogFacts, SourceDigests, TableFacts } from '../facts.ts';
import { displayName, type QualifiedName, relationKey } from '../relations.ts';
import type { Scope } from '../scope.ts';
import { countOf, formatCount, shareOf } from '../words.ts';
import { conclude } from './conclude.ts';

function byName<T extends QualifiedName>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [relationKey(item), item]));
}

/** Every table of the snapshot is in the archive with its columns, and nothing is there that the snapshot lacks. */
export function checkTables(facts: CatalogFacts, archive: ArchiveReport, scope: Scope): Check {
  const archived = byName(archive.tables);
  const known = byName(facts.tables);
  const differences = [
    ...facts.tables.flatMap((table) => compareTable(table, archived.get(relationKey(table)))),
    ...archive.tables
      .filter((table) => !known.has(relationKey(table)))
      .map((table) => `${displayName(table)}: is in the archive but not in the snapshot's catalog`),
    ...(scope.content === 'data' ? [] : missingDefinitions(facts, archive)),
  ];
  const all = facts.tables.length;
  return conclude('tables', differences, {
    passed: `${shareOf(all, all, 'table of the snapshot is', 'tables of the snapshot are')} in the archive, column by column`,
    failed: (count) =>
      `${countOf(count, 'table differs', 'tables differ')} between the snapshot's catalog and the archive`,
  });
}

function compareTable(table: TableFacts, block: ArchivedTable | undefined): string[] {
  if (block === undefined) {
    return table.hasData ? [`${displayName(table)}: its rows are missing from the archive`] : [];
  }
  if (!table.hasData) return [`${displayName(table)}: the archive holds rows that this scope should not contain`];
  const same =
    block.columns.length === table.columns.length &&
    block.columns.every((name, index) => name === table.columns[index]);
  return same
    ? []
    : [`${displayName(table)}: columns (${block.columns.join(', ')}) instead of (${table.columns.join(', ')})`];
}

function missingDefinitions(facts: CatalogFacts, archive: ArchiveReport): string[] {
  const defined = new Set(
    archive.relations
      .filter((relation) => relation.kind === 'table' || relation.kind === 'foreign-table')
      .map(relationKey),
  );
  return facts.tables
    .filter((table) => !table.ofExtension && !defined.has(relationKey(table)))
    .map((table) => `${displayName(table)}: its definition is missing from the archive`);
}

/** `count(*)` at the source against rows in the archive, wherever it was counted. */
export function checkRowCounts(facts: CatalogFacts, archive: ArchiveReport, counting: 'done' | Error): Check {
  if (counting instanceof Error) {
    return {
      id: 'row-counts',
      status: 'partial',
      reason: 'Counting rows at the source did not finish',
      details: [counting.message],
    };
  }
  const archived = byName(archive.tables);
  const withRows = facts.tables.filter((table) => table.hasData);
  const counted = withRows.flatMap((table) => (table.rows === undefined ? [] : [{ ...table, rows: table.rows }]));
  const differences = counted.flatMap((table) => {
    const rows = archived.get(relationKey(table))?.rows;
    return rows === table.rows
      ? []
      : [
          `${displayName(table)}: ${countOf(table.rows, 'row')} at the source, ${rows === undefined ? 'none' : formatCount(rows)} in the archive`,
        ];
  });
  const uncounted = withRows.length - counted.length;
  const rest =
    uncounted === 0 ? '' : `; ${countOf(uncounted, 'larger one is', 'larger ones are')} not counted at the source`;
  return conclude('row-counts', differences, {
    passed: `Row counts are equal in ${shareOf(counted.length, counted.length, 'table')} counted at the source${rest}`,
    failed: (count) =>
      `${countOf(count, 'table has', 'tables have')} another number of rows in the archive than at the source`,
  });
}

/** Tables named by `critical-tables` are in the archive with at least one row each. */
export function checkCriticalTables(facts: CatalogFacts, archive: ArchiveReport, scope: Scope): Check {
  const archived = byName(archive.tables);
  const partitions = facts.tables.filter((table) => table.critical && table.kind === 'partitioned-table');
  const critical = facts.tables.filter((table) => table.critical && table.kind !== 'partitioned-table');
  if (scope.content === 'schema') {
    return {
      id: 'critical-tables',
      status: 'not-run',
      reason: 'A backup of definitions alone holds no rows',
      details: [],
    };
  }
  const differences = critical.flatMap((table) => {
    const rows = archived.get(relationKey(table))?.rows ?? 0;
    return rows > 0 ? [] : [`${displayName(table)}: is critical and has no rows in the archive`];
  });
  const emptyParents = partitions
    .filter((parent) => !(parent.leaves ?? []).some((leaf) => (archived.get(relationKey(leaf))?.rows ?? 0) > 0))
    .map((parent) => `${displayName(parent)}: is critical and none of its partitions has rows in the archive`);
  return conclude('critical-tables', [...differences, ...emptyParents], {
    passed: `${countOf(critical.length + partitions.length, 'critical table holds', 'critical tables hold')} rows`,
    failed: (count) => `${countOf(count, 'critical table is', 'critical tables are')} empty`,
  });
}

/** Digests of a second reading of every table in the same snapshot (`verify: source`). */
export function checkSource(facts: CatalogFacts, archive: ArchiveReport, source: SourceDigests | Error): Check {
  if (source instanceof Error) {
    return {
      id: 'source',
      status: 'not-run',
      reason: 'The second reading of the source failed',
      details: [source.message],
    };
  }
  const archived = byName(archive.tables);
  const withRows = facts.tables.filter((table) => table.hasData);
  const differences = withRows.flatMap((table) => {
    const there = source.get(relationKey(table));
    const here = archived.get(relationKey(table));
    if (there === undefined) return [`${displayName(table)}: was not read a second time`];
    if (here === undefined) return [`${displayName(table)}: is missing from the archive`];
    if (there.rows === here.rows && there.digest === here.digest) return [];
    return [
      `${displayName(table)}: ${countOf(there.rows, 'row')} ${there.digest} at the source, ${countOf(here.rows, 'row')} ${here.digest} in the archive`,
    ];
  });
  return conclude('source', differences, {
    passed: `A second reading at the source has the same content digest for ${shareOf(withRows.length, withRows.length, 'table')}`,
    failed: (count) => `${countOf(count, 'table has', 'tables have')} other content in the archive than at the source`,
  });
}
