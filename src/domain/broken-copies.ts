/**
 * Copies of a small backup, each broken in one way, and where a drill must notice it: what shows that its checks would
 * notice the same in the real one.
 */
import type { Check } from './checks.ts';
import type { Finding } from './findings.ts';
import { countOf } from './words.ts';

/** The stages of reading a backup, in the order in which a drill comes to them. */
export type ReadingStage = 'select' | 'contents' | 'fetch' | 'read' | 'compare';

export interface BrokenCopy {
  kind: BrokenKind;
  /** What was done to it. */
  words: string;
  /** Any of these must refuse it; one that comes too late does not count. */
  caughtBy: readonly ReadingStage[];
}

export type BrokenKind =
  | 'truncated'
  | 'flipped'
  | 'truncated-before'
  | 'flipped-before'
  | 'rows-lost'
  | 'older-set'
  | 'older-set-renamed';

export const BROKEN_COPIES: readonly BrokenCopy[] = [
  { kind: 'truncated', words: 'an archive cut short in storage', caughtBy: ['select', 'fetch'] },
  { kind: 'flipped', words: 'an archive with one bit flipped in storage', caughtBy: ['fetch'] },
  {
    kind: 'truncated-before',
    words: 'an archive cut short before its checksum was made',
    caughtBy: ['read', 'compare'],
  },
  {
    kind: 'flipped-before',
    words: 'an archive with one bit of a row flipped before its checksum was made',
    caughtBy: ['read', 'compare'],
  },
  { kind: 'rows-lost', words: 'an archive without the rows of one table', caughtBy: ['compare'] },
  { kind: 'older-set', words: 'an older backup presented as the newest', caughtBy: ['select'] },
  {
    kind: 'older-set-renamed',
    words: 'an older backup presented as the newest, its metadata.json rewritten',
    caughtBy: ['contents'],
  },
];

/** What reading one copy came to. `caught`: refused at this stage; `accepted`: read to its end as if it were whole. */
export type Rehearsed = { result: 'caught'; at: ReadingStage; why: string } | { result: 'accepted' };

export interface Rehearsal {
  /** Of the copy that is whole: without it, nothing that is caught means anything. */
  whole: Rehearsed;
  broken: readonly { copy: BrokenCopy; rehearsed: Rehearsed }[];
  /**
   * What stands between the alarm and those who should hear it: `alarm-impossible`, `alarm-unknown`, or `alarm-untested`
   * where it cannot be tried. Absent: nobody asked for one.
   */
  delivery?: readonly Finding[];
}

/** The check `alarm`. */
export function judgeRehearsal({ whole, broken, delivery = [] }: Rehearsal): Check {
  if (whole.result === 'caught') {
    return {
      id: 'alarm',
      status: 'failed',
      reason: 'A whole small copy was refused, so what the checks of this drill refuse means nothing',
      details: [`refused (${whole.at}): ${whole.why}`],
    };
  }
  const missed = broken.flatMap(({ copy, rehearsed }) => missedWords(copy, rehearsed));
  if (missed.length > 0) {
    return {
      id: 'alarm',
      status: 'failed',
      reason: `${countOf(missed.length, 'broken copy was', 'broken copies were')} NOT noticed: the checks of this drill cannot be relied on`,
      details: missed,
    };
  }
  const expected = BROKEN_COPIES.filter(({ kind }) => !broken.some(({ copy }) => copy.kind === kind));
  if (expected.length > 0) return notRehearsed(`not tried: ${expected.map(({ words }) => words).join('; ')}`);
  const caught = `Each of ${broken.length} broken copies was noticed`;
  const details = delivery.map(({ seen, action }) => `${seen} ${action}`.trim());
  const has = (wanted: string): boolean => delivery.some(({ code }) => code === wanted);
  if (has('alarm-impossible')) {
    return { id: 'alarm', status: 'failed', reason: `${caught}, but the alarm would not reach everybody`, details };
  }
  if (has('alarm-unknown')) {
    const reason = `${caught}; whether the alarm would reach everybody is not known`;
    return { id: 'alarm', status: 'partial', reason, details };
  }
  const untested = has('alarm-untested') ? '; not every channel can be tried without a message' : '';
  return { id: 'alarm', status: 'passed', reason: `${caught}${untested}`, details };
}

/** The copies could not even be made. */
export function notRehearsed(why: string): Check {
  const reason = 'No broken copies could be made, so nobody knows whether they would be noticed';
  return { id: 'alarm', status: 'not-run', reason, details: [why] };
}

function missedWords({ words, caughtBy }: BrokenCopy, rehearsed: Rehearsed): string[] {
  if (rehearsed.result === 'accepted') return [`${words}: was taken for whole`];
  if (caughtBy.includes(rehearsed.at)) return [];
  return [
    `${words}: was noticed only at the stage ${rehearsed.at} (${rehearsed.why}), not at ${caughtBy.join(' or ')}`,
  ];
}
