/**
 * All selected tables locked first, then the catalog, in one transaction that is left open: what follows in it sees
 * one state in which no table can change its shape.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { CatalogFacts, CopySettings, SequenceFacts } from '../domain/facts.ts';
import { displayName } from '../domain/relations.ts';
import type { Scope } from '../domain/scope.ts';
import type { Log } from '../ports.ts';
import { readServer } from './catalog/database.ts';
import type { Relation } from './catalog/relations.ts';
import { type CatalogRequest, readFacts, readSelection, type SelectedCatalog } from './catalog.ts';
import {
  isDeadlock,
  isLockTimeout,
  isVanished,
  type LockTarget,
  lockTableFull,
  lockTables,
  lockTimeoutError,
} from './locks.ts';
import { readSequences } from './sequences.ts';
import { sqlState } from './session.ts';

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

/** Throws `ERR_LOCK_TIMEOUT`, `ERR_SNAPSHOT_LOST`, `ERR_PREFLIGHT`, or the server's errors. */
export async function lockAndRead(
  client: pg.Client,
  request: SnapshotRequest,
  settings: CopySettings,
): Promise<CatalogFacts> {
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
