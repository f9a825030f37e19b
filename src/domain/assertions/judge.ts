/** Whether what the server answered is what an assertion says. */
import type { CheckStatus } from '../checks.ts';
import { countOf, formatAge } from '../words.ts';
import type { Assertion } from './assertion.ts';
import type { ValueExpectation } from './expected-value.ts';

/** `timestamp` and `date` have no time zone; they are read as UTC. */
export type ValueType = 'boolean' | 'number' | 'timestamptz' | 'timestamp' | 'date' | 'other';

/** What became of one query. */
export type AssertionOutcome =
  /** One row of one column, as text of a session in UTC and ISO dates. */
  | { kind: 'value'; value: string | null; type: ValueType }
  /** `rows`: 2 stands for two or more. */
  | { kind: 'shape'; rows: number; columns: number }
  | { kind: 'refused'; message: string }
  | { kind: 'timed-out'; seconds: number }
  /** It was never asked. */
  | { kind: 'not-asked'; why: string };

export interface JudgedAssertion {
  status: CheckStatus;
  /** Half a sentence: `gave false`. Holds no text of the database, only numbers, truth and times. */
  words: string;
}

/** A newest row from the future hides that nothing new came in. Columns without a time zone may be half a day off. */
const FUTURE_SECONDS = 86_400;

/**
 * An assertion that could not be decided by the server's answer is `not-run`; any answer but the wanted one is
 * `failed`.
 * @param times freshness counts from `backupAt`, and from `now` where no backup is judged
 */
export function judgeAssertion(
  assertion: Assertion,
  outcome: AssertionOutcome,
  times: { backupAt?: Date; now: Date },
): JudgedAssertion {
  switch (outcome.kind) {
    case 'refused':
      return { status: 'not-run', words: `the server refused it: ${outcome.message}` };
    case 'timed-out':
      return { status: 'not-run', words: `it did not end within ${outcome.seconds} s` };
    case 'not-asked':
      return { status: 'not-run', words: `it was not run: ${outcome.why}` };
    case 'shape':
      return { status: 'failed', words: shapeWords(outcome) };
    case 'value':
      return judgeValue(assertion, outcome, times);
  }
}

type Value = AssertionOutcome & { kind: 'value' };

function judgeValue({ expected }: Assertion, seen: Value, times: { backupAt?: Date; now: Date }): JudgedAssertion {
  if (expected.form === 'value') return judgeExpected(expected, seen);
  if (expected.form === 'freshness') return judgeFreshness(expected.seconds, seen, times);
  if (seen.type !== 'boolean') {
    return {
      status: 'failed',
      words: `gave ${valueWords(seen)}, not true or false; write \`=> value\` to expect a value`,
    };
  }
  return seen.value === 't'
    ? { status: 'passed', words: 'is true' }
    : { status: 'failed', words: `gave ${valueWords(seen)}` };
}

function judgeExpected(expected: ValueExpectation, seen: Value): JudgedAssertion {
  if (isExpected(expected, seen)) return { status: 'passed', words: 'gave the expected value' };
  return { status: 'failed', words: `gave ${valueWords(seen)}` };
}

function isExpected({ value, quoted }: ValueExpectation, seen: Value): boolean {
  if (value === null || seen.value === null) return value === seen.value;
  if (seen.type === 'boolean')
    return ['t', 'true'].includes(value.toLowerCase())
      ? seen.value === 't'
      : ['f', 'false'].includes(value.toLowerCase()) && seen.value === 'f';
  if (!quoted && seen.type === 'number') {
    const [wanted, given] = [plainNumber(value), plainNumber(seen.value)];
    return wanted !== undefined && wanted === given;
  }
  return value === seen.value;
}

/** `007.50` and `7.5` are one number; exact, however many digits. `undefined` for what is none. */
function plainNumber(text: string): string | undefined {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  const digits = `${whole.replace(/^0+(?=\d)/, '')}.${fraction.replace(/0+$/, '')}`;
  return digits === '0.' ? '0.' : `${sign === '-' ? '-' : ''}${digits}`;
}

function judgeFreshness(seconds: number, seen: Value, times: { backupAt?: Date; now: Date }): JudgedAssertion {
  const newest = timeOf(seen);
  if (newest === undefined) return { status: 'failed', words: `gave ${valueWords(seen)}, not a point in time` };
  const since = times.backupAt ?? times.now;
  const before = times.backupAt === undefined ? '' : ' than the backup';
  const age = (since.getTime() - newest.getTime()) / 1000;
  const limit = formatAge(seconds);
  if (age > seconds)
    return { status: 'failed', words: `the newest is ${formatAge(age)} older${before}; ${limit} is allowed` };
  if (age < -FUTURE_SECONDS) {
    return {
      status: 'failed',
      words: `the newest is ${formatAge(-age)} later${before}, so it says nothing; leave out rows of the future`,
    };
  }
  const words =
    age < 0
      ? `the newest is not older${before}`
      : `the newest is ${formatAge(age)} older${before}; ${limit} is allowed`;
  return { status: 'passed', words };
}

/** Of Postgres's ISO style in UTC. `undefined` for infinity, years before Christ and what is no time. */
function timeOf({ value, type }: Value): Date | undefined {
  if (value === null || !['timestamptz', 'timestamp', 'date'].includes(type)) return undefined;
  const match = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d{1,6})?))?(?:\+00)?$/.exec(value);
  if (match === null) return undefined;
  const time = new Date(`${match[1]}T${(match[2] ?? '00:00:00').slice(0, 12)}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** A text may be somebody's name: only its length is told. */
function valueWords({ value, type }: Value): string {
  if (value === null) return 'NULL';
  if (type === 'boolean') return value === 't' ? 'true' : 'false';
  return type === 'other' ? `a text of ${countOf(value.length, 'character')}` : value.slice(0, 40);
}

function shapeWords({ rows, columns }: AssertionOutcome & { kind: 'shape' }): string {
  if (columns !== 1) return `gave ${countOf(columns, 'column')}; one is wanted`;
  return rows === 0 ? 'gave no row' : 'gave several rows; one is wanted';
}
