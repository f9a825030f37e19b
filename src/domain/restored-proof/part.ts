/** Which part of a backup a plan brings back: what the proof of a restore is judged on. */
import type { EntryPlan } from '../entry-plan.ts';
import { type QualifiedName, relationKey } from '../relations.ts';
import type { TocEntry } from '../toc.ts';

/** The table of contents writes line breaks of names as blanks. */
export function tocKey({ schema, name }: QualifiedName): string {
  const oneLine = (text: string): string => text.replaceAll(/[\r\n]/g, ' ');
  return relationKey({ schema: oneLine(schema), name: oneLine(name) });
}

/** Those of `items` that the plan restores entries of the type `type` for. */
export function restoredOf<T extends QualifiedName>(items: readonly T[], plan: EntryPlan, type: string): T[] {
  if (plan.whole) return [...items];
  const keys = new Set(entriesOf(plan.restored, type).map(keyOfEntry));
  return items.filter((item) => keys.has(tocKey(item)));
}

export function entriesOf(entries: readonly TocEntry[], ...types: string[]): TocEntry[] {
  return entries.filter((entry) => types.includes(entry.type));
}

export function keyOfEntry(entry: TocEntry): string {
  return tocKey({ schema: entry.schema ?? '-', name: entry.name });
}

/** For reasons: says so when only a part was restored. */
export function partWords(plan: EntryPlan): string {
  return plan.whole ? '' : ' of the part that was restored';
}
