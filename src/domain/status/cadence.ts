/** How often backups come, and which did not. */
import { isSafetyBackup } from '../selector.ts';
import { ageOf, hoursBetween } from '../time.ts';
import { formatAge } from '../words.ts';
import { SCHEDULE_ADVICE } from './ages.ts';
import type { SeriesRule } from './finding.ts';
import type { BackupPoint } from './model.ts';
import { median } from './series-view.ts';

/** The newest that are looked at: older ones are thinned out by pruning, which keeps a week of daily ones at the least. */
const NEWEST_LOOKED_AT = 8;
/** Gaps that there must be before they say anything. */
export const LEAST_GAPS = 3;
/** Of the time between two: schedules of GitHub slip by up to an hour, and a missed run leaves a gap of twice the time. */
export const LATE_FACTOR = 1.5;
const MOST_MISSED = 1_000;

/** What must be known of a backup to see how often they come. */
export type Run = Pick<BackupPoint, 'id' | 'at' | 'label' | 'keepForever'>;

export interface Cadence {
  /** As given or seen. */
  hours: number;
  given: boolean;
  /** The label that scheduled backups have; of a given one whatever there is. */
  runs: readonly Run[];
}

/**
 * `undefined` while too few are there to tell.
 * @param backups oldest first
 * @param expectedEveryHours where somebody said so
 */
export function cadenceOf(backups: readonly Run[], expectedEveryHours: number | undefined): Cadence | undefined {
  const runs = scheduledOf(backups);
  if (expectedEveryHours !== undefined) return { hours: expectedEveryHours, given: true, runs };
  const gaps = gapsOf(runs.slice(-NEWEST_LOOKED_AT));
  const hours = gaps.length < LEAST_GAPS ? undefined : median(gaps);
  // Two runs of one minute by mistake are no schedule.
  return hours === undefined || hours < 0.25 ? undefined : { hours, given: false, runs };
}

/** Of the label that most of the newest have; whoever takes one by hand does it when he likes. */
function scheduledOf(backups: readonly Run[]): Run[] {
  const own = backups.filter(({ id, keepForever }) => !isSafetyBackup(id) && !keepForever);
  const counts = new Map<string, number>();
  for (const { label } of own.slice(-2 * NEWEST_LOOKED_AT)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  const label = [...counts].findLast(([, count]) => count === most)?.[0];
  return own.filter((point) => point.label === label);
}

function gapsOf(runs: readonly Run[]): number[] {
  return runs.slice(1).map(({ at }, index) => hoursBetween((runs[index] as Run).at, at));
}

/**
 * When runs were expected and none came, oldest first. A gap counts only when three backups before it came in step:
 * farther back it is pruning that left the gaps.
 */
export function missedTimes({ hours, runs, given }: Cadence, now: Date): Date[] {
  const last = runs.at(-1);
  if (last === undefined) return [];
  const gaps = gapsOf(runs);
  const isRegular = (gap: number | undefined): boolean => gap !== undefined && gap <= hours * LATE_FACTOR;
  const inStep = gaps.findIndex((gap, index) => isRegular(gap) && isRegular(gaps[index + 1]));
  const watched = inStep < 0 ? [] : runs.slice(inStep);
  const missed = watched.slice(1).flatMap(({ at }, index) => between((watched[index] as Run).at, at, hours));
  return given || gaps.length >= LEAST_GAPS ? [...missed, ...between(last.at, now, hours)] : missed;
}

function between(from: Date, to: Date, hours: number): Date[] {
  const slack = hours * (LATE_FACTOR - 1);
  const times: Date[] = [];
  for (let after = hours; after + slack < hoursBetween(from, to) && times.length < MOST_MISSED; after += hours) {
    times.push(new Date(from.getTime() + after * 3_600_000));
  }
  return times;
}

/** Silence that lasts, alone: what was missed and followed by a backup is over. */
export const judgeRuns: SeriesRule = ({ name: series, now, backups, limits }) => {
  const cadence = cadenceOf(backups, limits.expectedEveryHours);
  const last = cadence?.runs.at(-1);
  if (cadence === undefined || last === undefined) return [];
  const missed = missedTimes(cadence, now).filter((time) => time > last.at);
  if (missed.length === 0) return [];
  const silence = ageOf(last.at, now);
  const every = `${cadence.given ? '`expected-every` says' : 'they used to come'} every ${formatAge(cadence.hours * 3600)}`;
  return [
    {
      code: 'runs-missed',
      level: 'warning',
      series,
      seen: `${missed.length === 1 ? 'A run' : `${missed.length} runs`} of ${series} did not come: the last backup labelled ${last.label} is ${silence} old, and ${every}`,
      action: `Look at the runs of the workflow: they failed before they stored anything, or there were none. ${SCHEDULE_ADVICE}`,
    },
  ];
};
