/** What of a restore comes first. */
import { EntryGraph } from './entry-plan/graph.ts';
import { type QualifiedName, relationKey } from './relations.ts';
import type { TocEntry } from './toc.ts';

/**
 * Of restored entries those that make the critical tables readable: their rows, keys and the values of their
 * sequences. A partitioned table stands for all its leaves. In the order of the archive; definitions are not among
 * them, because all of those are restored before any row.
 */
export function criticalEntries(restored: readonly TocEntry[], critical: readonly QualifiedName[]): TocEntry[] {
  const graph = new EntryGraph({ serverVersion: '', entries: restored });
  // The list of an archive has blanks for line breaks.
  const names = new Set(
    critical.map(({ schema, name }) => relationKey({ schema: oneLine(schema), name: oneLine(name) })),
  );
  const tables = new Set<number>();
  const isCritical = ({ schema, name }: TocEntry): boolean =>
    schema !== undefined && names.has(relationKey({ schema, name }));
  let found = restored.filter((entry) => entry.type === 'TABLE' && isCritical(entry));
  while (found.length > 0) {
    for (const { dumpId } of found) tables.add(dumpId);
    found = found.flatMap((table) => graph.partitions(table)).filter(({ dumpId }) => !tables.has(dumpId));
  }
  const owned = new Set(tables);
  for (const entry of restored) {
    if (entry.type === 'SEQUENCE' && graph.belongsTo(entry, tables)) owned.add(entry.dumpId);
  }
  return restored.filter(
    (entry) => ['TABLE DATA', 'CONSTRAINT', 'SEQUENCE SET'].includes(entry.type) && graph.belongsTo(entry, owned),
  );
}

function oneLine(name: string): string {
  return name.replaceAll(/[\r\n]/g, ' ');
}
