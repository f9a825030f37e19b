/** Whether there is something good, and whether it is young enough. */
import { ageOf, hoursBetween } from '../time.ts';
import { countOf, listWords } from '../words.ts';
import type { SeriesRule } from './finding.ts';
import type { StatusFinding } from './model.ts';
import { newestGood, type SeriesView } from './series-view.ts';

/** Before `max-age-hours` is over: 26 hours are warned of from 24 on. */
const WARN_HOURS_BEFORE = 2;
/** Of `max-age-hours`, where that is shorter: hourly backups are not warned of all the time. */
const WARN_SHARE_BEFORE = 0.25;
/** Finished sets in a row. A policy of `keep-last` or a lifecycle rule leaves about as many. */
export const UNPROVEN_IN_A_ROW = 5;

/** From this age on there is a warning. */
export function warnAgeHours(maxAgeHours: number): number {
  return maxAgeHours - Math.min(WARN_HOURS_BEFORE, maxAgeHours * WARN_SHARE_BEFORE);
}

export const judgeAge: SeriesRule = (view) => {
  const { name: series, now, limits } = view;
  const newest = newestGood(view);
  if (newest === undefined) return [nothingGood(view)];
  const hours = hoursBetween(newest.at, now);
  const age = ageOf(newest.at, now);
  const old = {
    code: 'backup-too-old',
    series,
    seen: `The newest proven backup of ${series} is ${age} old: ${newest.id}`,
  };
  if (hours > limits.maxAgeHours) {
    return [
      {
        ...old,
        level: 'critical',
        seen: `${old.seen}; \`max-age-hours\` allows ${limits.maxAgeHours}`,
        action: `Take a backup now. ${SCHEDULE_ADVICE}`,
      },
    ];
  }
  if (hours < warnAgeHours(limits.maxAgeHours)) return [];
  return [
    {
      ...old,
      level: 'warning',
      seen: `${old.seen}; \`max-age-hours\` is ${limits.maxAgeHours}`,
      action: `Look whether a backup is under way. ${SCHEDULE_ADVICE}`,
    },
  ];
};

/** What cannot be judged is there all the same, and may be whole. */
function nothingGood({ name: series, places, backups, unfinished, fromTheFuture }: SeriesView): StatusFinding {
  const unjudged = [...places.flatMap(({ part }) => part.unreadable.map(({ id }) => id)), ...fromTheFuture];
  const count = new Set(unjudged).size;
  if (backups.length + unfinished.length + count === 0) {
    return {
      code: 'series-missing',
      level: 'critical',
      series,
      seen: `There is no backup of ${series} at all in ${places.map(({ destination }) => destination.location).join(' and in ')}`,
      action: 'Look whether its backup workflow exists, runs, and writes to this storage under this name.',
    };
  }
  const proven = `No backup of ${series} is ${count === 0 ? 'proven' : 'known to be proven'}, of ${countOf(backups.length, 'that is', 'that are')} finished`;
  return {
    code: 'nothing-proven',
    level: 'critical',
    series,
    seen: count === 0 ? proven : `${proven} and ${count} that cannot be judged`,
    action:
      count === 0
        ? 'Take a backup now and read why its checks do not pass.'
        : 'Read the other findings of this series first: they say why, and the backups may be whole. Take one now as well.',
  };
}

/** A schedule that is turned off sends no mail that anybody reads. */
export const SCHEDULE_ADVICE =
  'Look under Actions whether the workflow is enabled and ran: GitHub turns the schedule of a workflow off after 60 days without activity in a public repository, and when its last author left. "Enable workflow" turns it on again.';

/** What a policy or a lifecycle rule that counts backups would leave. */
export const judgeRetention: SeriesRule = ({ name: series, backups, good }) => {
  const newest = backups.slice(-UNPROVEN_IN_A_ROW);
  if (newest.length < UNPROVEN_IN_A_ROW || newest.some((point) => good.includes(point))) return [];
  const [last] = good;
  if (last === undefined) return [];
  return [
    {
      code: 'proven-running-out',
      level: 'warning',
      series,
      seen: `The newest ${UNPROVEN_IN_A_ROW} backups of ${series} are all unproven; the newest proven one is ${last.id}`,
      action: `Find out why backups are not proven. \`command: prune\` never removes that one, but a lifecycle rule or somebody who deletes by age does: check both, or take it again with \`keep-forever\`.`,
    },
  ];
};

export const judgeClock: SeriesRule = ({ name: series, fromTheFuture }) =>
  fromTheFuture.length === 0
    ? []
    : [
        {
          code: 'from-the-future',
          level: 'warning',
          series,
          seen: `${listWords(fromTheFuture, { most: 3 })} of ${series} ${fromTheFuture.length === 1 ? 'says that it was' : 'say that they were'} taken later than now, and ${fromTheFuture.length === 1 ? 'counts' : 'count'} for nothing`,
          action: 'Compare the clocks of this runner and of the database server with the true time.',
        },
      ];
