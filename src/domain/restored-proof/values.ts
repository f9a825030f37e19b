/** Sequences and large objects of a restored database against what was recorded. */
import type { ArchivedLargeObjects } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { Contents, ContentsSequence } from '../contents.ts';
import type { EntryPlan } from '../entry-plan.ts';
import type { SequenceState } from '../facts.ts';
import { conclude } from '../proof/conclude.ts';
import { displayName, relationKey } from '../relations.ts';
import type { Toc } from '../toc.ts';
import { countOf, formatCount, shareOf } from '../words.ts';
import { entriesOf, partWords, restoredOf } from './part.ts';

/** Sequences whose values the plan brings back. */
export function sequencesToProve(contents: Contents, plan: EntryPlan): ContentsSequence[] {
  return restoredOf(contents.sequences, plan, 'SEQUENCE SET');
}

/** Every restored sequence stands where the archive sets it. `found` is by `relationKey`; an error says why it could not be read. */
export function checkRestoredSequences(
  contents: Contents,
  plan: EntryPlan,
  found: ReadonlyMap<string, SequenceState | Error>,
): Check {
  const expected = sequencesToProve(contents, plan);
  const differences = expected.flatMap((sequence) => {
    const value = found.get(relationKey(sequence));
    if (value === undefined) return [`${displayName(sequence)}: is missing from the restored database`];
    if (value instanceof Error) return [];
    const { lastValue, isCalled } = sequence.dumped;
    if (value.lastValue === lastValue && value.isCalled === isCalled) return [];
    return [
      `${displayName(sequence)}: ${words(sequence.dumped)} in the backup, ${words(value)} in the restored database`,
    ];
  });
  const unread = expected.flatMap((sequence) => {
    const value = found.get(relationKey(sequence));
    return value instanceof Error ? [`${displayName(sequence)}: could not be read: ${value.message}`] : [];
  });
  if (differences.length === 0 && unread.length > 0) {
    const reason = `${countOf(unread.length, 'sequence')} could not be read`;
    return { id: 'sequences', status: 'partial', reason, details: unread };
  }
  const part = partWords(plan);
  return conclude('sequences', [...differences, ...unread], {
    passed: `${shareOf(expected.length, expected.length, `sequence${part} stands`, `sequences${part} stand`)} where the backup has ${expected.length === 1 ? 'it' : 'them'}`,
    failed: (count) => `${countOf(count, 'sequence differs', 'sequences differ')} from what the backup holds`,
  });
}

function words({ lastValue, isCalled }: SequenceState): string {
  return isCalled ? lastValue : `${lastValue} (not called)`;
}

/** How many of the archive's large objects the plan brings back. */
export function largeObjectsToProve(contents: Contents, toc: Toc, plan: EntryPlan): 'all' | 'some' | 'none' {
  if (contents.largeObjects.count === 0) return plan.whole ? 'all' : 'none';
  const inArchive = entriesOf(toc.entries, 'BLOBS').length;
  const restored = entriesOf(plan.restored, 'BLOBS').length;
  if (plan.whole || (restored > 0 && restored === inArchive)) return 'all';
  return restored === 0 ? 'none' : 'some';
}

/** Number, bytes and digest of all large objects. */
export function checkRestoredLargeObjects(
  contents: Contents,
  extent: 'all' | 'some' | 'none',
  found: ArchivedLargeObjects | Error | undefined,
): Check {
  const id = 'large-objects';
  const recorded = contents.largeObjects;
  if (extent === 'none') {
    return { id, status: 'passed', reason: 'The part that was restored holds no large objects', details: [] };
  }
  if (extent === 'some') {
    const reason = 'Only some large objects were restored, and their digest is known of all together alone';
    return { id, status: 'partial', reason, details: [] };
  }
  if (found === undefined || found instanceof Error) {
    const details = found === undefined ? [] : [found.message];
    return { id, status: 'partial', reason: 'The large objects could not be read', details };
  }
  const differences =
    found.count !== recorded.count || found.bytes !== recorded.bytes
      ? [
          `${countOf(recorded.count, 'large object')} of ${countOf(recorded.bytes, 'byte')} in the backup, ${formatCount(found.count)} of ${countOf(found.bytes, 'byte')} in the restored database`,
        ]
      : found.digest === recorded.digest
        ? []
        : [
            `as many large objects and bytes as in the backup, but other content: ${recorded.digest} in the backup, ${found.digest} in the restored database`,
          ];
  return conclude(id, differences, {
    passed: `${shareOf(recorded.count, recorded.count, 'large object holds', 'large objects hold')} the bytes that were recorded`,
    failed: () => 'The large objects differ from what was recorded in the backup',
  });
}
