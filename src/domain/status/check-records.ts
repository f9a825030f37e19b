/** Which records of health checks count for a status: those of the last 30 days, each once. */
import type { CheckOutcome } from '../check/outcome.ts';
import type { RecordKey } from '../retention/inventory.ts';
import { CLOCK_TOLERANCE_MS } from '../retention.ts';
import { DAY_MS } from '../time.ts';

export const CHECKS_DAYS = 30;
/** One every quarter of an hour for a day, or one an hour for a month: more say nothing more. */
const MOST_READ = 750;

/** Which records are read: the newest of the last 30 days. */
export function recentChecks(records: readonly RecordKey[], now: Date): RecordKey[] {
  const after = now.getTime() - CHECKS_DAYS * DAY_MS;
  const recent = records.filter(({ at }) => at.getTime() > after);
  return recent.sort((one, other) => other.at.getTime() - one.at.getTime()).slice(0, MOST_READ);
}

/** Oldest first, each once, wherever its record lies. */
export function checksOf(all: readonly CheckOutcome[], now: Date): CheckOutcome[] {
  const once = new Map(all.map((check) => [check.startedAt, check]));
  return [...once.values()]
    .filter(({ startedAt }) => Date.parse(startedAt) - now.getTime() <= CLOCK_TOLERANCE_MS)
    .sort((one, other) => (one.startedAt < other.startedAt ? -1 : 1));
}
