/** How long recovering took in earlier drills, for the summary and the report of one. */
import type { DrillResult } from '../command.ts';
import type { TrendPoint } from '../domain/drill-record.ts';
import type { RecoveryVerdict } from '../domain/recovery.ts';
import { minuteOf } from '../domain/time.ts';
import { formatDuration } from '../domain/words.ts';
import type { Markdown } from './markdown.ts';

/** A year of monthly drills. */
const SHOWN = 12;
const BAR_CHARACTERS = 20;
/** Of the median of earlier drills: more is worth a word. */
const SLOWER = 1.5;

const SIGNS: Readonly<Record<RecoveryVerdict, string>> = {
  passed: '✅ passed',
  partial: '⚠️ partial',
  failed: '❌ failed',
};

/** Empty when there is nothing to compare with. */
export function trendSection(trend: DrillResult['trend'], md: Markdown): string[] {
  if (trend === undefined || trend.past.length === 0) return [];
  const { now, past } = trend;
  const earlier = past.toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1)).slice(1 - SHOWN);
  const points = [...earlier, now];
  const most = Math.max(...points.map(({ recoverySeconds = 0 }) => recoverySeconds));
  const rows = points.map(({ startedAt, backupId, verdict, recoverySeconds }) => [
    md.text(minuteOf(startedAt)),
    md.code(backupId),
    SIGNS[verdict],
    recoverySeconds === undefined ? '–' : formatDuration(recoverySeconds),
    recoverySeconds === undefined ? '' : bar(recoverySeconds, most),
  ]);
  return [
    '### Recovery time over drills',
    trendWords(now, earlier),
    md.table(['drill (UTC)', 'backup', 'verdict', 'time:', ''], rows),
  ];
}

function trendWords({ recoverySeconds }: TrendPoint, earlier: readonly TrendPoint[]): string {
  const passed = earlier.flatMap((point) => (point.verdict === 'passed' ? (point.recoverySeconds ?? []) : []));
  const usual = median(passed);
  if (usual === undefined || recoverySeconds === undefined) return 'No earlier drill that passed can be compared with.';
  const compared = `${formatDuration(usual)} was usual in ${passed.length === 1 ? 'the earlier drill' : `${passed.length} earlier drills`} that passed`;
  if (recoverySeconds <= usual * SLOWER || usual === 0) return `${compared}.`;
  return `${compared}; this one took **${(recoverySeconds / usual).toFixed(1)} times** as long.`;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)];
}

function bar(seconds: number, most: number): string {
  return most === 0 ? '' : '█'.repeat(Math.max(1, Math.round((seconds / most) * BAR_CHARACTERS)));
}
