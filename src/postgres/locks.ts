/** ACCESS SHARE locks on the tables of a dump, and words for whoever stands in their way. */
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import { displayName, type QualifiedName, quoteQualified } from '../domain/relations.ts';
import { countOf } from '../domain/words.ts';
import { sqlState } from './session.ts';

/** Tables locked by one statement. */
const BATCH = 200;
/** Sessions in the way that an error names. */
const NAMED_BLOCKERS = 5;

export interface LockTarget extends QualifiedName {
  oid: number;
}

/**
 * Locks all tables in ACCESS SHARE mode, each wait bounded by the lock timeout. Needs an open transaction, in which it
 * may come before the first query: LOCK takes no snapshot. Throws the server's errors.
 */
export async function lockTables(
  client: pg.Client,
  tables: readonly QualifiedName[],
  lockTimeoutSeconds: number,
): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${Math.round(lockTimeoutSeconds * 1000)}`);
  for (let from = 0; from < tables.length; from += BATCH) {
    const names = tables.slice(from, from + BATCH).map((table) => `ONLY ${quoteQualified(table)}`);
    await client.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
  }
}

interface Blocker {
  schema: string;
  name: string;
  /** A prepared transaction has none. */
  pid: number | null;
  /** Its name as a literal of SQL. */
  prepared: string | null;
  granted: boolean;
  application: string | null;
  role: string | null;
  state: string | null;
  seconds: number | null;
  /** 0 for a prepared transaction. */
  behind: number[] | null;
}

/**
 * The error for locks that were not granted in time; says which table, which session and since when, as far as the
 * role may see that. Asks through `client`, which must be outside a transaction.
 */
export async function lockTimeoutError(
  client: pg.Client,
  tables: readonly LockTarget[],
  lockTimeoutSeconds: number,
  cause: unknown,
): Promise<BackupError> {
  const blockers = await readBlockers(client, tables);
  const names = [...new Set(blockers.map(displayName))];
  const what =
    names.length === 0 ? `one of ${countOf(tables.length, 'table')}` : names.slice(0, NAMED_BLOCKERS).join(', ');
  const who = blockers.length === 0 ? 'The session in the way is gone by now' : blockers.map(describe).join('; ');
  return new BackupError(
    'ERR_LOCK_TIMEOUT',
    `Could not get a reading lock on ${what} within ${lockTimeoutSeconds} s. ${who}`,
    {
      op: 'lock tables',
      hint: 'A migration, VACUUM FULL or a forgotten transaction is in the way. Let it end and run the backup again, or raise `lock-timeout-seconds`.',
      retryable: true,
      cause,
    },
  );
}

async function readBlockers(client: pg.Client, tables: readonly LockTarget[]): Promise<Blocker[]> {
  const { rows } = await client.query<Blocker>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, l.pid, l.granted, pg_catalog.quote_literal(p.gid) AS prepared,
            NULLIF(a.application_name, '') AS application, a.usename::text AS role, a.state,
            EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int AS seconds,
            pg_catalog.pg_blocking_pids(l.pid) AS behind
       FROM pg_catalog.pg_locks l
       JOIN pg_catalog.pg_class c ON c.oid = l.relation
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
       LEFT JOIN pg_catalog.pg_locks x
         ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.virtualtransaction = l.virtualtransaction
       LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
      WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation = ANY ($1::oid[])
        AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
        AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      ORDER BY l.granted DESC, l.pid LIMIT ${NAMED_BLOCKERS}`,
    [tables.map(({ oid }) => oid)],
  );
  return rows;
}

function describe(blocker: Blocker): string {
  const details = [
    ...(blocker.role === null ? [] : [`role ${blocker.role}`]),
    ...(blocker.application === null ? [] : [`application ${blocker.application}`]),
    ...(blocker.state === null ? [] : [blocker.state]),
    ...(blocker.seconds === null ? [] : [`in its transaction for ${blocker.seconds} s`]),
  ];
  const table = displayName(blocker);
  if (blocker.pid === null) return describePrepared(table, blocker.prepared);
  const session = `session ${blocker.pid}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
  if (blocker.granted) return `${table} is locked exclusively by ${session}`;
  const before = (blocker.behind ?? []).map((pid) => (pid === 0 ? 'a prepared transaction' : `session ${pid}`));
  const behind = before.length === 0 ? '' : ` behind ${before.join(', ')}`;
  return `${session} waits for an exclusive lock on ${table}${behind}, and nobody gets in before it`;
}

/** It belongs to no session and outlives a restart, so waiting is of no use. */
function describePrepared(table: string, gid: string | null): string {
  const name = gid ?? 'its name in pg_prepared_xacts';
  return `${table} is locked exclusively by a prepared transaction, which stays until somebody ends it: COMMIT PREPARED ${name} or ROLLBACK PREPARED ${name}`;
}

/** A lock was refused because of time; `undefined` for other errors. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03';
}

/** The set of tables changed while it was being locked: one is gone, or is something else by now. */
export function isVanished(error: unknown): boolean {
  return ['42P01', '3F000', '42809', 'XX000'].includes(sqlState(error) ?? '');
}

/** We and another session wait for each other's locks, and the server chose us to give way: it can be tried again. */
export function isDeadlock(error: unknown): boolean {
  return sqlState(error) === '40P01';
}

/** The server has no room for so many locks. */
export function lockTableFull(tables: number, cause: unknown): BackupError {
  return new BackupError(
    'ERR_PREFLIGHT',
    `The server has no room for locks on ${countOf(tables, 'table')}: ${messageOf(cause)}`,
    {
      op: 'lock tables',
      hint: 'Raise `max_locks_per_transaction` on the server and restart it, or back up fewer schemas at a time.',
      cause,
    },
  );
}
