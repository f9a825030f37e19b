/**
 * The part of a backup that a reference restore needs: what is worded otherwise than recorded, and everything that
 * hangs together with it. Thousands of tables need not be made again because of one.
 */
import { EntryGraph, type EntryId, RELATIONS } from '../entry-plan/graph.ts';
import type { EntryPlan } from '../entry-plan.ts';
import type { Toc, TocEntry } from '../toc.ts';
import { type DefinitionDifferences, entryKey } from './definitions.ts';

/** Beyond this share of all entries the part would save too little. */
const WORTHWHILE_SHARE = 0.5;
/** Whatever they are for, they shape what is made after them, and no list says of what. */
const ALWAYS = ['EXTENSION', 'DEFAULT ACL', 'CAST', 'OPERATOR CLASS', 'OPERATOR FAMILY', 'ACCESS METHOD'];

/**
 * Entries of the plan, in its order; nothing when all of it is needed: because a difference belongs to no entry by its
 * name, or because the part would be most of the whole.
 */
export function referencePart(
  toc: Toc,
  plan: Pick<EntryPlan, 'restored'>,
  { keys }: DefinitionDifferences,
  withLargeObjects: boolean,
): readonly TocEntry[] | undefined {
  const wanted = new Set<EntryId>();
  const open = new Set(keys);
  for (const entry of plan.restored) {
    const key = entryKey(entry);
    if (keys.has(key)) {
      open.delete(key);
      wanted.add(entry.dumpId);
    } else if (ALWAYS.includes(entry.type) || (withLargeObjects && isOfLargeObjects(entry))) wanted.add(entry.dumpId);
  }
  if (open.size > 0) return undefined;
  close(new EntryGraph(toc), wanted);
  const part = plan.restored.filter(({ dumpId }) => wanted.has(dumpId));
  return part.length > plan.restored.length * WORTHWHILE_SHARE ? undefined : part;
}

/** `BLOB 16385`, `BLOB METADATA 16385..16402`, `ACL LARGE OBJECT 16385`. */
function isOfLargeObjects({ type, name }: TocEntry): boolean {
  return type.startsWith('BLOB') || name.startsWith('LARGE OBJECT');
}

/**
 * Until nothing more is needed by what is wanted, belongs to it, or inherits from it: only a table with all of its
 * keys, indexes and partitions is in the state that a restore leaves it in.
 */
function close(graph: EntryGraph, wanted: Set<EntryId>): void {
  const heirs = heirsOf(graph);
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const entry of graph.entries) {
      if (!wanted.has(entry.dumpId) && graph.belongsTo(entry, wanted)) wanted.add(entry.dumpId);
      if (wanted.has(entry.dumpId)) for (const id of companions(graph, entry, heirs)) wanted.add(id);
    }
  }
}

function companions(
  graph: EntryGraph,
  entry: TocEntry,
  heirs: ReadonlyMap<EntryId, readonly EntryId[]>,
): readonly EntryId[] {
  const needs = graph.dependencies(entry).map(({ dumpId }) => dumpId);
  // The list of its own names parents of partitions and of their indexes as well.
  return [...needs, ...entry.dependencies, ...(heirs.get(entry.dumpId) ?? [])];
}

/** Partitions and other heirs of each table: all that pg_dump lists as depending upon it. */
function heirsOf({ entries }: EntryGraph): Map<EntryId, EntryId[]> {
  const tables = new Set(entries.filter(({ type }) => RELATIONS.includes(type)).map(({ dumpId }) => dumpId));
  const heirs = new Map<EntryId, EntryId[]>();
  for (const { type, dumpId, dependencies } of entries) {
    if (type !== 'TABLE' && type !== 'FOREIGN TABLE') continue;
    for (const parent of dependencies) {
      if (!tables.has(parent)) continue;
      heirs.set(parent, [...(heirs.get(parent) ?? []), dumpId]);
    }
  }
  return heirs;
}
