/** A session for what must be done whatever became of the run: giving access back, looking where a swap stands. */
import type pg from 'pg';
import type { ConnectionRequest } from '../domain/connection.ts';
import type { Clock, Log } from '../ports.ts';
import { connect } from '../postgres/connect.ts';
import { endedBy, endSession } from '../postgres/session.ts';

/** A cancelled run has seconds only before it is killed: what is not done by then is the post step's. */
const LIMIT_MS = 30_000;
const WINDOW_SECONDS = 10;

/**
 * What `work` gives in a session that neither the run's cancellation nor the failure of another part ends, only time.
 * Throws what `connect` throws, and a TimeoutError.
 */
export async function inLastSession<T>(
  connection: ConnectionRequest,
  ports: { clock: Clock; log: Log },
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const options = { ...ports, signal, windowSeconds: WINDOW_SECONDS, applicationName: 'db-backup-action last' };
  const { client } = await connect(connection, options);
  try {
    return await endedBy(client, signal, () => work(client));
  } finally {
    await endSession(client);
  }
}
