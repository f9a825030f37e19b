/** Which backups and drills the pictures show: all of them, or so few that the page stays small. */
import type { BackupPoint, DrillPoint, SeriesStatus } from '../../domain/status/model.ts';
import { median } from '../../domain/status/series-view.ts';
import { dayOf } from '../../domain/time.ts';
import { countOf } from '../../domain/words.ts';

/** A year of days. */
const MOST_POINTS = 366;
const FEWEST_POINTS = 24;
/** Of all series together: 230 bytes each. */
const POINTS_OF_PAGE = 2_000;
/** Five years of monthly drills, and one. */
const MOST_DRILLS = 60;
const FEWEST_DRILLS = 12;
/** Of all series together: 320 bytes each. */
const DRILLS_OF_PAGE = 600;

/** One backup, or the medians of a day. */
export interface TrendPoint {
  at: Date;
  plainBytes: number;
  storedBytes: number;
  seconds: number;
  rows: number;
}

export interface Trend {
  points: readonly TrendPoint[];
  drills: readonly DrillPoint[];
  /** What was drawn, and what was not: one sentence. */
  words: string;
}

/** Only proven backups are drawn: how large one is that was cut short says nothing. */
export function trendOf({ backups, drills }: SeriesStatus, seriesShown: number): Trend {
  const most = share(POINTS_OF_PAGE, seriesShown, FEWEST_POINTS, MOST_POINTS);
  const mostDrills = share(DRILLS_OF_PAGE, seriesShown, FEWEST_DRILLS, MOST_DRILLS);
  const proven = backups.filter(({ verdict }) => verdict === 'proven');
  const whole = proven.filter((backup) => backup.whole);
  const drawn = whole.length === 0 ? proven : whole;
  const days = drawn.length > most ? mediansOfDays(drawn) : drawn;
  const points = days.slice(-most);
  const what =
    whole.length > 0 && whole.length < proven.length ? 'proven backups of the whole database' : 'proven backups';
  return { points, drills: drills.slice(-mostDrills), words: wordsFor(what, drawn, days, points) };
}

function share(all: number, series: number, fewest: number, most: number): number {
  return Math.max(fewest, Math.min(most, Math.floor(all / series)));
}

function wordsFor(
  what: string,
  drawn: readonly BackupPoint[],
  days: readonly TrendPoint[],
  points: readonly TrendPoint[],
): string {
  if (drawn.length === 0) return 'No proven backup is there to be drawn.';
  if (days === drawn)
    return `Drawn: all ${countOf(drawn.length, what.replace(/s\b/, ''), what)}; percentages are against the first of them.`;
  const cut =
    days.length > points.length
      ? `the last ${points.length} of ${countOf(days.length, 'day')} that have any`
      : countOf(days.length, 'day');
  return `Drawn: the median of each day, of ${countOf(drawn.length, what, what)}; ${cut}; percentages are against the first of them.`;
}

function mediansOfDays(backups: readonly BackupPoint[]): TrendPoint[] {
  const days = new Map<string, BackupPoint[]>();
  for (const backup of backups) {
    const day = dayOf(backup.at);
    const others = days.get(day);
    if (others === undefined) days.set(day, [backup]);
    else others.push(backup);
  }
  return Array.from(days, ([day, all]) => ({
    at: new Date(`${day}T12:00:00Z`),
    plainBytes: median(all.map(({ plainBytes }) => plainBytes)) ?? 0,
    storedBytes: median(all.map(({ storedBytes }) => storedBytes)) ?? 0,
    seconds: median(all.map(({ seconds }) => seconds)) ?? 0,
    rows: Math.round(median(all.map(({ rows }) => rows)) ?? 0),
  }));
}
