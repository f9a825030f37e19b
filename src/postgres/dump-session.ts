/** Asks the server, over a connection of its own, what another session of this run is doing. */
import type { ConnectionRequest } from '../domain/connection.ts';
import type { Clock, Log } from '../ports.ts';
import { connect } from './connect.ts';
import { endSession } from './session.ts';
import type { SessionState } from './watchdog.ts';

const ASK_TIMEOUT_MS = 15_000;

/** pg_dump is found by its application name, our own sessions by the process ids of their backends. */
export type SessionKey = { applicationName: string } | { pid: number };

/**
 * The state of that session. Bounded to 15 s; rejects when the server does not answer.
 * Works without special rights: a role sees its own sessions in pg_stat_activity.
 */
export async function askSession(
  request: ConnectionRequest,
  key: SessionKey,
  context: { clock: Clock; log: Log },
  signal: AbortSignal,
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
    const { rows } = await client.query<{ working: boolean }>(
      `SELECT state IS NOT DISTINCT FROM 'active' AND wait_event IS DISTINCT FROM 'ClientWrite' AS working
         FROM pg_catalog.pg_stat_activity WHERE ${'pid' in key ? 'pid = $1' : 'application_name = $1'}`,
      ['pid' in key ? key.pid : key.applicationName],
    );
    if (rows.length === 0) return 'gone';
    return rows.some((row) => row.working) ? 'working' : 'waiting-for-client';
  } finally {
    bounded.removeEventListener('abort', end);
    await endSession(client);
  }
}
