/** What a status says when it is red, and which backup is the one to trust. */
import { createHash } from 'node:crypto';
import type { RunNews, StatusResult } from '../command.ts';
import { setFolder } from '../domain/set-layout.ts';
import { isAtLeast } from '../domain/status/finding.ts';
import type { BackupPoint, Level, SeriesStatus, StatusFinding, StatusReport } from '../domain/status/model.ts';
import { ageOf } from '../domain/time.ts';
import { countOf, fewOf, formatBytes } from '../domain/words.ts';
import { type FailureWords, titled } from './failure-words.ts';

/** The summary has all of them. */
const PROBLEMS_NAMED = 20;
const ACTIONS_NAMED = 3;
const SERIES_NAMED = 10;
const MAX_CONDITION = 150;

const OUTCOMES: Readonly<Record<Exclude<Level, 'info'>, string>> = {
  critical: 'is critical',
  warning: 'has warnings',
};

/** Why a status fails; `undefined` when nothing is as bad as `fail-on` says. */
export function describeUnwell({ name, report, failOn }: StatusResult): FailureWords | undefined {
  const { level } = report;
  if (failOn === 'never' || level === 'info' || !isAtLeast(level, failOn)) return undefined;
  const grave = report.findings.filter((finding) => isAtLeast(finding.level, failOn));
  const [worst] = grave as [StatusFinding, ...StatusFinding[]];
  const problems = grave.map((finding) => `${finding.level}: ${finding.seen}`);
  return {
    ...titled({ command: 'status', code: 'ERR_STATUS', outcome: OUTCOMES[level] }, name),
    level,
    condition: conditionOf(grave),
    happened: grave.length === 1 ? worst.seen : `${grave.length} things are wrong`,
    problems: grave.length === 1 ? [] : fewOf(problems, PROBLEMS_NAMED, 'in the job summary'),
    causes: [],
    safety: safetyOf(report),
    action: [...new Set(grave.map(({ action }) => action))].slice(0, ACTIONS_NAMED).join(' '),
    toType: [],
  };
}

/** What tells one state of things from another, whatever the sentences about it say this time. */
function conditionOf(findings: readonly StatusFinding[]): string {
  const seen = findings.map(({ code, series }) => (series === undefined ? code : `${code}:${series}`));
  const all = [...new Set(seen)].sort().join('+');
  return all.length <= MAX_CONDITION ? all : `many:${createHash('sha256').update(all).digest('hex').slice(0, 16)}`;
}

/** Of each series what could be restored now. */
function safetyOf({ series, now }: StatusReport): string {
  const known = series.slice(0, SERIES_NAMED).map((each) => safetyOfSeries(each, now));
  const more = series.length - known.length;
  return [
    'Nothing was written or removed.',
    ...known,
    ...(more > 0 ? [`${countOf(more, 'other series', 'other series')} are in the job summary.`] : []),
  ].join(' ');
}

function safetyOfSeries({ name, newestProven, newestRestored }: SeriesStatus, now: Date): string {
  if (newestProven === undefined) return `Of ${name} there is no proven backup.`;
  const proven = `The newest proven backup of ${name} is ${ageOf(newestProven.at, now)} old: ${uriOf(name, newestProven)}`;
  if (newestRestored === undefined) return `${proven}; none was brought back by a drill yet.`;
  if (newestRestored.id === newestProven.id) return `${proven}; a drill has brought it back.`;
  return `${proven}; the newest that a drill has brought back is ${newestRestored.id}, ${ageOf(newestRestored.at, now)} old.`;
}

/** Its folder at the first destination that holds it whole. */
export function uriOf(series: string, { id, locations: [location] }: BackupPoint): string {
  return `${location}/${setFolder(series, id)}`;
}

/** How full the storage is, and when it will be, as far as that is known. */
export function storageFacts({ bytes, budgetBytes, bytesPerDay, fullInDays }: StatusReport['storage']): string[] {
  return [
    ...(budgetBytes === undefined
      ? []
      : [`${Math.floor((bytes / budgetBytes) * 100)} % of ${formatBytes(budgetBytes)} used`]),
    ...(bytesPerDay === undefined ? [] : [`${bytesPerDay < 0 ? '-' : '+'}${formatBytes(Math.abs(bytesPerDay))} a day`]),
    ...(fullInDays === undefined ? [] : [`full in ${countOf(Math.floor(fullInDays), 'day')}`]),
  ];
}

/** The newest proven backup of all series that were looked at. */
export function newestOf({ series }: StatusReport): { id: string; uri: string; at: Date } | undefined {
  const all = series.flatMap(({ name, newestProven: point }) =>
    point === undefined ? [] : [{ id: point.id, uri: uriOf(name, point), at: point.at }],
  );
  return all.toSorted((one, other) => other.at.getTime() - one.at.getTime())[0];
}

/** For an alarm, which has room for one: of the series that the worst finding is about, else the newest of all. */
export function lastGoodOf(report: StatusReport): Pick<RunNews, 'lastGood'> {
  const [worst] = report.findings;
  const own = report.series.filter(({ name }) => name === worst?.series);
  const newest = newestOf(own.length === 0 ? report : { ...report, series: own });
  if (newest === undefined) return { lastGood: { known: 'none' } };
  return { lastGood: { known: 'found', id: newest.id, snapshotAt: newest.at.toISOString(), uri: newest.uri } };
}
