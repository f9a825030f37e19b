/**
 * Sequences live outside snapshots: a dumped value is right when it lies between what was read before
 * the dump began and what was read after it had ended.
 */
import type { ArchivedSequence, ArchiveReport } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { CatalogFacts, SequenceFacts, SequenceState } from '../facts.ts';
import { displayName, relationKey } from '../relations.ts';
import type { Scope } from '../scope.ts';
import { countOf, shareOf } from '../words.ts';

type Judgement = { kind: 'right' } | { kind: 'wrong' | 'undecided'; why: string };

export function checkSequences(facts: CatalogFacts, archive: ArchiveReport, scope: Scope): Check {
  if (scope.content === 'schema') {
    return {
      id: 'sequences',
      status: 'passed',
      reason: 'The scope holds definitions alone, so no values',
      details: [],
    };
  }
  const archived = new Map(archive.sequences.map((sequence) => [relationKey(sequence), sequence]));
  const known = new Set(facts.sequences.map(relationKey));
  const judged = facts.sequences.map((sequence) => judge(sequence, archived.get(relationKey(sequence))));
  const extra = archive.sequences
    .filter((sequence) => !known.has(relationKey(sequence)))
    .map((sequence) => `${displayName(sequence)}: is in the archive but not in the snapshot's catalog`);
  const wrong = [...judged.flatMap((each) => (each.kind === 'wrong' ? [each.why] : [])), ...extra];
  const undecided = judged.flatMap((each) => (each.kind === 'undecided' ? [each.why] : []));
  if (wrong.length > 0) {
    return {
      id: 'sequences',
      status: 'failed',
      reason: `${countOf(wrong.length, 'sequence has', 'sequences have')} a value in the archive that the server did not have during the dump`,
      details: [...wrong, ...undecided],
    };
  }
  if (undecided.length > 0) {
    return {
      id: 'sequences',
      status: 'partial',
      reason: `${countOf(undecided.length, 'sequence')} moved in a way that leaves the dumped value undecided`,
      details: undecided,
    };
  }
  const all = facts.sequences.length;
  return {
    id: 'sequences',
    status: 'passed',
    reason: `${shareOf(all, all, 'sequence has a value that it', 'sequences have a value that they')} had during the dump`,
    details: [],
  };
}

function judge(sequence: SequenceFacts, dumped: ArchivedSequence | undefined): Judgement {
  const name = displayName(sequence);
  if (dumped === undefined) return { kind: 'wrong', why: `${name}: its value is missing from the archive` };
  const { before, after } = sequence;
  if (after === undefined) return { kind: 'undecided', why: `${name}: could not be read again after the dump` };
  const direction = BigInt(sequence.increment) < 0n ? -1n : 1n;
  const range = `${describe(before)} before, ${describe(dumped)} in the archive, ${describe(after)} after`;
  if (compare(before, after, direction) > 0) {
    const cause = sequence.cycles ? 'it cycles and began anew' : 'it was set back';
    return { kind: 'undecided', why: `${name}: ${cause} during the dump (${range})` };
  }
  const inside = compare(before, dumped, direction) <= 0 && compare(dumped, after, direction) <= 0;
  return inside ? { kind: 'right' } : { kind: 'wrong', why: `${name}: ${range}` };
}

/** Order along the sequence's own direction: a value that was not called yet comes before the same one called. */
function compare(left: SequenceState, right: SequenceState, direction: 1n | -1n): number {
  const difference = (BigInt(left.lastValue) - BigInt(right.lastValue)) * direction;
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return Number(left.isCalled) - Number(right.isCalled);
}

function describe(state: SequenceState): string {
  return state.isCalled ? state.lastValue : `${state.lastValue} (not called)`;
}
