/** `count(*)` at the source, inside the snapshot. */
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { TableFacts } from '../domain/facts.ts';
import { quoteQualified } from '../domain/relations.ts';
import { isServerAnswer } from './session.ts';

/** One statement counts tables until either is reached: few round trips, and a signal is heard soon. */
const BATCH_TABLES = 100;
const BATCH_BYTES = 64 * 1024 * 1024;

/**
 * Fills `rows`. Needs an open transaction, which survives the server's errors through savepoints.
 * Throws `ERR_NOT_PROVEN` when the server refuses, the signal's reason when it aborts between two statements.
 */
export async function countTableRows(
  client: pg.Client,
  tables: readonly TableFacts[],
  signal: AbortSignal,
): Promise<void> {
  for (const batch of batches(tables)) {
    signal.throwIfAborted();
    await countBatch(client, batch);
  }
}

function* batches(tables: readonly TableFacts[]): Generator<TableFacts[]> {
  let batch: TableFacts[] = [];
  let bytes = 0;
  for (const table of tables) {
    if (batch.length === BATCH_TABLES || (batch.length > 0 && bytes + table.sizeBytes > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(table);
    bytes += table.sizeBytes;
  }
  if (batch.length > 0) yield batch;
}

/**
 * The FROM clause of exactly the rows that pg_dump copies. Under an extension's condition it leaves out ONLY, so the
 * rows of inheritance children come along.
 */
export function dumpedRows(table: Pick<TableFacts, 'schema' | 'name' | 'extensionCondition'>): string {
  const condition = table.extensionCondition ?? '';
  return condition === '' ? `ONLY ${quoteQualified(table)}` : `${quoteQualified(table)} ${condition}`;
}

async function countBatch(client: pg.Client, batch: readonly TableFacts[]): Promise<void> {
  const selects = batch.map(
    (table, index) => `SELECT ${index} AS i, pg_catalog.count(*)::text AS rows FROM ${dumpedRows(table)}`,
  );
  await client.query('SAVEPOINT counting');
  try {
    const { rows } = await client.query<{ rows: string }>(`${selects.join('\nUNION ALL ')}\nORDER BY 1`);
    batch.forEach((table, index) => {
      const counted = rows[index]?.rows;
      if (counted !== undefined) table.rows = Number(counted);
    });
    await client.query('RELEASE SAVEPOINT counting');
  } catch (error) {
    if (!isServerAnswer(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT counting');
    throw new BackupError('ERR_NOT_PROVEN', `Rows could not be counted at the source: ${messageOf(error)}`, {
      op: 'count rows',
      hint: 'Read the message; it is the server speaking. The dump itself is not affected.',
      cause: error,
    });
  }
}
