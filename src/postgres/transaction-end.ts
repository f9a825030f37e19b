/** How a transaction ended whose client was lost while it was being committed. */
import type pg from 'pg';
import type { Clock } from '../ports.ts';
import { RESTORE_SESSION } from './restore-process.ts';
import type { TransactionSession } from './restore-transaction.ts';

const LOOK_AGAIN_MS = 100;

/**
 * Ends the session if it is still there: nobody reads its answers any more, and its locks keep others waiting. What
 * had reached its COMMIT by then is committed. Throws what the connection throws, and where the server does not tell.
 */
export async function transactionEnd(
  client: pg.Client,
  { pid, transactionId }: TransactionSession,
  clock: Clock,
): Promise<'committed' | 'undone'> {
  for (;;) {
    await client.query(
      'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND application_name = $2',
      [pid, RESTORE_SESSION],
    );
    const { rows } = await client.query<{ status: string | null }>(
      'SELECT pg_catalog.txid_status($1::bigint) AS status',
      [transactionId],
    );
    switch (rows[0]?.status) {
      case 'committed':
        return 'committed';
      case 'aborted':
        return 'undone';
      case 'in progress':
        await clock.sleep(LOOK_AGAIN_MS);
        break;
      default:
        throw new Error(`The server no longer knows how transaction ${transactionId} ended`);
    }
  }
}
