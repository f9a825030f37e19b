/** What the whole page says, in one sentence for somebody who was woken up. */
import type { SeriesStatus, StatusReport } from '../../domain/status/model.ts';
import { ageAt, listed } from './words.ts';

export interface Verdict {
  sentence: string;
  /** More sentences, where one is not all. */
  more: readonly string[];
}

/** Plain text. Nothing is called recoverable that has no proven backup or anything critical against it. */
export function verdictOf(report: StatusReport): Verdict {
  const { series, now } = report;
  const more = report.level === 'critical' && series.every(isRecoverable) ? [STORAGE_IS_CRITICAL] : [];
  const [only] = series;
  if (only === undefined) return { sentence: 'Nothing could be recovered today: no backup is here.', more: [] };
  if (series.length === 1) return { sentence: ofOne(only, now), more };
  const bad = series.filter((each) => !isRecoverable(each));
  if (bad.length === 0) return { sentence: ofAll(series, now), more };
  const sentence =
    bad.length === series.length
      ? `It is not certain that you could recover anything today: ${listed(bad.map(({ name }) => name))}.`
      : `${bad.length} of ${series.length} may not be recoverable today: ${listed(bad.map(({ name }) => name))}.`;
  const good = series.filter(isRecoverable);
  return {
    sentence,
    more: good.length === 0 ? [] : [`You could recover ${listed(good.map(({ name }) => name))}.`],
  };
}

const STORAGE_IS_CRITICAL = 'But something critical was found that is about the storage as a whole: see the findings.';

export function isRecoverable({ level, newestProven }: SeriesStatus): boolean {
  return level !== 'critical' && newestProven !== undefined;
}

function ofOne(series: SeriesStatus, now: Date): string {
  const { name, newestProven } = series;
  if (newestProven === undefined) return `You could not recover ${name} today: it has no proven backup.`;
  const facts = `last proven backup ${ageAt(now, newestProven.at)} ago, ${drilledWords(series, now)}`;
  return isRecoverable(series)
    ? `You could recover ${name} today: ${facts}.`
    : `It is not certain that you could recover ${name} today: ${facts}.`;
}

function drilledWords({ lastDrill, newestRestored }: SeriesStatus, now: Date): string {
  if (lastDrill !== undefined && lastDrill.verdict !== 'passed') {
    const judged = lastDrill.verdict === 'failed' ? 'failed' : 'was partial';
    return `but the last drill, ${ageAt(now, lastDrill.at)} ago, ${judged}`;
  }
  if (lastDrill !== undefined) return `last brought back by a drill ${ageAt(now, lastDrill.at)} ago`;
  return newestRestored === undefined ? 'never brought back by a drill' : 'brought back by a drill before';
}

function ofAll(series: readonly SeriesStatus[], now: Date): string {
  const proven = series.flatMap(({ newestProven }) => newestProven?.at ?? []);
  const oldest = new Date(Math.min(...proven.map((at) => at.getTime())));
  const drilled = series.filter(({ lastDrill }) => lastDrill?.verdict === 'passed').length;
  const drills =
    drilled === series.length
      ? 'the last drill of each has passed'
      : `${drilled === 0 ? 'none' : drilled} of them ${drilled > 1 ? 'have' : 'has'} a last drill that passed`;
  return `You could recover all ${series.length} today: their newest proven backups are at most ${ageAt(now, oldest)} old, ${drills}.`;
}
