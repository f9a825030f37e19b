/**
 * The snapshot that pg_dump reads and the facts of it. Locks come first, then the first query, then the export: a
 * TRUNCATE or a rewriting ALTER between an export and pg_dump's own lock would empty a table unseen.
 */
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { CatalogFacts, CopySettings, TableFacts } from '../domain/facts.ts';
import { type QualifiedName, relationKey } from '../domain/relations.ts';
import { readCopySettings } from './catalog/settings.ts';
import { type Definitions, readDefinitions } from './definitions.ts';
import { lockAndRead, type SnapshotRequest } from './locked-read.ts';
import { countTableRows } from './row-counts.ts';
import { readSequencesAgain } from './sequences.ts';
import { endedBy, endSession, isServerAnswer, sqlState } from './session.ts';

export interface Snapshot {
  /** For `pg_dump --snapshot` and `SET TRANSACTION SNAPSHOT`, until {@link close}. */
  readonly id: string;
  readonly facts: CatalogFacts;
  /** Rejects with `ERR_SNAPSHOT_LOST` when the session dies before {@link close}; never resolves. */
  readonly lost: Promise<never>;
  /**
   * Fills `rows` of the tables in `facts` that have data and are critical or not larger than `maxTableBytes`.
   * Stops between statements when `signal` aborts, with its reason. Throws `ERR_NOT_PROVEN` when the server refuses.
   */
  countRows(maxTableBytes: number, signal: AbortSignal): Promise<void>;
  /** The definitions of this snapshot, for {@link changedDefinitions}. */
  readDefinitions(): Promise<Definitions>;
  /** Fills `after` of the sequences in `facts`; those that cannot be read keep none. */
  readSequencesAfter(): Promise<void>;
  /** Ends the transaction and the session. Idempotent, bounded, never rejects. */
  close(): Promise<void>;
}

/**
 * Opens the snapshot on a direct, fresh, connected session, which belongs to the snapshot from now on, also when this
 * throws: `ERR_LOCK_TIMEOUT`, `ERR_SNAPSHOT_LOST`, `ERR_PATTERN`, `ERR_PREFLIGHT`, or the signal's reason.
 * One statement at a time: the methods must not run side by side.
 */
export async function openSnapshot(client: pg.Client, request: SnapshotRequest): Promise<Snapshot> {
  const watch = watchSession(client);
  try {
    return await endedBy(client, request.signal, async () => {
      const settings = await prepareSession(client);
      const taken = await lockAndRead(client, request, settings);
      const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id');
      return describeSnapshot(client, (rows[0] as { id: string }).id, taken, watch);
    });
  } catch (error) {
    await watch.close();
    if (request.signal.aborted) throw request.signal.reason;
    throw explain(error);
  }
}

async function prepareSession(client: pg.Client): Promise<CopySettings> {
  await client.query('SET statement_timeout = 0');
  await client.query('SET idle_in_transaction_session_timeout = 0');
  const { rows } = await client.query<{ number: string }>(
    "SELECT pg_catalog.current_setting('server_version_num') AS number",
  );
  if (Number(rows[0]?.number) >= 170_000) await client.query('SET transaction_timeout = 0');
  // Otherwise counts would silently leave rows out where pg_dump stops with an error.
  await client.query('SET row_security = off');
  return await readCopySettings(client);
}

interface SessionWatch {
  lost: Promise<never>;
  close(): Promise<void>;
}

function watchSession(client: pg.Client): SessionWatch {
  let closing: Promise<void> | undefined;
  const lost = new Promise<never>((_, reject) => {
    const onLoss = (cause?: Error): void => {
      if (closing === undefined) reject(sessionLost(cause));
    };
    client.on('error', onLoss);
    client.on('end', () => onLoss());
  });
  // Whoever races it sees the rejection; this only keeps Node from calling it unhandled.
  lost.catch(() => undefined);
  return {
    lost,
    close: () => {
      closing ??= endSession(client);
      return closing;
    },
  };
}

function sessionLost(cause: unknown): BackupError {
  const why = cause === undefined ? 'the connection was closed' : messageOf(cause);
  return new BackupError('ERR_SNAPSHOT_LOST', `The session that holds the snapshot was lost: ${why}`, {
    op: 'hold snapshot',
    hint: 'The server ended it (restart, failover, pg_terminate_backend) or the network cut it. Nothing was published; run the backup again.',
    retryable: true,
    cause,
  });
}

function describeSnapshot(client: pg.Client, id: string, facts: CatalogFacts, watch: SessionWatch): Snapshot {
  const guarded = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      throw error instanceof BackupError || isServerAnswer(error) ? error : sessionLost(error);
    }
  };
  return {
    id,
    facts,
    lost: watch.lost,
    countRows: (maxTableBytes, signal) =>
      guarded(async () => {
        const critical = new Set(
          facts.tables
            .filter((table) => table.critical)
            .flatMap(withLeaves)
            .map(relationKey),
        );
        const chosen = facts.tables.filter(
          (table) => critical.has(relationKey(table)) || table.sizeBytes <= maxTableBytes,
        );
        await countTableRows(
          client,
          chosen.filter((table) => table.hasData),
          signal,
        );
      }),
    readDefinitions: () =>
      guarded(() =>
        readDefinitions(
          client,
          facts.tables.map(({ oid }) => oid),
        ),
      ),
    readSequencesAfter: () => guarded(() => readSequencesAgain(client, facts.sequences)),
    close: watch.close,
  };
}

/** Rows of a partitioned table are those of its leaves. */
function withLeaves(table: TableFacts): QualifiedName[] {
  return [table, ...(table.leaves ?? [])];
}

function explain(error: unknown): unknown {
  if (error instanceof BackupError) return error;
  if (!isServerAnswer(error)) return sessionLost(error);
  const denied = sqlState(error) === '42501';
  return new BackupError('ERR_PREFLIGHT', `The server refused to take the snapshot: ${messageOf(error)}`, {
    op: 'take snapshot',
    hint: denied
      ? 'The role of `database-url` may not read everything in scope. Grant it what the message names (`GRANT pg_read_all_data TO role` from Postgres 14 on), or narrow the scope.'
      : 'Read the message; it is the server speaking. Run the backup again when its cause is removed.',
    cause: error,
  });
}
