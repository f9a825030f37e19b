/** Whether backups are brought back often enough, and how that went. */
import { ageOf, hoursBetween } from '../time.ts';
import { formatDuration, shareOf } from '../words.ts';
import { SCHEDULE_ADVICE } from './ages.ts';
import type { SeriesRule } from './finding.ts';
import type { DrillPoint, StatusFinding } from './model.ts';
import { median, type SeriesView } from './series-view.ts';

const YEAR_HOURS = 365 * 24;
/** Of earlier drills that passed: a recovery that takes longer than so many times as long is worth a warning. */
export const SLOWER_TIMES = 2;
/** Seconds below which it is noise. */
export const SLOWER_LEAST_SECONDS = 60;
/** Earlier drills that there must be. */
const EARLIER_DRILLS = 3;

export const judgeDrills: SeriesRule = (view) => {
  const { name: series, good, drills } = view;
  // Of what is not proven none is needed: something worse is told already.
  if (good.length === 0 && drills.length === 0) return [];
  return [...overdue(view), ...failing(series, drills), ...slower(series, drills), ...record(view)];
};

function overdue({ name: series, drills, now, limits }: SeriesView): StatusFinding[] {
  const passed = drills.findLast(({ verdict }) => verdict === 'passed');
  if (drills.length === 0) {
    const seen = `No backup of ${series} was ever brought back by a drill`;
    return [{ code: 'never-drilled', level: 'warning', series, seen, action: setUpDrill }];
  }
  const last = drills.at(-1) as DrillPoint;
  if (passed === undefined) {
    if (last.verdict === 'failed') return [];
    const seen = `No drill of ${series} has passed yet: the last one could not decide everything`;
    return [{ code: 'drill-overdue', level: 'warning', series, seen, action: 'Read what it could not decide.' }];
  }
  if (hoursBetween(passed.at, now) <= limits.maxDrillAgeDays * 24) return [];
  const seen = `The last drill of ${series} that passed was ${ageOf(passed.at, now)} ago; \`max-drill-age-days\` allows ${limits.maxDrillAgeDays}`;
  const action = `Run the restore drill now. ${SCHEDULE_ADVICE}`;
  return [{ code: 'drill-overdue', level: 'warning', series, seen, action }];
}

const setUpDrill =
  'Add the template restore-drill.yml, or run it if it is there: a backup that nobody ever restored is a hope.';

function failing(series: string, drills: readonly DrillPoint[]): StatusFinding[] {
  const [last, before] = [drills.at(-1), drills.at(-2)];
  if (last?.verdict !== 'failed') return [];
  const action =
    'Read the report of that drill. Restore another backup by hand if you need one now: `backup: latest-restored`.';
  if (before?.verdict === 'failed') {
    const seen = `The last two drills of ${series} failed, the newest with ${last.backupId}`;
    return [{ code: 'drill-failed', level: 'critical', series, seen, action }];
  }
  const seen = `The last drill of ${series} failed, with ${last.backupId}`;
  return [{ code: 'drill-failed', level: 'warning', series, seen, action }];
}

function slower(series: string, drills: readonly DrillPoint[]): StatusFinding[] {
  const passed = drills.flatMap((drill) => (drill.verdict === 'passed' ? (drill.recoverySeconds ?? []) : []));
  const last = passed.at(-1);
  const earlier = passed.slice(0, -1);
  const usual = median(earlier);
  if (last === undefined || usual === undefined || earlier.length < EARLIER_DRILLS) return [];
  if (last <= usual * SLOWER_TIMES || last - usual < SLOWER_LEAST_SECONDS) return [];
  return [
    {
      code: 'recovery-slower',
      level: 'warning',
      series,
      seen: `The last drill of ${series} took ${formatDuration(last)} to recover; ${formatDuration(usual)} is usual`,
      action: 'Compare the phases in its report. Tell those who count on the old time.',
    },
  ];
}

function record(view: SeriesView): StatusFinding[] {
  const ofYear = drillsOfYear(view);
  if (ofYear.length === 0) return [];
  const passed = ofYear.filter(({ verdict }) => verdict === 'passed');
  const usual = median(passed.flatMap(({ recoverySeconds }) => recoverySeconds ?? []));
  const time = usual === undefined ? '' : `; recovering usually takes ${formatDuration(usual)}`;
  const seen = `${shareOf(passed.length, ofYear.length, 'drill')} of ${view.name} in the last year passed${time}`;
  return [{ code: 'drill-record', level: 'info', series: view.name, seen, action: '' }];
}

function drillsOfYear({ drills, now }: Pick<SeriesView, 'drills' | 'now'>): DrillPoint[] {
  return drills.filter(({ at }) => hoursBetween(at, now) <= YEAR_HOURS);
}

/** `undefined` without a drill in the last year. */
export function drillSuccessPercent(view: Pick<SeriesView, 'drills' | 'now'>): number | undefined {
  const ofYear = drillsOfYear(view);
  if (ofYear.length === 0) return undefined;
  return (ofYear.filter(({ verdict }) => verdict === 'passed').length / ofYear.length) * 100;
}

/**
 * Backups that can be opened by none of the keys to which a drilled one is encrypted. Which of several keys a drill used
 * is not known, so one in common is enough.
 */
export const judgeKeys: SeriesRule = ({ name: series, backups, drills, facts }) => {
  const opened = drills.filter(({ verdict }) => verdict !== 'failed');
  const drilled = new Set(opened.flatMap(({ backupId }) => facts.get(backupId)?.recipients ?? []));
  if (drilled.size === 0) return [];
  const strange = backups.filter(({ id }) => {
    const recipients = facts.get(id)?.recipients ?? [];
    return recipients.length > 0 && !recipients.some((recipient) => drilled.has(recipient));
  });
  const last = strange.at(-1);
  if (last === undefined) return [];
  return [
    {
      code: 'key-never-drilled',
      level: 'warning',
      series,
      seen: `${shareOf(strange.length, backups.length, 'backup')} of ${series} ${strange.length === 1 ? 'is' : 'are'} encrypted to keys alone that no drill has opened, the newest is ${last.id}`,
      action: `Run a drill with \`backup: ${last.id}\` and the key that belongs to it, or find that key while there is no hurry.`,
    },
  ];
};
