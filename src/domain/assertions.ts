/**
 * Assertions: what a user says must hold in a database, as SQL. One language and one judge for drills, restores and
 * checks. Reading and judging are pure; `src/postgres/assertions.ts` asks the server.
 *
 * - `SELECT count(*) > 100 FROM orders` must give true.
 * - `SELECT count(*) FROM orders WHERE total < 0 => 0` must give that value.
 * - `freshness 26h: SELECT max(created_at) FROM orders` must give a time that is not more than 26 hours before the
 *   backup's (in a check: before now).
 */
import type { Assertion } from './assertions/assertion.ts';
import { readExpectation } from './assertions/expected-value.ts';
import { type AssertionText, splitAssertions } from './assertions/split.ts';
import { BackupError } from './errors.ts';
import { wordOf } from './sql/statements.ts';
import type { SqlToken } from './sql/tokens.ts';

export { type AssertionOutcome, type JudgedAssertion, judgeAssertion, type ValueType } from './assertions/judge.ts';
export type { Assertion };

/** With what a query can begin; none of these can hold two statements. */
const QUERY_WORDS = ['SELECT', 'WITH', 'VALUES', 'TABLE', 'SHOW'];
const SET_WORDS = ['UNION', 'EXCEPT', 'INTERSECT', 'ALL', 'DISTINCT'];
const MAX_ASSERTIONS = 1000;
const SHOWN_CHARACTERS = 120;
const UNIT_SECONDS: Readonly<Record<string, number>> = { min: 60, h: 3600, d: 86_400 };

/**
 * One assertion a line, or, where any line holds a semicolon, statements that end in one and may be several lines long.
 * Lines that begin with `#` or `--` are comments.
 * @throws BackupError `ERR_INPUT` with every line that is wrong or could mean two things
 */
export function parseAssertions(text: string): Assertion[] {
  const { parts, problems } = splitAssertions(text.replace(/^\uFEFF/, ''));
  const assertions: Assertion[] = [];
  for (const part of parts) {
    const read = readAssertion(part);
    if (typeof read === 'string') problems.push({ line: part.line, message: read });
    else assertions.push(read);
  }
  if (problems.length === 0 && assertions.length === 0) {
    problems.push({ line: 1, message: 'there is no assertion, only comments or nothing' });
  }
  if (assertions.length > MAX_ASSERTIONS) {
    problems.push({ line: 1, message: `there are ${assertions.length} assertions; ${MAX_ASSERTIONS} is the most` });
  }
  if (problems.length === 0) return assertions;
  const lines = problems.sort((left, right) => left.line - right.line);
  throw new BackupError('ERR_INPUT', lines.map(({ line, message }) => `line ${line}: ${message}`).join('; '), {
    op: 'read assertions',
    hint: 'Correct `assertions`: a query that gives true, `query => value`, or `freshness 26h: query`. No assertion was run.',
  });
}

/** What is wrong, in words, when it is no assertion. */
function readAssertion({ line, text, tokens }: AssertionText): Assertion | string {
  const words = oneLine(text);
  if (wordOf(tokens[0]) === 'FRESHNESS') return readFreshness({ line, text, tokens }, words);
  const arrows = tokens.filter((token) => token.text === '=>' && token.depth === 0);
  if (arrows.length > 1) return '`=>` stands in it twice; the expected value comes once, at the end';
  const arrow = arrows[0];
  const query = arrow === undefined ? tokens : tokens.filter(({ at }) => at < arrow.at);
  const fault = queryFault(query);
  if (fault !== undefined) return fault;
  const sql = cut(text, query);
  if (arrow === undefined) return { line, sql, expected: { form: 'true' }, words };
  const expected = readExpectation(
    text,
    tokens.filter(({ at }) => at > arrow.at),
  );
  return typeof expected === 'string' ? expected : { line, sql, expected, words };
}

function readFreshness({ line, text, tokens }: AssertionText, words: string): Assertion | string {
  const colon = tokens.findIndex((token) => token.text === ':' && token.depth === 0);
  const limit = colon < 0 ? '' : text.slice((tokens[0] as SqlToken).end, (tokens[colon] as SqlToken).at).trim();
  const match = /^(\d{1,5}) ?(min|h|d)$/.exec(limit);
  if (/^\d+ ?m$/.test(limit)) return '`m` could be minutes or months; write `min`, `h` or `d`';
  const [, number = '0', unit = 'h'] = match ?? [];
  const seconds = Number(number) * (UNIT_SECONDS[unit] as number);
  if (match === null || seconds === 0) {
    return 'it is no freshness; write `freshness 26h: SELECT max(created_at) FROM orders`, with `min`, `h` or `d`';
  }
  const query = tokens.slice(colon + 1);
  if (query.some((token) => token.text === '=>' && token.depth === 0)) {
    return 'a freshness has its limit in front and expects no value behind `=>`';
  }
  const fault = queryFault(query);
  return fault ?? { line, sql: cut(text, query), expected: { form: 'freshness', seconds }, words };
}

/** Why this is not exactly one query. */
function queryFault(tokens: readonly SqlToken[]): string | undefined {
  const first = tokens.find(({ text }) => text !== '(');
  if (first === undefined) return 'the query is missing';
  if (!QUERY_WORDS.includes(wordOf(first))) {
    return `it begins with ${JSON.stringify(first.text.slice(0, 40))}; a query begins with SELECT, WITH, VALUES, TABLE or SHOW, and one of several lines ends in a semicolon`;
  }
  let expected = wordOf(first) === 'WITH' ? 1 : 0;
  for (const [index, token] of tokens.entries()) {
    if (index === 0 || token.depth > 0 || wordOf(token) !== 'SELECT') continue;
    if (SET_WORDS.includes(wordOf(tokens[index - 1]))) continue;
    if (expected === 0)
      return 'a second query begins in it; end every query with a semicolon, or write each on one line';
    expected -= 1;
  }
  return undefined;
}

function cut(text: string, tokens: readonly SqlToken[]): string {
  return text.slice((tokens[0] as SqlToken).at, (tokens.at(-1) as SqlToken).end);
}

function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}
