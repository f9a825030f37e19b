/** The session of a health check: every question is a short read-only transaction of its own that waits for nobody. */
import type pg from 'pg';
import type { Hidden, Seen } from '../../domain/check/model.ts';
import { BackupError, messageOf } from '../../domain/errors.ts';
import { quoteIdentifier } from '../../domain/relations.ts';
import { serverWords } from '../server-words.ts';
import { endedBy, endSession, isServerAnswer, sqlState } from '../session.ts';

/** Whoever holds a lock for longer is not waited for: the check is not run, and says so. */
const LOCK_TIMEOUT_MS = 1_000;
const STATEMENT_TIMEOUT_SECONDS = 5;
/** Of a whole transaction of several statements. */
const TRANSACTION_SECONDS = 30;
/** For a server that does not even heed its own timeout. */
const GRACE_MS = 5_000;

export interface AskOptions {
  /** Of the statement; 5 by default. */
  seconds?: number;
  /** The search_path of the role instead of pg_catalog alone: for names that a user wrote without a schema. */
  ownPath?: boolean;
}

export interface HealthSessionParts {
  client: pg.Client;
  /** Opens another one when the server ended the first; throws what `connect` throws. */
  reopen(): Promise<pg.Client>;
  signal: AbortSignal;
}

export class HealthSession {
  readonly #parts: HealthSessionParts;
  #client: pg.Client | undefined;

  constructor(parts: HealthSessionParts) {
    this.#parts = parts;
    this.#client = this.#watch(parts.client);
  }

  /** A session that ended is not used again. */
  #watch(client: pg.Client): pg.Client {
    client.once('end', () => {
      if (this.#client === client) this.#client = undefined;
    });
    return client;
  }

  /** The session itself, for readers with transactions of their own. Throws what `reopen` throws. */
  async client(): Promise<pg.Client> {
    this.#parts.signal.throwIfAborted();
    this.#client ??= this.#watch(await this.#parts.reopen());
    return this.#client;
  }

  /**
   * The rows of one statement, which must hold no parameters: transaction, settings and statement travel as one message,
   * so that a distant server costs one round trip, and nothing is left behind in a server session that a pooler shares.
   * A session that was lost is opened again, once. Throws the server's own errors.
   */
  async ask<Row extends object>(sql: string, options: AskOptions = {}): Promise<Row[]> {
    try {
      return await this.#askOnce<Row>(sql, options);
    } catch (error) {
      if (error instanceof BackupError || isServerAnswer(error) || this.#client !== undefined || isOverdue(error))
        throw error;
      return await this.#askOnce<Row>(sql, options);
    }
  }

  /**
   * For those who ask in ways of their own: the session as it is, which is ended when they do not come to their end in
   * time. Throws what `body` throws.
   */
  async lend<T>(body: (client: pg.Client) => Promise<T>, seconds: number): Promise<T> {
    const client = await this.client();
    const overdue = AbortSignal.timeout(seconds * 1000);
    return await endedBy(client, AbortSignal.any([this.#parts.signal, overdue]), () => body(client));
  }

  /** Several statements of one read-only transaction, with the same limits. Throws what they throw; never commits. */
  async transaction<T>(body: (client: pg.Client) => Promise<T>): Promise<T> {
    return await this.lend(async (client) => {
      await client.query(`BEGIN TRANSACTION READ ONLY; ${settings(STATEMENT_TIMEOUT_SECONDS, false)}`);
      try {
        return await body(client);
      } finally {
        // A dead session says so in the error that is on its way.
        await client.query('ROLLBACK').catch(() => undefined);
      }
    }, TRANSACTION_SECONDS);
  }

  /** What `read` gives, or why the server refused it. Throws only when the session or the run is lost for good. */
  async see<T>(read: () => Promise<T>, grant: string): Promise<Seen<T>> {
    try {
      return { seen: await read() };
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      if (error instanceof BackupError) throw error;
      return hiddenBy(error, grant);
    }
  }

  async end(): Promise<void> {
    if (this.#client !== undefined) await endSession(this.#client);
  }

  async #askOnce<Row extends object>(
    sql: string,
    { seconds = STATEMENT_TIMEOUT_SECONDS, ownPath = false }: AskOptions,
  ): Promise<Row[]> {
    const client = await this.client();
    const text = `BEGIN TRANSACTION READ ONLY; ${settings(seconds, ownPath)}; ${sql}; COMMIT`;
    const overdue = AbortSignal.timeout(seconds * 1000 + GRACE_MS);
    try {
      const results = await endedBy(client, AbortSignal.any([this.#parts.signal, overdue]), () =>
        client.query<Row>(text),
      );
      return (results as unknown as pg.QueryResult<Row>[]).at(-2)?.rows ?? [];
    } catch (error) {
      // A transaction that the server refused waits for its end; a session that is gone is not used again.
      if (isServerAnswer(error)) await client.query('ROLLBACK');
      else {
        await endSession(client);
        this.#client = undefined;
      }
      throw error;
    }
  }
}

function settings(seconds: number, ownPath: boolean): string {
  return [
    `SET LOCAL lock_timeout = '${LOCK_TIMEOUT_MS}ms'`,
    `SET LOCAL statement_timeout = '${seconds}s'`,
    `SET LOCAL search_path TO ${ownPath ? 'DEFAULT' : 'pg_catalog'}`,
    // What a policy would hide is refused instead of left out.
    'SET LOCAL row_security = off',
    "SET LOCAL TimeZone = 'UTC'",
  ].join('; ');
}

/** The role that shows what others do, as the statement that grants it. */
export function grantMonitor(role: string): string {
  return `GRANT pg_monitor TO ${quoteIdentifier(role)};`;
}

function isOverdue(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

/** Why a question had no answer, in words. */
export function hiddenBy(error: unknown, grant: string): Hidden {
  if (isOverdue(error))
    return { hidden: 'The server did not answer in time', action: 'Run the check again when it is less busy.' };
  if (!isServerAnswer(error))
    return { hidden: `The session was lost: ${messageOf(error)}`, action: 'Run the check again.' };
  switch (sqlState(error)) {
    case '42501':
      return { hidden: `This role may not see it: ${serverWords(error)}`, action: grant };
    case '55P03':
      return {
        hidden: `Somebody holds a lock that is in the way, and a check waits for nobody: ${serverWords(error)}`,
        action: 'Run the check again when that is over; a migration holds such a lock.',
      };
    case '57014':
      return {
        hidden: `It took too long: ${serverWords(error)}`,
        action: 'Run the check again when the server is less busy.',
      };
    default:
      return {
        hidden: `The server refused the question: ${serverWords(error)}`,
        action: 'If this stays so, switch the check off, and report it.',
      };
  }
}

/** No such column, function or operator, or another type: what was asked for is not there, whoever asks. */
const MISTAKES: readonly string[] = ['42703', '42883', '42804', '42P18', '22007'];

/** What `ask` gives, or what is wrong with a question that a user has put together. Throws everything else. */
export async function unlessMistaken<T>(ask: () => Promise<T>): Promise<T | { mistake: string }> {
  try {
    return await ask();
  } catch (error) {
    if (!MISTAKES.includes(sqlState(error) ?? '')) throw error;
    return { mistake: serverWords(error) };
  }
}
