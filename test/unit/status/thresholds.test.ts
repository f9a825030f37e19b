/** Every threshold of a status: just below it nothing is said, just above it its level is raised. */
import { describe, expect, test } from 'vitest';
import { LONGER_LEAST_SECONDS } from '../../../src/domain/status/anomalies.ts';
import { UNDER_WAY_HOURS } from '../../../src/domain/status/failures.ts';
import { backup, drill, hoursAgo, judge, nightly, part, place, told } from '../../support/status-facts.ts';

const SECOND = 1 / 3600;
/** Nothing but the newest, so that nobody waits for a run. */
const aged = (hours: number, limits = {}) => told(judge([backup(hours)], { limits }));

describe('The age of the newest proven backup', () => {
  test.each([
    [23.99, []],
    [24, ['warning backup-too-old']],
    [26, ['warning backup-too-old']],
    [26 + SECOND, ['critical backup-too-old']],
  ])('of %d hours', (hours, findings) => {
    expect(aged(hours)).toEqual(findings);
  });

  test.each([
    [1.49, 2, []],
    [1.5, 2, ['warning backup-too-old']],
    [2 + SECOND, 2, ['critical backup-too-old']],
    [45.9, 48, []],
    [46, 48, ['warning backup-too-old']],
  ])('of %d hours is held against max-age-hours: %d', (hours, maxAgeHours, findings) => {
    expect(aged(hours, { maxAgeHours })).toEqual(findings);
  });

  test('is that of a whole backup where there is one, and of no backup that a restore saved beforehand', () => {
    expect(told(judge([backup(1, { whole: false }), backup(30)]))).toEqual(['critical backup-too-old']);
    expect(told(judge([backup(1, { whole: false })]))).toEqual([]);
    expect(told(judge([backup(1, { label: 'emergency' }), backup(30)]))).toEqual(['critical backup-too-old']);
  });

  test('is that of nothing when none is proven, which is critical', () => {
    expect(told(judge([backup(1, { verdict: 'unproven' })]))).toEqual(['critical nothing-proven']);
    expect(told(judge([backup(1, { verdict: 'unproven' }), backup(2)]))).toEqual(['warning failed-since-proven']);
  });
});

describe('The last drill that passed', () => {
  const since = (days: number, ...more: ReturnType<typeof drill>[]) =>
    told(judge(part([backup(1)], { drills: [drill(days * 24), ...more] })));

  test('is overdue after max-drill-age-days', () => {
    expect(since(35)).toEqual([]);
    expect(since(35.001)).toEqual(['warning drill-overdue']);
    expect(told(judge(part([backup(1)], { drills: [drill(49)] }), { limits: { maxDrillAgeDays: 2 } }))).toEqual([
      'warning drill-overdue',
    ]);
  });

  test('that never was is a warning', () => {
    expect(told(judge(part([backup(1)], { drills: [] })))).toEqual(['warning never-drilled']);
  });

  test('was followed by one that failed, or by two, which is critical, or by one that passed again', () => {
    expect(since(3, drill(20, 'failed'))).toEqual(['warning drill-failed']);
    expect(since(3, drill(30, 'failed'), drill(20, 'failed'))).toEqual(['critical drill-failed']);
    expect(since(3, drill(30, 'failed'), drill(20, 'failed'), drill(10))).toEqual([]);
    expect(since(3, drill(30, 'failed'), drill(20, 'partial'))).toEqual([]);
  });

  test('does not count when it could not decide everything', () => {
    expect(since(36, drill(20, 'partial'))).toEqual(['warning drill-overdue']);
    expect(told(judge(part([backup(1)], { drills: [drill(20, 'partial')] })))).toEqual(['warning drill-overdue']);
  });

  test('is slow when it took more than twice the median of three others, and a minute more', () => {
    const timed = (...seconds: number[]) =>
      told(
        judge(
          part([backup(1)], {
            drills: seconds.map((each, index) => drill((seconds.length - index) * 24, 'passed', { seconds: each })),
          }),
        ),
      );
    expect(timed(500, 600, 700, 1200)).toEqual([]);
    expect(timed(500, 600, 700, 1201)).toEqual(['warning recovery-slower']);
    expect(timed(600, 700, 2000)).toEqual([]);
    expect(timed(5, 6, 7, 65)).toEqual([]);
  });
});

describe('A run that does not come', () => {
  const every24 = (hours: number, limits = {}) =>
    told(judge(nightly(8, hours), { limits: { maxAgeHours: 1000, ...limits } }));

  test('is missed after half of the time more', () => {
    expect(every24(36)).toEqual([]);
    expect(every24(36.1)).toEqual(['warning runs-missed']);
  });

  test('is expected as `expected-every` says, from the first backup on', () => {
    expect(every24(36.1, { expectedEveryHours: 48 })).toEqual([]);
    expect(every24(10, { expectedEveryHours: 6 })).toEqual(['warning runs-missed']);
    const one = (hours: number) => told(judge([backup(hours)], { limits: { expectedEveryHours: 6 } }));
    expect(one(9)).toEqual([]);
    expect(one(9.1)).toEqual(['warning runs-missed']);
  });

  test('is not expected while four backups are not there, and is told with how many', () => {
    expect(told(judge(nightly(3, 100), { limits: { maxAgeHours: 1000 } }))).toEqual([]);
    const { findings } = judge(nightly(4, 100), { limits: { maxAgeHours: 1000 } });
    expect(findings[0]?.seen).toMatch(/^3 runs of shop did not come/);
    expect(findings[0]?.action).toContain('60 days');
  });

  test('is not covered up by backups that somebody takes by hand', () => {
    const sets = [...nightly(8, 50), backup(2, { label: 'manual' })];
    expect(told(judge(sets))).toEqual(['warning runs-missed']);
  });
});

describe('The newest backup, held against the median of at least four like it', () => {
  const since = (newest: Parameters<typeof backup>[1], older = nightly(4, 34)) =>
    told(judge([backup(10, newest), ...older]));

  test.each([
    [{ plainBytes: 150_000_000 }, []],
    [{ plainBytes: 150_000_001 }, ['warning size-anomaly']],
    [{ plainBytes: 50_000_000 }, []],
    [{ plainBytes: 49_999_999 }, ['warning size-anomaly']],
    [{ rows: 150_000 }, []],
    [{ rows: 49_999 }, ['warning rows-anomaly']],
    [{ seconds: 600 }, []],
    [{ seconds: 601 }, ['warning duration-anomaly']],
  ])('with %o', (newest, findings) => {
    expect(since(newest)).toEqual(findings);
  });

  test('says nothing of three, of another label, and of what is small anyway', () => {
    expect(since({ rows: 1 }, nightly(3, 34))).toEqual([]);
    expect(since({ rows: 1, label: 'manual' })).toEqual([]);
    expect(since({ rows: 1 }, nightly(4, 34, { rows: 900 }))).toEqual([]);
    expect(since({ seconds: LONGER_LEAST_SECONDS }, nightly(4, 34, { seconds: 10 }))).toEqual([]);
  });

  test('is not misled by one that was odd before, nor by what a restore saved', () => {
    const odd = backup(34, { plainBytes: 1 });
    expect(since({}, [odd, ...nightly(4, 58)])).toEqual([]);
    expect(told(judge([backup(2, { label: 'emergency', rows: 1 }), ...nightly(6)]))).toEqual([]);
  });
});

describe('What failed since the newest proven backup', () => {
  const unfinished = (hours: number, written = hours) => ({
    id: backup(hours, { random: 'broken' }).facts.id.replace('broken', 'aaaaaa'),
    at: hoursAgo(hours),
    lastWrittenAt: hoursAgo(written),
  });

  test('is a warning, and is over with the next proven one', () => {
    const failed = backup(10, { verdict: 'unproven' });
    expect(told(judge([failed, backup(20)]))).toEqual(['warning failed-since-proven']);
    expect(told(judge([backup(5), failed, backup(20)]))).toEqual([]);
  });

  test('is a folder that is not finished, once nobody can be writing it', () => {
    const with1 = (written: number) => told(judge(part([backup(20)], { unfinished: [unfinished(10, written)] })));
    expect(with1(UNDER_WAY_HOURS)).toEqual([]);
    expect(with1(UNDER_WAY_HOURS + SECOND)).toEqual(['warning failed-since-proven']);
  });

  test('is information alone when it is older than that, from a day on', () => {
    const info = (written: number) =>
      told(judge(part([backup(1)], { unfinished: [unfinished(24.5, written)] })), 'info').filter((each) =>
        each.endsWith('unfinished-sets'),
      );
    expect(info(24)).toEqual([]);
    expect(info(24.1)).toEqual(['info unfinished-sets']);
  });

  test('is a reason to look after the last proven one when five in a row are not', () => {
    const bad = (count: number) => nightly(count, 1, { verdict: 'unproven' });
    const codes = (count: number) => told(judge([...bad(count), backup(23)])).map((each) => each.split(' ')[1]);
    expect(codes(4)).not.toContain('proven-running-out');
    const sets = [...Array.from({ length: 5 }, (_, index) => backup(1 + index, { verdict: 'unproven' })), backup(20)];
    expect(told(judge(sets))).toContain('warning proven-running-out');
    expect(told(judge([backup(0.5), ...sets]))).toEqual([]);
  });
});

describe('The budget of the storage', () => {
  const used = (bytes: number, sets = [backup(1)]) =>
    told(judge(part(sets, { storedBytes: bytes }), { limits: { budgetBytes: 1_000_000 } }));

  test.each([
    [799_999, []],
    [800_000, ['warning storage-budget']],
    [999_999, ['warning storage-budget']],
    [1_000_000, ['critical storage-budget']],
  ])('of 1 MB, with %d bytes', (bytes, findings) => {
    expect(used(bytes)).toEqual(findings);
  });

  test('will be full within 30 days, or later', () => {
    const sets = nightly(29, 1, { storedBytes: 1_000 });
    expect(used(970_001, sets)).toContain('warning storage-full-soon');
    expect(used(400_000, sets)).toEqual([]);
    const full = (bytes: number) => judge(part(sets, { storedBytes: bytes }), { limits: { budgetBytes: 100_000 } });
    expect(told(full(70_000))).toEqual(['warning storage-full-soon']);
    expect(full(70_000).storage).toMatchObject({ bytesPerDay: 1_000, fullInDays: 30 });
    expect(told(full(69_999))).toEqual([]);
  });

  test('of a pruned storage is filled by what its backups grow alone', () => {
    const pruned = [
      ...nightly(14, 1, { storedBytes: 2_400 }),
      ...[20, 27].map((days) => backup(days * 24, { storedBytes: 1_000 })),
    ];
    expect(judge(pruned).storage.bytesPerDay).toBe(100 * 16);
    const young = part(nightly(7, 2, { storedBytes: 7_000 }), { name: 'young' });
    expect(judge(young).storage).not.toHaveProperty('bytesPerDay');
    const week = part(nightly(8, 0, { storedBytes: 700 }), { name: 'week' });
    expect(judge(week).storage.bytesPerDay).toBe(800);
    expect(judge([], { destinations: [place([part(pruned), young, week])] }).storage.bytesPerDay).toBe(1_600 + 800);
  });
});
