/** Which sets are read again today: each has a day of its own, and what missed its day is read by the next run. */
import { createHash } from 'node:crypto';
import { DAY_MS } from '../time.ts';

/** What is remembered of reading a set again. */
export interface LastReading {
  /** Number of its day since 1970, in UTC. Of a set that was never read: the day before it was first seen. */
  day: number;
  /** It was not what was stored. */
  damaged: boolean;
}

/** Of a set that nothing is remembered of: days before this one are not owed, or a bucket would be read whole at once. */
export function firstSeen(now: Date): LastReading {
  return { day: dayNumberOf(now) - 1, damaged: false };
}

export function readToday(now: Date, damaged: boolean): LastReading {
  return { day: dayNumberOf(now), damaged };
}

/**
 * On its day, which comes once in so many; when its day has come since it was read last, so that at the latest after
 * so many days the next run reads it; and for as long as it is damaged.
 *
 * @param days `verify-stored-days`
 * @param last absent: nothing is remembered, and its day alone decides
 */
export function isDueToday(id: string, days: number, now: Date, last?: LastReading): boolean {
  const today = dayNumberOf(now);
  const slot = createHash('sha256').update(id).digest().readUInt32BE() % days;
  const daysSince = ((today % days) - slot + days) % days;
  return daysSince === 0 || (last !== undefined && (last.damaged || last.day < today - daysSince));
}

/** Nothing is remembered of it, and it is too old for its upload to stand for a reading. */
export function isLastReadingUnknown(takenAt: string, days: number, now: Date, last?: LastReading): boolean {
  return last === undefined && now.getTime() - Date.parse(takenAt) > days * DAY_MS;
}

function dayNumberOf(at: Date): number {
  return Math.floor(at.getTime() / DAY_MS);
}
