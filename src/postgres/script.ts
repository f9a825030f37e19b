/** A script of several statements in one transaction of ours, by one simple query, as psql -1 would run it. */
import pg from 'pg';
import { RowlessQuery } from './rowless-query.ts';
import { isServerAnswer } from './session.ts';

/** Why a script was not kept. */
export interface ScriptFailure {
  error: unknown;
  /**
   * `rolled-back`: nothing of it stays. `escaped`: it ended the transaction itself, and what it did before that stays.
   * `unknown`: the session was lost while the server committed.
   */
  state: 'rolled-back' | 'escaped' | 'unknown';
  /** Statements that were done before the one that failed. */
  done: number;
  /** In characters, from 1, where the server tells. */
  position?: number;
}

const NO_INPUT = 'COPY FROM STDIN finds no rows in a script';

/**
 * Runs `text` and commits, or rolls everything back and resolves with the reason. Rows that statements return are
 * dropped. `standard_conforming_strings` is on.
 */
export async function runScript(client: pg.Client, text: string): Promise<ScriptFailure | undefined> {
  await client.query('SET standard_conforming_strings = on; SET statement_timeout = 0');
  await client.query('BEGIN');
  const before = await transactionId(client);
  const script = new Script(text);
  let committing = false;
  try {
    await client.query(script).ended;
    const after = await transactionId(client);
    if (before !== after) return { error: new Error('it ended the transaction'), done: script.done, state: 'escaped' };
    committing = true;
    await client.query('COMMIT');
    return undefined;
  } catch (error) {
    const { position } = error instanceof pg.DatabaseError ? error : {};
    // Of a session that is gone this fails too; the server rolls back by itself then.
    await client.query('ROLLBACK').catch(() => undefined);
    const at = position === undefined ? {} : { position: Number(position) };
    return { error, done: script.done, ...at, state: committing && !isServerAnswer(error) ? 'unknown' : 'rolled-back' };
  }
}

async function transactionId(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.txid_current()::text AS id');
  return (rows[0] as { id: string }).id;
}

/** Counts what was done, and has no rows for `COPY FROM STDIN`. */
class Script extends RowlessQuery {
  done = 0;

  override handleCommandComplete(): void {
    this.done += 1;
  }

  handleCopyInResponse(connection: { sendCopyFail(message: string): void }): void {
    connection.sendCopyFail(NO_INPUT);
  }
}
