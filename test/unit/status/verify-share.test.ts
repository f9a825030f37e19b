/** When stored bytes are read again: by what is remembered of runs that come daily, weekly or now and then. */
import { describe, expect, test } from 'vitest';
import {
  firstSeen,
  isDueToday,
  isLastReadingUnknown,
  type LastReading,
  readToday,
} from '../../../src/domain/status/verify-share.ts';
import { hoursAgo, NOW, nightly } from '../../support/status-facts.ts';

const IDS = nightly(200).map(({ facts: { id } }) => id);
/** Hours after the first run. */
const every = (hours: number, runs: number): number[] => Array.from({ length: runs }, (_, run) => run * hours);
const DAILY = 24;
const WEEKLY = 7 * 24;

interface Runs {
  days: number;
  ids?: readonly string[];
  /** Numbers of runs that find no memory. */
  lost?: (run: number) => boolean;
}

/** What each run reads. */
function readBy(hours: readonly number[], { days, ids = IDS, lost = () => false }: Runs): string[][] {
  const memory = new Map<string, LastReading>();
  return hours.map((hour, run) => {
    if (lost(run)) memory.clear();
    const now = hoursAgo(-hour);
    const due = ids.filter((id) => isDueToday(id, days, now, memory.get(id)));
    for (const id of ids) if (!memory.has(id)) memory.set(id, firstSeen(now));
    for (const id of due) memory.set(id, readToday(now, false));
    return due;
  });
}

/** The longest span without a reading in days, from the first run to the last one. */
function longestSpan(hours: readonly number[], runs: Runs): number {
  const read = readBy(hours, runs);
  const spans = (runs.ids ?? IDS).map((id) => {
    const at = [0, ...hours.filter((_, run) => read[run]?.includes(id)), hours.at(-1) as number];
    return Math.max(...at.slice(1).map((hour, index) => hour - (at[index] as number)));
  });
  return Math.max(...spans) / 24;
}

describe('The share of stored bytes that is read again today', () => {
  test('by daily runs is another each day, and in so many days all of it, remembered or not', () => {
    for (const lost of [() => true, () => false]) {
      const read = readBy(every(DAILY, 14), { days: 7, lost });
      expect(read.slice(0, 7).flat().sort()).toEqual([...IDS].sort());
      expect(read.slice(7)).toEqual(read.slice(0, 7));
      for (const share of read) expect(share.length).toBeGreaterThan(5);
    }
    expect(readBy([0], { days: 1 })).toEqual([IDS]);
  });

  test('by two runs a day is the same for both', () => {
    const [morning, evening, next] = readBy([-11, 0, 13], { days: 7 });
    expect(evening).toEqual(morning);
    expect(next).not.toEqual(morning);
  });

  test('by weekly runs within 7 days is all of it from the second run on', () => {
    const [first, ...later] = readBy(every(WEEKLY, 4), { days: 7 });
    expect(first?.length).toBeLessThan(IDS.length / 3);
    expect(later).toEqual([IDS, IDS, IDS]);
  });

  test('by weekly runs within 30 days is all that had its day since the last run, and never much at once', () => {
    const weekly = every(WEEKLY, 30);
    expect(longestSpan(weekly, { days: 30 })).toBeLessThanOrEqual(30 + 6);
    for (const share of readBy(weekly, { days: 30 })) expect(share.length).toBeLessThan(IDS.length / 2);
  });

  test('by a run that comes after a pause is what had its day meanwhile', () => {
    const daily = readBy(every(DAILY, 6), { days: 7 });
    const paused = readBy([0, 24, 5 * 24], { days: 7 });
    expect(paused.at(-1)?.toSorted()).toEqual(daily.slice(2).flat().sort());
    expect(readBy([0, 24 * 40], { days: 30 }).at(-1)).toEqual(IDS);
  });

  test('after a lost memory begins again with those whose day it is', () => {
    const read = readBy(every(WEEKLY, 5), { days: 7, lost: (run) => run === 2 });
    expect(read.map(({ length }) => length === IDS.length)).toEqual([false, true, false, true, true]);
    const forgetful = readBy(every(WEEKLY, 5), { days: 7, lost: () => true });
    expect(new Set(forgetful.flat()).size).toBeLessThan(IDS.length / 3);
  });

  test('has a new set in it within so many days of the run that saw it first, and not before its day', () => {
    for (const id of IDS.slice(0, 20)) {
      const seen = firstSeen(NOW);
      const days = every(DAILY, 7).map((hour) => isDueToday(id, 7, hoursAgo(-hour), seen));
      expect(days[0]).toBe(isDueToday(id, 7, NOW));
      expect(days.indexOf(true)).toBeGreaterThanOrEqual(0);
      expect(days.slice(days.indexOf(true)).every(Boolean), 'until it is read').toBe(true);
    }
  });

  test('has a damaged set in it every day until it is whole', () => {
    for (const id of IDS.slice(0, 20)) expect(isDueToday(id, 30, NOW, readToday(hoursAgo(24), true))).toBe(true);
  });
});

test('Of a set that nothing is remembered of the last reading is not known, unless it is young', () => {
  expect(isLastReadingUnknown(hoursAgo(8 * 24).toISOString(), 7, NOW)).toBe(true);
  expect(isLastReadingUnknown(hoursAgo(6 * 24).toISOString(), 7, NOW)).toBe(false);
  expect(isLastReadingUnknown(hoursAgo(8 * 24).toISOString(), 7, NOW, firstSeen(hoursAgo(24)))).toBe(false);
});
