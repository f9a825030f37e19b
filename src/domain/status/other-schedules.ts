/** What a backup can say of drills and a drill of backups: from names of objects alone, which cost a listing. */
import { parseBackupId } from '../backup-id.ts';
import type { Finding } from '../findings.ts';
import { ageOf, hoursBetween } from '../time.ts';
import { formatAge } from '../words.ts';
import { SCHEDULE_ADVICE } from './ages.ts';
import { cadenceOf, missedTimes } from './cadence.ts';

/** Also what `max-drill-age-days` of a status is by default. */
export const MAX_DRILL_AGE_DAYS = 35;
/** Nobody is told of drills before there is something that is worth one. */
export const BACKUPS_BEFORE_DRILL = 7;

/**
 * For a backup run. @param lastDrill when the newest drill of the series began; absent when there never was one
 */
export function drillsSilent(series: string, lastDrill: Date | undefined, now: Date): Finding[] {
  if (lastDrill === undefined) {
    return [
      {
        code: 'never-drilled',
        severity: 'notice',
        seen: `No backup of ${series} was ever brought back by a drill`,
        action: 'Add the template restore-drill.yml: a backup that nobody ever restored is a hope.',
      },
    ];
  }
  if (hoursBetween(lastDrill, now) <= MAX_DRILL_AGE_DAYS * 24) return [];
  return [
    {
      code: 'drill-overdue',
      severity: 'warning',
      seen: `The last drill of ${series} was ${ageOf(lastDrill, now)} ago`,
      action: `Run it now. ${SCHEDULE_ADVICE}`,
    },
  ];
}

/** For a drill. @param ids of the sets of the series, finished or not, in any order */
export function backupsSilent(series: string, ids: readonly string[], now: Date): Finding[] {
  const runs = ids
    .flatMap((id) => parseBackupId(id) ?? [])
    .filter(({ at }) => at <= now)
    .sort((one, other) => one.at.getTime() - other.at.getTime())
    .map((each) => ({ ...each, keepForever: false }));
  const cadence = cadenceOf(runs, undefined);
  const last = cadence?.runs.at(-1);
  if (cadence === undefined || last === undefined) return [];
  if (!missedTimes(cadence, now).some((time) => time > last.at)) return [];
  return [
    {
      code: 'runs-missed',
      severity: 'warning',
      seen: `The newest backup of ${series} labelled ${last.label} is ${ageOf(last.at, now)} old, and they used to come every ${formatAge(cadence.hours * 3600)}`,
      action: `Take a backup. ${SCHEDULE_ADVICE}`,
    },
  ];
}
