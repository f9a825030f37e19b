/** What the driver leaves open about a session: how to end it whatever its state, and what an error came from. */
import type { Socket } from 'node:net';
import pg from 'pg';

/** How long a polite goodbye may take on a network that swallows everything. */
const GOODBYE_MS = 2_000;

/** The SQLSTATE of a server's error, `undefined` for everything else. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The server refused a statement and the session lives on; false for dead connections and for sessions being ended. */
export function isServerAnswer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !state.startsWith('57P') && !state.startsWith('08');
}

/** One of our sessions, for whoever watches whether it is alive. */
export interface OwnSession {
  /** Process id of its backend. */
  readonly pid: number;
  /** Grows with every byte that arrives. */
  bytesRead(): number;
}

/** Behind a session pooler the greeting names a process that does not exist, so the server itself is asked. */
export async function ownSession(client: pg.Client): Promise<OwnSession> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  const stream = client.connection.stream as Socket;
  return { pid: (rows[0] as { pid: number }).pid, bytesRead: () => stream.bytesRead };
}

/** Ends the session; bounded, idempotent, never rejects. What it was doing is given up. */
export async function endSession(client: pg.Client): Promise<void> {
  const stream = client.connection.stream;
  const timer = setTimeout(() => stream.destroy(), GOODBYE_MS);
  await client.end().catch(() => stream.destroy());
  clearTimeout(timer);
}

/**
 * Runs `body` on a session that is ended the moment `signal` aborts; rejects with the signal's reason then.
 * The session is of no use afterwards.
 */
export async function endedBy<T>(client: pg.Client, signal: AbortSignal, body: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const abort = (): void => {
    client.connection.stream.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await body();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
