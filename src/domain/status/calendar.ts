/** The last 30 days of a series, in UTC. */
import { HEALTH_VERDICTS } from '../check/model.ts';
import { DAY_MS, dayOf } from '../time.ts';
import { cadenceOf, missedTimes } from './cadence.ts';
import { hasEnded } from './failures.ts';
import type { DayState, StatusDay } from './model.ts';
import type { SeriesView } from './series-view.ts';

const DAYS = 30;

export function lastDays(view: SeriesView): StatusDay[] {
  const { now, backups, drills, checks, unfinished, limits } = view;
  const cadence = cadenceOf(backups, limits.expectedEveryHours);
  const missed = new Set((cadence === undefined ? [] : missedTimes(cadence, now)).map(dayOf));
  const broken = new Set(unfinished.filter((set) => hasEnded(set, now)).map(({ at }) => dayOf(at)));
  return Array.from({ length: DAYS }, (_, index): StatusDay => {
    const day = dayOf(new Date(now.getTime() - (DAYS - 1 - index) * DAY_MS));
    const own = backups.filter(({ at }) => dayOf(at) === day);
    const drill = drills.findLast(({ at }) => dayOf(at) === day)?.verdict;
    const verdicts = checks.filter(({ startedAt }) => startedAt.startsWith(day)).map(({ verdict }) => verdict);
    const check = HEALTH_VERDICTS.find((verdict) => verdicts.includes(verdict));
    const state: DayState = own.some(({ verdict }) => verdict === 'proven')
      ? 'proven'
      : own.length > 0 || broken.has(day)
        ? 'unproven'
        : missed.has(day)
          ? 'missed'
          : 'none';
    return {
      ...{ day, state, backups: own.length },
      ...(drill === undefined ? {} : { drill }),
      ...(check === undefined ? {} : { check }),
    };
  });
}
