/** The judgement of a check: levels, limits and verdicts, from facts alone. */
import { describe, expect, test } from 'vitest';
import { compareChecks } from '../../src/domain/check/compare.ts';
import { type CheckSettings, HEALTH_CHECKS, isWanted, judgeHealth, worstFirst } from '../../src/domain/check/judge.ts';
import { type HealthResult, healthVerdict, type Looked } from '../../src/domain/check/model.ts';
import {
  type CheckRecord,
  checkRecord,
  parseCheckRecord,
  serializeCheckRecord,
} from '../../src/domain/check/record.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const NONE: CheckSettings = { levels: {}, limits: {} };

function judge(looked: Looked, settings: Partial<CheckSettings> = {}): HealthResult[] {
  return judgeHealth(looked, { ...NONE, ...settings }, NOW);
}

function result(status: HealthResult['status'], over: Partial<HealthResult> = {}): HealthResult {
  return { code: 'latency', group: 'reach', status, seen: 'It was seen', action: '', details: [], ...over };
}

describe('judging', () => {
  test('codes are unique, and every check says what it looks at', () => {
    const codes = HEALTH_CHECKS.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const { code, words } of HEALTH_CHECKS) expect(words.length, code).toBeGreaterThan(40);
  });

  test('what could not be looked at is not run, never passed', () => {
    const looked: Looked = { connections: { hidden: 'Not allowed', action: 'GRANT it.' } };
    expect(judge(looked)).toEqual([
      { code: 'connections', group: 'room', status: 'not-run', seen: 'Not allowed', action: 'GRANT it.', details: [] },
    ]);
  });

  test('a check is switched off, softened and hardened by its code, which wins over its group', () => {
    const looked: Looked = {
      durability: { seen: { fsync: false, fullPageWrites: true } },
      unlogged: { seen: ['public.t'] },
    };
    const statuses = (levels: CheckSettings['levels']) =>
      judge(looked, { levels }).map(({ code, status }) => `${code} ${status}`);
    expect(statuses({})).toEqual(['unlogged-tables warning', 'durability failed']);
    expect(statuses({ durability: 'warning', 'unlogged-tables': 'failed' })).toEqual([
      'unlogged-tables failed',
      'durability warning',
    ]);
    expect(statuses({ danger: 'off' })).toEqual([]);
    expect(statuses({ danger: 'off', durability: 'failed' })).toEqual(['durability failed']);
  });

  test('each can be switched off, and what nobody else needs is then not even looked at', () => {
    const hidden = { hidden: 'Not allowed', action: 'GRANT it.' };
    const looked: Looked = Object.fromEntries(HEALTH_CHECKS.map(({ needs }) => [needs, hidden]));
    const limits = Object.fromEntries(HEALTH_CHECKS.map(({ code }) => [code, 1]));
    const codes = HEALTH_CHECKS.map(({ code }) => code);
    expect(judge(looked, { limits }).map(({ code }) => code)).toEqual(codes);
    for (const { code, needs } of HEALTH_CHECKS) {
      const levels = { [code]: 'off' } as const;
      const left = judge(looked, { levels, limits }).map((each) => each.code);
      expect(left, code).toEqual(codes.filter((each) => each !== code));
      const others = HEALTH_CHECKS.some((check) => check.needs === needs && check.code !== code);
      expect(isWanted(needs, { levels, limits }), code).toBe(others);
    }
  });

  test('a check without a limit of its own is made only when somebody gives one', () => {
    const looked: Looked = { tables: { seen: { count: 3 } } };
    expect(judge(looked)).toEqual([]);
    expect(judge(looked, { limits: { 'min-tables': 4 } })).toMatchObject([{ status: 'failed', value: 3, limit: 4 }]);
  });

  test('verdicts: only what passed everywhere is passed, and nothing at all is a failure', () => {
    expect(healthVerdict([result('passed')], false)).toBe('passed');
    expect(healthVerdict([result('passed'), result('warning')], true)).toBe('warning');
    expect(healthVerdict([result('passed'), result('not-run')], false)).toBe('warning');
    expect(healthVerdict([result('passed'), result('not-run')], true)).toBe('failed');
    expect(healthVerdict([result('failed'), result('passed')], false)).toBe('failed');
    expect(healthVerdict([], false)).toBe('failed');
  });

  test('the worst stands first', () => {
    const all = [result('passed'), result('not-run'), result('warning'), result('failed')];
    expect(worstFirst(all, false).map(({ status }) => status)).toEqual(['failed', 'warning', 'not-run', 'passed']);
    expect(worstFirst(all, true).map(({ status }) => status)).toEqual(['failed', 'not-run', 'warning', 'passed']);
  });
});

describe('facts at their limits', () => {
  const statusOf = (looked: Looked, settings: Partial<CheckSettings> = {}) => judge(looked, settings)[0]?.status;

  test('a replica that is behind, and one that the role may not see', () => {
    const replica = (seconds: number | null): Looked => ({ replication: { seen: [{ name: 'standby', seconds }] } });
    expect(statusOf(replica(5))).toBe('passed');
    expect(statusOf(replica(600))).toBe('warning');
    expect(statusOf(replica(null))).toBe('not-run');
    expect(judge({ replication: { seen: [] } })).toEqual([]);
  });

  test('a cache that is too small, unless next to nothing is read', () => {
    const cache = (hits: number, reads: number): Looked => ({ cache: { seen: { hits, reads } } });
    expect(statusOf(cache(950_000, 50_000))).toBe('passed');
    expect(statusOf(cache(800_000, 200_000))).toBe('warning');
    expect(statusOf(cache(10, 9_000))).toBe('passed');
  });

  test('a slot that lost its WAL fails however little it keeps', () => {
    const slot = { name: 's', kind: 'physical', active: true, walStatus: 'lost', bytes: 0 };
    expect(judge({ slots: { seen: [slot] } })[0]).toMatchObject({ code: 'slot-wal', status: 'failed' });
  });

  test('transaction ids at the ages at which a server warns, and stops', () => {
    const aged = (transactions: number): Looked => ({
      ages: { seen: [{ name: 'shop', transactions, multixacts: 0 }] },
    });
    expect(statusOf(aged(200_000_000))).toBe('passed');
    expect(statusOf(aged(1_000_000_000))).toBe('warning');
    expect(statusOf(aged(1_500_000_000))).toBe('failed');
  });

  test('sequences that the role may not read are not run, unless another is full', () => {
    const sequences = (percent: number): Looked => ({
      sequences: { seen: { sequences: [{ name: 'a', column: null, percent }], unreadable: ['b'] } },
    });
    expect(statusOf(sequences(10))).toBe('not-run');
    expect(statusOf(sequences(99))).toBe('failed');
  });

  test('sessions that the role may not see are not run, unless one that it sees breaks the limit', () => {
    const facts = (minutes: number): Looked => ({
      sessions: {
        seen: {
          sessions: [
            {
              pid: 1,
              who: 'a',
              state: 'active',
              waiting: false,
              here: true,
              transactionSeconds: minutes * 60,
              statementSeconds: 1,
              stateSeconds: 1,
            },
          ],
          hiddenHere: 1,
          hidden: 1,
          grant: 'GRANT',
        },
      },
    });
    const status = (looked: Looked) => judge(looked).find(({ code }) => code === 'long-transaction')?.status;
    expect(status(facts(10))).toBe('not-run');
    expect(status(facts(90))).toBe('failed');
  });
});

describe('critical tables', () => {
  const table = { schema: 'public', name: 'orders', rows: 3, newestSeconds: 7200 };
  const rule = 'public.orders rows>=10 newest(at)<1h';

  test('are counted as tables, however many faults each has', () => {
    const facts = [
      { rule, tables: [table] },
      { rule: 'orders', tables: [table] },
    ];
    expect(judge({ criticalTables: { seen: facts } })).toMatchObject([
      {
        seen: '1 critical table is not as it should be',
        value: 1,
        details: [
          'public.orders has 3 rows; 10 are the least',
          'public.orders: the newest row is 2 h 0 min old; 1 h 0 min is allowed',
        ],
      },
    ]);
    expect(judge({ criticalTables: { seen: [...facts, { rule: 'gone', tables: [] }] } })).toMatchObject([
      { seen: '2 critical tables are not as they should be', value: 2 },
    ]);
    expect(judge({ criticalTables: { seen: facts.map((each) => ({ ...each, rule: 'orders' })) } })).toMatchObject([
      { status: 'passed', seen: '1 critical table is as it should be' },
    ]);
  });

  test('are counted in words when they have lost rows', () => {
    const lost = (names: readonly string[]) => {
      const tables = names.map((name) => ({ schema: 'public', name, before: 1, now: 0 }));
      return judge({ rowDrop: { seen: { backupId: 'the backup', backupAt: NOW, tables } } })[0];
    };
    expect(lost(['orders'])).toMatchObject({
      seen: expect.stringContaining('1 critical table has lost more than 50 % of its rows since the backup'),
      details: ['public.orders: 1 row then, 0 now (-100 %)'],
    });
    expect(lost(['orders', 'log'])?.seen).toContain('2 critical tables have lost more than 50 % of their rows');
  });
});

describe('the record in _checks/', () => {
  const occasion = { startedAt: '2026-11-21T12:00:00.000Z', actor: 'octocat', run: null, action: { version: '1.0.0' } };
  const recordOf = (results: HealthResult[], over: Partial<CheckRecord> = {}): CheckRecord => ({
    ...checkRecord({
      name: 'shop',
      verdict: healthVerdict(results, false),
      strict: false,
      results,
      occasion,
      finishedAt: NOW,
      server: { version: '17.10', major: 17 },
    }),
    ...over,
  });

  test('is read as it was written, and holds nothing that was seen', () => {
    const text = serializeCheckRecord(
      recordOf([result('failed', { seen: 'public.secret', details: ['public.secret'], value: -3, limit: 10 })]),
    );
    expect(text).not.toContain('secret');
    expect(serializeCheckRecord(parseCheckRecord(text))).toBe(text);
  });

  test('whose verdict is better than its checks is none', () => {
    const write =
      (over: Partial<CheckRecord>, status: HealthResult['status'] = 'failed') =>
      () =>
        serializeCheckRecord(recordOf([result(status)], over));
    expect(write({ verdict: 'passed' })).toThrow(/the checks say failed/);
    expect(write({ verdict: 'passed' }, 'warning')).toThrow(/the checks say warning/);
    expect(write({ verdict: 'warning', strict: true }, 'not-run')).toThrow(/the checks say failed/);
    expect(write({ verdict: 'passed', error: 'ERR_CONNECT' }, 'passed')).toThrow(/in spite of ERR_CONNECT/);
    expect(() => parseCheckRecord('{"schemaVersion": 2}')).toThrow(/newer version/);
  });

  test('of an earlier run shows what became worse', () => {
    const earlier = recordOf([
      result('passed', { value: 10, limit: 100 }),
      result('failed', { code: 'tls' }),
      result('passed', { code: 'cache-hit', value: 99, limit: 90 }),
      result('passed', { code: 'connections', value: 10, limit: 80 }),
    ]);
    const now = [
      result('passed', { value: 15, limit: 100 }),
      result('passed', { code: 'tls' }),
      result('passed', { code: 'cache-hit', value: 89.9, limit: 90 }),
      result('passed', { code: 'connections', value: 60, limit: 80 }),
      result('failed', { code: 'orphans' }),
    ];
    expect(compareChecks(earlier, now)).toEqual({
      since: occasion.startedAt,
      worse: [
        { code: 'cache-hit', before: 'passed', now: 'passed', values: { before: 99, now: 89.9 } },
        { code: 'connections', before: 'passed', now: 'passed', values: { before: 10, now: 60 } },
      ],
    });
  });
});
