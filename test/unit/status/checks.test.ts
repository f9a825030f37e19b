/** Health checks as a status sees them: the last one decides, those of 30 days are counted. */
import { describe, expect, test } from 'vitest';
import type { CheckOutcome } from '../../../src/domain/check/outcome.ts';
import { recentChecks } from '../../../src/domain/status/check-records.ts';
import { hoursAgo, judge, NOW, nightly, part, place, second, told } from '../../support/status-facts.ts';

function check(hours: number, over: Partial<CheckOutcome> = {}): CheckOutcome {
  return { startedAt: hoursAgo(hours).toISOString(), verdict: 'passed', reached: true, failed: [], ...over };
}

const FAILED = { verdict: 'failed', failed: ['connections', 'lock-waits'] } as const;
const withChecks = (...checks: CheckOutcome[]) => judge(part(nightly(5), { checks }));

describe('Health checks', () => {
  test('of nobody say nothing', () => {
    const report = judge(part(nightly(5)));
    expect(report.series[0]).not.toHaveProperty('health');
    expect(report.findings.filter(({ code }) => code.startsWith('check-'))).toEqual([]);
  });

  test('of which the last failed are a warning with what failed, and the next one that does not ends it', () => {
    const report = withChecks(check(12), check(6, FAILED));
    expect(told(report)).toEqual(['warning check-failed']);
    expect(report.findings[0]?.seen).toBe(
      'The last health check of the database of shop, 6 h 0 min ago, failed: connections, lock-waits',
    );
    expect(told(withChecks(check(12), check(6, FAILED), check(1, { verdict: 'warning' })))).toEqual([]);
  });

  test('of the last 30 days are counted, with those in which the database did not answer', () => {
    const down = check(30, { verdict: 'failed', failed: ['connect'], reached: false });
    const report = withChecks(check(48), down, check(24, FAILED), check(6));
    expect(report.findings.find(({ code }) => code === 'check-record')?.seen).toBe(
      'The database of shop answered 3 of 4 health checks in the last 30 days (75 %); 2 did not fail (50 %)',
    );
    expect(report.series[0]?.health).toEqual({
      last: { at: hoursAgo(6), verdict: 'passed', failed: [] },
      ...{ checks: 4, failed: 2, reached: 3 },
    });
  });

  test('are counted once, however many destinations hold their records', () => {
    const twice = part(nightly(5), { checks: [check(6)] });
    const report = judge(twice, { destinations: [place([twice]), second([twice])] });
    expect(report.series[0]?.health?.checks).toBe(1);
  });

  test('show the worst of each day', () => {
    const report = withChecks(check(30), check(28, FAILED), check(6), check(2, { verdict: 'warning' }));
    expect(report.series[0]?.days.slice(-3).map((day) => day.check)).toEqual([undefined, 'failed', 'warning']);
  });

  test('whose records cannot be read are named, and count for nothing', () => {
    const report = judge(part(nightly(5), { doubtfulChecks: ['It may not be read'] }));
    expect(report.findings.find(({ code }) => code === 'check-record-unreadable')).toMatchObject({
      level: 'info',
      seen: 'It may not be read',
    });
    expect(report.series[0]).not.toHaveProperty('health');
  });

  test('of the future, or of more than 30 days ago, are not looked at', () => {
    expect(withChecks(check(-30, FAILED)).series[0]).not.toHaveProperty('health');
    const record = (hours: number) => ({ key: `${hours}`, at: hoursAgo(hours), sizeBytes: 1 });
    expect(recentChecks([record(800), record(5), record(700), record(721)], NOW).map(({ key }) => key)).toEqual([
      '5',
      '700',
    ]);
  });
});
