import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Assertion, type AssertionOutcome, judgeAssertion, parseAssertions } from '../../src/domain/assertions.ts';
import { checkAssertions, checkMinTables, checkRestoreTime, secondsToRecover } from '../../src/domain/drill-checks.ts';

const BACKUP_AT = new Date('2026-11-21T02:00:00Z');
const NOW = new Date('2026-12-01T12:00:00Z');

function problem(text: string): string {
  try {
    parseAssertions(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INPUT', op: 'read assertions' });
    return (error as Error).message;
  }
  throw new Error(`was accepted: ${text}`);
}

function one(text: string): Assertion {
  const [assertion, ...more] = parseAssertions(text);
  expect(more).toEqual([]);
  return assertion as Assertion;
}

describe('the text of assertions', () => {
  test('holds one a line, with comments between them', () => {
    const text = `# orders
SELECT count(*) > 0 FROM orders -- there are some
  -- and customers

SELECT count(*) FROM customers WHERE name IS NULL => 0
freshness 26h: SELECT max(created_at) FROM orders`;
    expect(parseAssertions(text)).toMatchObject([
      { line: 2, sql: 'SELECT count(*) > 0 FROM orders', expected: { form: 'true' } },
      { line: 5, sql: 'SELECT count(*) FROM customers WHERE name IS NULL', expected: { form: 'value', value: '0' } },
      { line: 6, sql: 'SELECT max(created_at) FROM orders', expected: { form: 'freshness', seconds: 93_600 } },
    ]);
  });

  test('holds statements of several lines where semicolons end them', () => {
    const text = `WITH open AS (
  SELECT * FROM orders WHERE note <> 'a; b' /* ; */
)
SELECT count(*) FROM open
  UNION ALL
SELECT 1
=> 3;
# the next
freshness 90min:
  SELECT max(at) FROM events;`;
    expect(parseAssertions(text)).toMatchObject([
      { line: 1, expected: { form: 'value', value: '3', quoted: false } },
      { line: 9, sql: 'SELECT max(at) FROM events', expected: { form: 'freshness', seconds: 5400 } },
    ]);
    expect(parseAssertions('SELECT true;\r\nSELECT 1 = 1;')).toHaveLength(2);
  });

  test('keeps quotes, dollar quotes and named arguments out of it', () => {
    expect(one(`SELECT 'it''s => 1; --' = $$ => ; $$`).expected).toEqual({ form: 'true' });
    expect(one('SELECT make_interval(days => 2) = f(x => 1) => true').expected).toMatchObject({ value: 'true' });
    expect(one(`SELECT "a => b" FROM E'\\'=>' => 'x; y'';z'`).expected).toEqual({
      form: 'value',
      value: "x; y';z",
      quoted: true,
    });
    expect(one('SELECT min(x) FROM t => NULL').expected).toMatchObject({ value: null });
    expect(one("SELECT min(x) FROM t => 'NULL'").expected).toMatchObject({ value: 'NULL' });
    expect(one("SELECT data\n #>> '{a}' = 'b' FROM t;").sql).toContain('#>>');
  });

  test.each([
    ['', 'line 1: there is no assertion'],
    ['# nothing\n-- here', 'there is no assertion'],
    ['DELETE FROM orders', 'line 1: it begins with "DELETE"'],
    ['SELECT 1\nUPDATE t SET x = 1', 'line 2: it begins with "UPDATE"'],
    ['SELECT true\nFROM orders', 'line 2: it begins with "FROM"'],
    ['SELECT true\nSELECT true;', 'line 1: a second query begins in it'],
    ['SELECT true;\nSELECT true', 'line 2: it does not end in a semicolon'],
    ['SELECT (1', 'line 1: the ( is never closed in this line'],
    ["SELECT 'x\nSELECT 1", 'line 1: the text in quotes is never closed in this line'],
    ["SELECT true;\nSELECT 'x;", 'line 2: the text in quotes that begins here is never closed'],
    ['SELECT true; /* x', 'line 1: the comment that begins here'],
    ['SELECT 1 => 2 => 3', '`=>` stands in it twice'],
    ['SELECT 1 =>', 'the expected value is missing'],
    ['SELECT 1 => two words', 'write it in single quotes'],
    ['=> 3', 'the query is missing'],
    ['freshness 26: SELECT now()', 'it is no freshness'],
    ['freshness 0h: SELECT now()', 'it is no freshness'],
    ['freshness 5m: SELECT now()', '`m` could be minutes or months'],
    ['freshness 5h SELECT now()', 'it is no freshness'],
    ['freshness 5h:', 'the query is missing'],
    ['freshness 5h: SELECT now() => 3', 'expects no value'],
  ])('%j is refused', (text, words) => {
    expect(problem(text)).toContain(words);
  });

  test('tells all that is wrong at once', () => {
    expect(problem('DROP TABLE a\nSELECT true\nSELECT (')).toMatch(/^line 1: .*; line 3: /);
  });
});

function judge(
  text: string,
  outcome: AssertionOutcome,
  times: { backupAt?: Date; now: Date } = { backupAt: BACKUP_AT, now: NOW },
) {
  return judgeAssertion(one(text), outcome, times);
}

const value = (text: string | null, type: 'boolean' | 'number' | 'timestamptz' | 'timestamp' | 'date' | 'other') =>
  ({ kind: 'value', value: text, type }) as const;

describe('the judgement', () => {
  test('of a query that must be true', () => {
    const text = 'SELECT x';
    expect(judge(text, value('t', 'boolean')).status).toBe('passed');
    expect(judge(text, value('f', 'boolean'))).toEqual({ status: 'failed', words: 'gave false' });
    expect(judge(text, value(null, 'boolean'))).toEqual({ status: 'failed', words: 'gave NULL' });
    expect(judge(text, value('1', 'number')).words).toContain('gave 1, not true or false');
    expect(judge(text, value('t', 'other')).status).toBe('failed');
  });

  test('of a query that errs, hangs or was never asked is not-run; one of another shape is failed', () => {
    expect(judge('SELECT x', { kind: 'refused', message: 'no table x' })).toMatchObject({ status: 'not-run' });
    expect(judge('SELECT x', { kind: 'timed-out', seconds: 30 }).words).toBe('it did not end within 30 s');
    expect(judge('SELECT x', { kind: 'not-asked', why: 'lost' }).status).toBe('not-run');
    expect(judge('SELECT x', { kind: 'shape', rows: 0, columns: 1 })).toEqual({
      status: 'failed',
      words: 'gave no row',
    });
    expect(judge('SELECT x', { kind: 'shape', rows: 2, columns: 1 }).words).toContain('several rows');
    expect(judge('SELECT x', { kind: 'shape', rows: 1, columns: 2 }).words).toContain('2 columns');
  });

  test.each([
    ['3', '3', 'number', true],
    ['3', '3.00', 'number', true],
    ['-0', '0', 'number', true],
    ['+007.5', '7.50', 'number', true],
    ['9007199254740993', '9007199254740992', 'number', false],
    ["'3'", '3.0', 'number', false],
    ['abc', 'abc', 'other', true],
    ['3', '3.0', 'other', false],
    ['true', 't', 'boolean', true],
    ['false', 'f', 'boolean', true],
    ['false', 't', 'boolean', false],
    ['x', 'f', 'boolean', false],
    ['NULL', null, 'other', true],
    ['NULL', 'NULL', 'other', false],
    ["''", '', 'other', true],
    ["''", null, 'other', false],
  ] as const)('=> %s against %j (%s) holds: %j', (expected, seen, type, holds) => {
    expect(judge(`SELECT x => ${expected}`, value(seen, type)).status).toBe(holds ? 'passed' : 'failed');
  });

  test('never tells a text of the database', () => {
    expect(judge('SELECT x => y', value('alice@example.com', 'other')).words).toBe('gave a text of 17 characters');
  });

  test('of freshness counts from the backup, and from now where there is none', () => {
    const text = 'freshness 26h: SELECT x';
    expect(judge(text, value('2026-11-20 00:00:00+00', 'timestamptz')).status).toBe('passed');
    expect(judge(text, value('2026-11-19 23:59:59.9+00', 'timestamptz'))).toMatchObject({ status: 'failed' });
    expect(judge(text, value('2026-11-20 00:00:00', 'timestamp')).status).toBe('passed');
    expect(judge(text, value('2026-11-19', 'date')).words).toContain('1 day 2 h is allowed');
    expect(judge(text, value('2026-11-21 02:00:05+00', 'timestamptz')).status).toBe('passed');
    expect(judge(text, value('2099-01-01 00:00:00+00', 'timestamptz')).words).toContain('later than the backup');
    expect(judge(text, value(null, 'timestamptz'))).toEqual({
      status: 'failed',
      words: 'gave NULL, not a point in time',
    });
    expect(judge(text, value('infinity', 'timestamptz')).status).toBe('failed');
    expect(judge(text, value('2026-11-20', 'other')).status).toBe('failed');
    expect(judge(text, value('2026-11-20 00:00:00+00', 'timestamptz'), { now: NOW }).status).toBe('failed');
    expect(judge(text, value('2026-12-01 00:00:00+00', 'timestamptz'), { now: NOW }).status).toBe('passed');
  });
});

describe('the checks', () => {
  const result = (status: 'passed' | 'failed' | 'not-run') =>
    ({ line: 3, assertion: 'SELECT x', status, words: 'w', seconds: 0 }) as const;

  test('of assertions', () => {
    expect(checkAssertions([]).status).toBe('not-run');
    expect(checkAssertions([result('passed')])).toMatchObject({ status: 'passed', details: [] });
    expect(checkAssertions([result('passed'), result('not-run')])).toEqual({
      id: 'assertions',
      status: 'not-run',
      reason: 'Of 2 assertions 1 could not be run to an answer',
      details: ['line 3, not-run: SELECT x: w'],
    });
    expect(checkAssertions([result('failed'), result('not-run')])).toMatchObject({
      status: 'failed',
      reason: 'Of 2 assertions 1 does not hold and 1 could not be run to an answer',
    });
  });

  test('of the least number of tables', () => {
    expect(checkMinTables(5, 5).status).toBe('passed');
    expect(checkMinTables(4, 5)).toMatchObject({
      status: 'failed',
      reason: 'Only 4 tables are there; 5 are the least',
    });
  });

  test('of the time to recover', () => {
    const phases = [
      { phase: 'server', seconds: 500 },
      { phase: 'fetch', seconds: 30 },
      { phase: 'something new', seconds: 20 },
      { phase: 'prove', seconds: 10 },
      { phase: 'assertions', seconds: 900 },
    ];
    expect(secondsToRecover(phases)).toBe(60);
    expect(checkRestoreTime(phases, 1).status).toBe('passed');
    expect(checkRestoreTime([...phases.slice(0, 2), { phase: 'prove', seconds: 31 }], 1)).toMatchObject({
      status: 'failed',
      reason: 'From the first byte to the proof it took 1 min 1 s, longer than the 1 min 0 s that are allowed',
    });
    expect(checkRestoreTime(phases.slice(0, 2), 60).status).toBe('not-run');
  });
});

describe('docs/assertions.md', () => {
  const page = readFileSync(new URL('../../docs/assertions.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, text = '']) => parseAssertions(text));

  test('shows assertions that are read as it says', () => {
    const forms = examples.map((assertions) => assertions.map(({ expected }) => expected.form));
    expect(forms).toEqual([
      ['true', 'true', 'value', 'value', 'value', 'freshness'],
      ['value', 'freshness'],
    ]);
  });
});
