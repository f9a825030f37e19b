/** How the health checks of a database went: the last one, and those of the last 30 days. */
import { ageOf } from '../time.ts';
import { listWords, shareOf } from '../words.ts';
import { CHECKS_DAYS } from './check-records.ts';
import type { SeriesRule } from './finding.ts';
import type { HealthHistory, StatusFinding } from './model.ts';
import type { SeriesView } from './series-view.ts';

const NAMED = 5;

/** `undefined` without any. */
export function healthOf({ checks }: Pick<SeriesView, 'checks'>): HealthHistory | undefined {
  const last = checks.at(-1);
  if (last === undefined) return undefined;
  return {
    last: { at: new Date(last.startedAt), verdict: last.verdict, failed: last.failed },
    checks: checks.length,
    failed: checks.filter(({ verdict }) => verdict === 'failed').length,
    reached: checks.filter(({ reached }) => reached).length,
  };
}

export const judgeChecks: SeriesRule = (view) => {
  const { name: series, now, places } = view;
  const doubts = places
    .flatMap(({ part }) => part.doubtfulChecks)
    .map((seen): StatusFinding => {
      const action = 'Grant s3:GetObject below `_checks/`, or look who wrote there.';
      return { code: 'check-record-unreadable', level: 'info', series, seen, action };
    });
  const health = healthOf(view);
  if (health === undefined) return doubts;
  const { last, checks, failed, reached } = health;
  const percent = (part: number): string => `${Math.floor((part / checks) * 1000) / 10} %`;
  const record: StatusFinding = {
    code: 'check-record',
    level: 'info',
    series,
    seen: `The database of ${series} answered ${shareOf(reached, checks, 'health check')} in the last ${CHECKS_DAYS} days (${percent(reached)}); ${checks - failed} did not fail (${percent(checks - failed)})`,
    action: '',
  };
  if (last.verdict !== 'failed') return [...doubts, record];
  const age = ageOf(last.at, now);
  const what: StatusFinding = {
    code: 'check-failed',
    level: 'warning',
    series,
    seen: `The last health check of the database of ${series}, ${age} ago, failed: ${listWords(last.failed, { most: NAMED })}`,
    action: 'Read its report, or run `command: check` again. The next one that does not fail ends this.',
  };
  return [...doubts, what, record];
};
