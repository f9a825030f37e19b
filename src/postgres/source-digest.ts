/** A second reading of the source in the same snapshot: the same COPY for every table, digested as it comes. */
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { CopySettings, SourceDigests, TableFacts } from '../domain/facts.ts';
import { quoteIdentifier, quoteQualified, relationKey } from '../domain/relations.ts';
import { copyOut } from './copy-out.ts';
import { RowsDigester } from './digest/rows-digester.ts';
import { isLockTimeout, lockTables, lockTimeoutError } from './locks.ts';
import { dumpedRows } from './row-counts.ts';
import { endedBy, isServerAnswer, sqlState } from './session.ts';

/** What a table's COPY needs; `TableFacts` has it, and so has a table of `contents.json`. */
export type CopiedTable = Pick<TableFacts, 'schema' | 'name' | 'columns' | 'extensionCondition'>;

/**
 * Digests the rows of every table with data, read through `client` in the exported snapshot. The session belongs to
 * this call and is of no use afterwards; the caller ends it. All locks are taken first, so that an ALTER that queues
 * behind the snapshot cannot stop this reading half way.
 * Throws `ERR_LOCK_TIMEOUT`, `ERR_SNAPSHOT_LOST` when the snapshot or the session is gone, `ERR_NOT_PROVEN` when the
 * server refuses to read, or the signal's reason.
 */
export async function digestSource(
  client: pg.Client,
  snapshotId: string,
  tables: readonly TableFacts[],
  settings: CopySettings,
  signal: AbortSignal,
  lockTimeoutSeconds = 60,
): Promise<SourceDigests> {
  // The session may die between two statements; the next statement says so.
  client.on('error', () => undefined);
  const read = tables.filter((table) => table.hasData);
  return await endedBy(client, signal, async () => {
    try {
      await adoptSettings(client, settings);
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET TRANSACTION SNAPSHOT '${snapshotId.replaceAll("'", "''")}'`);
      await lockTables(client, read, lockTimeoutSeconds);
      return await digestTables(client, read, settings.client_encoding);
    } catch (error) {
      if (!isLockTimeout(error)) throw explain(error);
      await client.query('ROLLBACK');
      throw await lockTimeoutError(client, read, lockTimeoutSeconds, error);
    }
  });
}

/**
 * Makes a session write the COPY text that the settings describe, whatever role, database and server say; their
 * encoding alone goes into each statement, because the driver itself speaks UTF-8. Also the way to read a restored
 * database again.
 */
export async function adoptSettings(client: pg.Client, settings: CopySettings): Promise<void> {
  const fixed = {
    statement_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    search_path: '',
    row_security: 'off',
    synchronize_seqscans: 'off',
    quote_all_identifiers: 'off',
  };
  for (const [name, value] of Object.entries({ ...settings, ...fixed, client_encoding: 'UTF8' })) {
    await client.query('SELECT pg_catalog.set_config($1, $2, false)', [name, value]);
  }
}

/** Digests of the given tables under the session's own settings and transaction. Throws the server's errors. */
export async function digestTables(
  client: pg.Client,
  tables: readonly CopiedTable[],
  encoding: string,
): Promise<SourceDigests> {
  const digests: SourceDigests = new Map();
  const digester = new RowsDigester();
  for (const table of tables) {
    digester.reset();
    await copyOut(client, copyStatement(table, encoding), (block) => digester.feedRows(block));
    const { rows, digest } = digester.finish();
    digests.set(relationKey(table), { rows, digest });
  }
  return digests;
}

/** The statement that pg_dump runs; a table without columns has no column list. */
export function copyStatement(table: CopiedTable, encoding: string): string {
  const columns = table.columns.map(quoteIdentifier).join(', ');
  const options = `WITH (ENCODING '${encoding.replaceAll("'", "''")}')`;
  if ((table.extensionCondition ?? '') !== '') {
    return `COPY (SELECT ${columns === '' ? '*' : columns} FROM ${dumpedRows(table)}) TO STDOUT ${options}`;
  }
  return `COPY ${quoteQualified(table)}${columns === '' ? '' : ` (${columns})`} TO STDOUT ${options}`;
}

function explain(error: unknown): unknown {
  if (error instanceof BackupError) return error;
  // 22023 and 42704: the snapshot's file is gone, so its holder is.
  if (!isServerAnswer(error) || ['22023', '42704', '55000'].includes(sqlState(error) ?? '')) {
    return new BackupError(
      'ERR_SNAPSHOT_LOST',
      `The snapshot was lost during the second reading of the source: ${messageOf(error)}`,
      {
        op: 'verify source',
        hint: 'The server ended a session or the network cut it. Run the backup again.',
        retryable: true,
        cause: error,
      },
    );
  }
  return new BackupError('ERR_NOT_PROVEN', `The source could not be read a second time: ${messageOf(error)}`, {
    op: 'verify source',
    hint: 'Read the message; it is the server speaking.',
    cause: error,
  });
}
