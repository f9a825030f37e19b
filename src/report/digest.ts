/** What a week or a month of backups came to, for those who hear of the alarm: from what `status` knows. Pure. */
import type { Digest } from '../domain/notify.ts';
import type { BackupPoint, DrillPoint, SeriesStatus, StatusFinding, StatusReport } from '../domain/status/model.ts';
import { ageOf, DAY_MS, dayOf } from '../domain/time.ts';
import { countOf, fewOf, formatBytes, formatDuration, shareOf } from '../domain/words.ts';
import { sentence } from './failure-words.ts';
import type { Notice, NoticeSubject } from './notice.ts';
import { storageFacts } from './status-words.ts';

const DAYS: Readonly<Record<Digest, number>> = { weekly: 7, monthly: 30 };
/** Of each kind; the rest is in the job summary. */
const NAMED_SERIES = 40;
const NAMED_FINDINGS = 10;

export function digestNotice(
  report: StatusReport,
  digest: Digest,
  about: NoticeSubject,
  redact: (text: string) => string,
): Notice {
  const { level, series, findings, storage } = report;
  const bad = series.filter((each) => each.level !== 'info').length;
  const state =
    bad === 0
      ? 'all is well'
      : `${shareOf(bad, series.length, 'series', 'series')} ${bad === 1 ? 'needs' : 'need'} somebody`;
  const wrong = findings.filter((finding) => finding.level !== 'info');
  return {
    kind: 'digest',
    ...(level === 'info' ? {} : { level }),
    title: redact(`Backups of the last ${DAYS[digest]} days: ${state}`),
    sections: {
      happened: redact(seriesLines(report, digest).join('\n')),
      ...(wrong.length === 0 ? {} : { action: redact(findingLines(wrong).join('\n')) }),
      details: redact([`${formatBytes(storage.bytes)} stored`, ...storageFacts(storage)].join(', ')),
    },
    reason: `a ${digest} digest was asked for`,
    about,
  };
}

function seriesLines({ series, now }: StatusReport, digest: Digest): string[] {
  const since = now.getTime() - DAYS[digest] * DAY_MS;
  const lines = series.map((each) => `${each.name}: ${seriesWords(each, since, now)}`);
  return fewOf(lines, NAMED_SERIES, 'in the job summary');
}

function seriesWords(series: SeriesStatus, since: number, now: Date): string {
  const backups = series.backups.filter(({ at }) => at.getTime() >= since);
  const drills = series.drills.filter(({ at }) => at.getTime() >= since);
  const proven = backups.filter(({ verdict }) => verdict === 'proven').length;
  const { newestProven } = series;
  const newest =
    newestProven === undefined
      ? 'NO proven backup at all'
      : `the newest proven one is ${ageOf(newestProven.at, now)} old`;
  return [
    `${countOf(backups.length, 'backup')}, ${proven} proven; ${newest}`,
    ...sizeWords(series.backups, backups),
    ...drillWords(drills, series),
  ].join('; ');
}

/** Growth against the last one before the time that is looked at, else the first one in it. */
function sizeWords(all: readonly BackupPoint[], recent: readonly BackupPoint[]): string[] {
  const last = recent.at(-1);
  if (last === undefined) return [];
  const first = all[all.length - recent.length - 1] ?? recent[0];
  const percent = first === undefined || first.plainBytes === 0 ? 0 : (last.plainBytes / first.plainBytes - 1) * 100;
  const growth = Math.abs(percent) < 0.5 ? '' : ` (${percent > 0 ? '+' : ''}${percent.toFixed(0)} %)`;
  return [`${formatBytes(last.plainBytes)}${growth}, taken in ${formatDuration(last.seconds)}`];
}

function drillWords(recent: readonly DrillPoint[], { lastDrill, drillSuccessPercent }: SeriesStatus): string[] {
  if (lastDrill === undefined) return ['never drilled'];
  const { verdict, recoverySeconds, at } = lastDrill;
  const rto = recoverySeconds === undefined ? '' : `, RTO ${formatDuration(recoverySeconds)}`;
  const rate =
    drillSuccessPercent === undefined ? '' : `, ${drillSuccessPercent.toFixed(0)} % of the last year's passed`;
  return [`${countOf(recent.length, 'drill')}, the last one ${verdict} on ${dayOf(at)}${rto}${rate}`];
}

function findingLines(findings: readonly StatusFinding[]): string[] {
  const lines = findings.map(({ level, series, seen, action }) =>
    [`${level === 'critical' ? 'CRITICAL: ' : ''}${series === undefined ? '' : `${series}: `}${seen}`, action]
      .filter((part) => part !== '')
      .map(sentence)
      .join(' '),
  );
  return fewOf(lines, NAMED_FINDINGS, 'in the job summary');
}
