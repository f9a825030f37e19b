/** Asks the server, over a connection of its own, what another session of this run is doing. */
import type pg from 'pg';
import type { ConnectionRequest } from '../domain/connection.ts';
import type { Clock, Log } from '../ports.ts';
import { connect } from './connect.ts';
import { endSession } from './session.ts';
import type { SessionState } from './watchdog.ts';

const ASK_TIMEOUT_MS = 15_000;

/** pg_dump is found by its application name, our own sessions by the process ids of their backends. */
export type SessionKey = { applicationName: string } | { pid: number };

/** Of each session that was last seen in a COPY, waiting for rows: the bytes that had come by then. */
type Arrived = Map<number, string>;

/**
 * Asks about sessions that load rows, again and again. Such a session waits for its client in every moment between two rows;
 * that nothing has come since it was asked last tells a dead network from a busy one. Before Postgres 14 no server says how
 * much has come, and whoever waits for rows counts as working.
 */
export function loadingSession(
  request: ConnectionRequest,
  key: SessionKey,
  context: { clock: Clock; log: Log },
  signal: AbortSignal,
): () => Promise<SessionState> {
  const arrived: Arrived = new Map();
  return () => askSession(request, key, context, signal, arrived);
}

/**
 * The state of that session. Bounded to 15 s; rejects when the server does not answer.
 * Works without special rights: a role sees its own sessions in pg_stat_activity.
 */
export async function askSession(
  request: ConnectionRequest,
  key: SessionKey,
  context: { clock: Clock; log: Log },
  signal: AbortSignal,
  arrived?: Arrived,
): Promise<SessionState> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]);
  const { client } = await connect(request, {
    ...context,
    signal: bounded,
    windowSeconds: 0,
    applicationName: 'db-backup-action watchdog',
  });
  const end = (): void => void endSession(client);
  bounded.addEventListener('abort', end, { once: true });
  try {
    const bytes = arrived === undefined ? 'NULL' : await bytesOfCopy(client);
    const { rows } = await client.query<{ pid: number; working: boolean; waitsForRows: boolean; bytes: string | null }>(
      `SELECT pid, state IS NOT DISTINCT FROM 'active' AND wait_event IS DISTINCT FROM 'ClientWrite' AS working,
              wait_event IS NOT DISTINCT FROM 'ClientRead' AS "waitsForRows", ${bytes} AS bytes
         FROM pg_catalog.pg_stat_activity a WHERE ${'pid' in key ? 'pid = $1' : 'application_name = $1'}`,
      ['pid' in key ? key.pid : key.applicationName],
    );
    if (rows.length === 0) return 'gone';
    const working = rows.filter((row) => {
      if (arrived === undefined || !row.waitsForRows || row.bytes === null) return row.working;
      const isStill = arrived.get(row.pid) === row.bytes;
      arrived.set(row.pid, row.bytes);
      return row.working && !isStill;
    });
    return working.length > 0 ? 'working' : 'waiting-for-client';
  } finally {
    bounded.removeEventListener('abort', end);
    await endSession(client);
  }
}

/** SQL for what a COPY of the session `a` has taken, as text; NULL where there is none. */
async function bytesOfCopy(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ known: boolean }>(
    "SELECT pg_catalog.to_regclass('pg_catalog.pg_stat_progress_copy') IS NOT NULL AS known",
  );
  if (rows[0]?.known !== true) return 'NULL';
  return "(SELECT p.relid || ' ' || p.bytes_processed FROM pg_catalog.pg_stat_progress_copy p WHERE p.pid = a.pid)";
}
