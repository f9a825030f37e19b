/** Asks a server what assertions say of it: each in a read-only transaction of its own, which is always rolled back. */
import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { type Assertion, type AssertionOutcome, judgeAssertion, type ValueType } from '../domain/assertions.ts';
import type { AssertionResult } from '../domain/drill-checks.ts';
import { messageOf } from '../domain/errors.ts';
import { serverWords } from './server-words.ts';
import { endedBy, isServerAnswer, sqlState } from './session.ts';

/** For a server that does not even heed its own timeout. */
const GRACE_MS = 5_000;
const QUERY_CANCELED = '57014';
/** A query with a parameter, which nobody gives a value; the session lives on. */
const PROTOCOL_VIOLATION = '08P01';
const MAX_TEXT = 10_000;

const TYPES: Readonly<Record<number, ValueType>> = {
  16: 'boolean',
  20: 'number',
  21: 'number',
  23: 'number',
  26: 'number',
  700: 'number',
  701: 'number',
  1700: 'number',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamptz',
};

export interface AssertionRun {
  /** Of each assertion. */
  statementTimeoutSeconds: number;
  /** For a lock that somebody holds; absent: as long as the statement. */
  lockTimeoutSeconds?: number;
  /** Time of the backup's snapshot; absent: freshness counts from `now`. */
  backupAt?: Date;
  now: Date;
  /** Ends the session; rejects with its reason then. */
  signal: AbortSignal;
}

/**
 * One after the other, all of them, whatever becomes of one. Times are read and shown in UTC. After an answer that
 * never came the session is of no use any more: the rest is not-run.
 * Rejects only when `run.signal` aborts.
 */
export async function runAssertions(
  client: pg.Client,
  assertions: readonly Assertion[],
  run: AssertionRun,
): Promise<AssertionResult[]> {
  const results: AssertionResult[] = [];
  let lost: string | undefined;
  for (const assertion of assertions) {
    const from = performance.now();
    const asked = lost === undefined ? await ask(client, assertion, run) : undefined;
    const outcome: AssertionOutcome = asked?.outcome ?? { kind: 'not-asked', why: lost ?? '' };
    lost = lost ?? asked?.lost;
    const times = run.backupAt === undefined ? { now: run.now } : { backupAt: run.backupAt, now: run.now };
    results.push({
      line: assertion.line,
      assertion: assertion.words,
      ...judgeAssertion(assertion, outcome, times),
      seconds: (performance.now() - from) / 1000,
    });
  }
  return results;
}

interface Asked {
  outcome: AssertionOutcome;
  /** Why nothing more can be asked. */
  lost?: string;
}

async function ask(client: pg.Client, assertion: Assertion, run: AssertionRun): Promise<Asked> {
  const { statementTimeoutSeconds: seconds, signal } = run;
  const overdue = AbortSignal.timeout(seconds * 1000 + GRACE_MS);
  try {
    const outcome = await endedBy(client, AbortSignal.any([signal, overdue]), () =>
      inTransaction(client, assertion, run),
    );
    return { outcome };
  } catch (error) {
    signal.throwIfAborted();
    if (overdue.aborted)
      return { outcome: { kind: 'timed-out', seconds }, lost: 'the server fell silent during an earlier one' };
    const outcome: AssertionOutcome = { kind: 'not-asked', why: `the session was lost (${messageOf(error)})` };
    return { outcome, lost: 'the session was lost during an earlier one' };
  }
}

async function inTransaction(client: pg.Client, assertion: Assertion, run: AssertionRun): Promise<AssertionOutcome> {
  const { statementTimeoutSeconds: seconds, lockTimeoutSeconds } = run;
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const settings = {
    statement_timeout: `${seconds}s`,
    ...(lockTimeoutSeconds === undefined ? {} : { lock_timeout: `${lockTimeoutSeconds}s` }),
    TimeZone: 'UTC',
    DateStyle: 'ISO, YMD',
    standard_conforming_strings: 'on',
  };
  for (const [name, value] of Object.entries(settings)) {
    await client.query('SELECT pg_catalog.set_config($1, $2, true)', [name, value]);
  }
  try {
    return await firstRows(client, assertion.sql);
  } catch (error) {
    if (sqlState(error) === QUERY_CANCELED) return { kind: 'timed-out', seconds };
    if (!isServerAnswer(error) && sqlState(error) !== PROTOCOL_VIOLATION) throw error;
    return { kind: 'refused', message: serverWords(error) };
  } finally {
    // Of a session that is gone this fails too, and the first error is the one to tell.
    await client.query('ROLLBACK').catch(() => undefined);
  }
}

/** Of the driver: by the extended protocol, in which the server itself refuses a second statement. */
const EXTENDED = { queryMode: 'extended' };

/** By a cursor, so that a query for all rows of a table brings two of them; SHOW has none and is short. */
async function firstRows(client: pg.Client, sql: string): Promise<AssertionOutcome> {
  const isShow = /^\s*show\b/i.test(sql);
  if (!isShow) await client.query({ text: `DECLARE assertion NO SCROLL CURSOR FOR ${sql}`, ...EXTENDED });
  const text = isShow ? sql : 'FETCH 2 FROM assertion';
  const types: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };
  const asText = { text, rowMode: 'array' as const, types, ...EXTENDED };
  const { rows, fields } = await client.query<(string | null)[]>(asText);
  const [field] = fields;
  if (rows.length !== 1 || fields.length !== 1 || field === undefined) {
    return { kind: 'shape', rows: rows.length, columns: fields.length };
  }
  const value = rows[0]?.[0] ?? null;
  return {
    kind: 'value',
    value: value === null ? null : value.slice(0, MAX_TEXT),
    type: TYPES[field.dataTypeID] ?? 'other',
  };
}
