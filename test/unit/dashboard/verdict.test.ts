import { expect, test } from 'vitest';
import type { SeriesStatus, StatusReport } from '../../../src/domain/status/model.ts';
import { verdictOf } from '../../../src/report/dashboard/verdict.ts';
import { backupPoint, finding, NOW, reportOf, seriesOf } from '../../support/status-reports.ts';

const DAY_MS = 86_400_000;
const passed = { at: new Date(NOW.getTime() - 12 * DAY_MS), backupId: 'x', verdict: 'passed' as const };
const critical = { findings: [finding('critical', 'backup-too-old', { series: 'shop' })] };

const CASES: readonly [string, Parameters<typeof seriesOf>[1], string][] = [
  [
    'drilled',
    { drills: [passed] },
    'You could recover shop today: last proven backup 3 h ago, last brought back by a drill 12 days ago.',
  ],
  ['never drilled', {}, 'You could recover shop today: last proven backup 3 h ago, never brought back by a drill.'],
  [
    'the last drill failed',
    { drills: [passed, { ...passed, verdict: 'failed' }] },
    'You could recover shop today: last proven backup 3 h ago, but the last drill, 12 days ago, failed.',
  ],
  [
    'critical',
    critical,
    'It is not certain that you could recover shop today: last proven backup 3 h ago, never brought back by a drill.',
  ],
  [
    'never proven',
    { backups: [backupPoint({ verdict: 'unproven' })] },
    'You could not recover shop today: it has no proven backup.',
  ],
];

test.each(CASES)('one series, %s', (_, over, sentence) => {
  expect(verdictOf(reportOf({ series: [seriesOf('shop', over)] }))).toEqual({ sentence, more: [] });
});

function of(...series: readonly SeriesStatus[]): ReturnType<typeof verdictOf> {
  return verdictOf(reportOf({ series }));
}

test('several: all, some, none', () => {
  const good = (name: string): SeriesStatus => seriesOf(name, { drills: [passed] });
  const bad = (name: string): SeriesStatus => seriesOf(name, critical);
  expect(of(good('a'), good('b')).sentence).toBe(
    'You could recover all 2 today: their newest proven backups are at most 3 h old, the last drill of each has passed.',
  );
  expect(of(good('a'), seriesOf('b')).sentence).toMatch(/, 1 of them has a last drill that passed\.$/);
  expect(of(good('a'), bad('b'), seriesOf('c', { backups: [] }))).toEqual({
    sentence: '2 of 3 may not be recoverable today: b and c.',
    more: ['You could recover a.'],
  });
  expect(of(bad('a'), bad('b'), bad('c'), bad('d'), bad('e')).sentence).toBe(
    'It is not certain that you could recover anything today: a, b, c and 2 more.',
  );
});

test('never says that all is well when the storage as a whole is critical', () => {
  const report: StatusReport = reportOf({
    series: [seriesOf('shop')],
    findings: [finding('critical', 'destination-unread')],
  });
  expect(verdictOf(report).more).toEqual([
    'But something critical was found that is about the storage as a whole: see the findings.',
  ]);
});

test('a clock that lies makes no backup younger than now', () => {
  const tomorrow = new Date(NOW.getTime() + DAY_MS);
  expect(of(seriesOf('shop', { backups: [backupPoint({ at: tomorrow })] })).sentence).toContain('backup 0 ms ago');
});
