/**
 * The snapshot that pg_dump reads and the facts of it. Locks come first, then the first query, then the export: a
 * TRUNCATE or a rewriting ALTER between an export and pg_dump's own lock would empty a table unseen.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { CatalogFacts, CopySettings, SequenceFacts, TableFacts } from '../domain/facts.ts';
import { displayName, type QualifiedName, relationKey } from '../domain/relations.ts';
import type { Scope } from '../domain/scope.ts';
import type { Log } from '../ports.ts';
import { readServer } from './catalog/database.ts';
import type { Relation } from './catalog/relations.ts';
import { readCopySettings } from './catalog/settings.ts';
import { type CatalogRequest, readFacts, readSelection, type SelectedCatalog } from './catalog.ts';
import { type Definitions, readDefinitions } from './definitions.ts';
import {
  isDeadlock,
  isLockTimeout,
  isVanished,
  type LockTarget,
  lockTableFull,
  lockTables,
  lockTimeoutError,
} from './locks.ts';
import { countTableRows } from './row-counts.ts';
import { readSequences, readSequencesAgain } from './sequences.ts';
import { endedBy, endSession, isServerAnswer, sqlState } from './session.ts';

/** How often tables may appear, vanish or change their name while they are being locked. */
const ATTEMPTS = 5;

/**
 * Below Postgres's own `deadlock_timeout` of 1 s: a migration that holds one table and wants another would otherwise
 * find itself in a deadlock with this session, and be the one that is ended. All locks are let go between attempts.
 */
const LOCK_ATTEMPT_SECONDS = 0.5;
const LOCK_PAUSE_MS = 300;

export interface SnapshotRequest {
  scope: Scope;
  criticalTables: readonly string[];
  /** How long each lock may be waited for. */
  lockTimeoutSeconds: number;
  signal: AbortSignal;
  log: Log;
}

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

async function lockAndRead(client: pg.Client, request: SnapshotRequest, settings: CopySettings): Promise<CatalogFacts> {
  const { rows } = await client.query<{ name: string }>('SELECT pg_catalog.current_database()::text AS name');
  const catalogRequest: CatalogRequest = {
    scope: request.scope,
    criticalTables: request.criticalTables,
    database: (rows[0] as { name: string }).name,
    server: await readServer(client),
  };
  const deadline = performance.now() + request.lockTimeoutSeconds * 1000;
  let changed: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; ) {
    const expected = await readTargets(client, catalogRequest);
    const outcome = await tryOnce(client, request, catalogRequest, expected, settings);
    if (outcome instanceof LocksHeld) {
      await client.query('ROLLBACK');
      if (performance.now() > deadline) {
        throw await lockTimeoutError(client, expected, request.lockTimeoutSeconds, outcome.cause);
      }
      await pause(LOCK_PAUSE_MS, undefined, { signal: request.signal });
      continue;
    }
    if (!Array.isArray(outcome)) return outcome;
    changed = outcome;
    attempt += 1;
    request.log.info(`Tables changed while they were being locked (${changed.join(', ')}); again`);
    await client.query('ROLLBACK');
  }
  throw new BackupError(
    'ERR_SNAPSHOT_LOST',
    `Tables appeared, vanished or changed their names ${ATTEMPTS} times while they were being locked: ${changed.join(', ')}`,
    {
      op: 'lock tables',
      hint: 'Something creates and drops tables all the time. Leave those out with `exclude-tables` or `exclude-schemas`, or run the backup when no migration runs.',
      retryable: true,
    },
  );
}

async function readTargets(client: pg.Client, request: CatalogRequest): Promise<LockTarget[]> {
  await client.query('BEGIN READ ONLY');
  const targets = lockTargets(await readSelection(client, request));
  await client.query('COMMIT');
  return targets;
}

/** Foreign tables, views and sequences take no LOCK. */
function lockTargets(catalog: SelectedCatalog): LockTarget[] {
  return catalog.selection.tables
    .map(({ relation }) => relation)
    .filter(({ kind }) => kind !== 'f')
    .map(({ oid, schema, name }) => ({ oid, schema, name }));
}

/** Another session holds a lock that excludes reading. */
class LocksHeld {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** The facts, the names of what changed in between, or that locks are held. The transaction stays open either way. */
async function tryOnce(
  client: pg.Client,
  request: SnapshotRequest,
  catalogRequest: CatalogRequest,
  expected: readonly LockTarget[],
  settings: CopySettings,
): Promise<CatalogFacts | string[] | LocksHeld> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await lockTables(client, expected, Math.min(LOCK_ATTEMPT_SECONDS, request.lockTimeoutSeconds));
  } catch (error) {
    if (isVanished(error) || isDeadlock(error)) return [messageOf(error)];
    if (sqlState(error) === '53200') throw lockTableFull(expected.length, error);
    if (!isLockTimeout(error)) throw error;
    return new LocksHeld(error);
  }
  return await readLocked(client, catalogRequest, expected, settings);
}

async function readLocked(
  client: pg.Client,
  request: CatalogRequest,
  expected: readonly LockTarget[],
  settings: CopySettings,
): Promise<CatalogFacts | string[]> {
  // The first query takes the snapshot, so its time is the snapshot's.
  const { rows } = await client.query<{ at: string }>(
    `SELECT pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.statement_timestamp()), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at`,
  );
  const catalog = await readSelection(client, request);
  const changed = differences(expected, lockTargets(catalog));
  if (changed.length > 0) return changed;
  const facts = await readFacts(client, request, catalog, settings);
  const sequences = await readSelectedSequences(client, catalog.selection.sequences);
  return Array.isArray(sequences.gone)
    ? sequences.gone
    : { ...facts, snapshotAt: (rows[0] as { at: string }).at, sequences: sequences.read };
}

/** A sequence without a table of ours can be dropped between the snapshot and the reading of its value. */
async function readSelectedSequences(
  client: pg.Client,
  selected: readonly Relation[],
): Promise<{ read: SequenceFacts[]; gone?: string[] }> {
  try {
    return { read: await readSequences(client, selected) };
  } catch (error) {
    if (!isVanished(error)) throw error;
    return { read: [], gone: [messageOf(error)] };
  }
}

/** Names of tables that are in one list only, by OID and name. */
function differences(before: readonly LockTarget[], after: readonly LockTarget[]): string[] {
  const key = (target: LockTarget): string => `${target.oid}\0${target.schema}\0${target.name}`;
  const old = new Set(before.map(key));
  const current = new Set(after.map(key));
  const changed = [...before.filter((each) => !current.has(key(each))), ...after.filter((each) => !old.has(key(each)))];
  return [...new Set(changed.map(displayName))];
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
    readDefinitions: () => guarded(() => readDefinitions(client)),
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
