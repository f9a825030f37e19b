/** Reads what sessions do, who waits for whom, and what statistics say. */
import type {
  HealthFacts,
  LockWait,
  ReplicaFacts,
  Session,
  SessionFacts,
  SlowStatement,
} from '../../domain/check/facts.ts';
import { quoteIdentifier } from '../../domain/relations.ts';
import type { ServerContext } from './server.ts';
import { grantMonitor, type HealthSession } from './session.ts';

/** More are not listed; they are counted all the same. */
const SESSIONS_READ = 5_000;

/** What the server shows instead of a statement that the role may not see; not translated. */
const HIDDEN = "'<insufficient privilege>'";
const SECONDS = (since: string): string => `extract(epoch FROM clock_timestamp() - ${since})::float8`;
const WHO = `coalesce(nullif(a.application_name, ''), 'a session') || ' as ' || coalesce(a.usename::text, 'nobody')`;

/** Client sessions but our own. Backups of this action read for long by design and are named like all others. */
export async function readSessions(session: HealthSession, { role }: ServerContext): Promise<SessionFacts> {
  const rows = await session.ask<Session & { hidden: boolean }>(`
    SELECT a.pid, ${WHO} AS who, coalesce(a.state, '') AS state, a.wait_event_type IS NOT NULL AND a.state = 'active' AS waiting,
           a.datname = current_database() AS here, a.query = ${HIDDEN} AS hidden,
           ${SECONDS('a.xact_start')} AS "transactionSeconds", ${SECONDS('a.query_start')} AS "statementSeconds",
           ${SECONDS('a.state_change')} AS "stateSeconds"
      FROM pg_stat_activity a
     WHERE a.pid <> pg_backend_pid() AND a.datid IS NOT NULL
       AND (a.backend_type = 'client backend' OR a.query = ${HIDDEN})
     LIMIT ${SESSIONS_READ}`);
  const hidden = rows.filter((row) => row.hidden);
  return {
    sessions: rows.filter((row) => !row.hidden).map(({ hidden: _, ...each }) => each),
    hidden: hidden.length,
    hiddenHere: hidden.filter(({ here }) => here).length,
    grant: grantMonitor(role),
  };
}

export async function readLockWaits(session: HealthSession, { major }: ServerContext): Promise<LockWait[]> {
  const since = major >= 14 ? 'l.waitstart' : 'a.query_start';
  return await session.ask<LockWait>(`
    SELECT ${WHO} || ' (pid ' || l.pid || ')' AS who,
           ARRAY(SELECT coalesce((SELECT ${WHO} FROM pg_stat_activity a WHERE a.pid = b.pid), 'a session') || ' (pid ' || b.pid || ')'
                   FROM unnest(pg_blocking_pids(l.pid)) AS b(pid)) AS blockers,
           l.mode || coalesce(' on ' || (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = l.relation AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())), ' on ' || l.locktype) AS lock,
           ${SECONDS(since)} AS seconds
      FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE NOT l.granted ORDER BY 4 DESC NULLS LAST LIMIT 20`);
}

export async function readCache(session: HealthSession): Promise<HealthFacts['cache']> {
  const [row] = await session.ask<{ hits: number; reads: number }>(
    'SELECT blks_hit::float8 AS hits, blks_read::float8 AS reads FROM pg_stat_database WHERE datname = current_database()',
  );
  return row ?? { hits: 0, reads: 0 };
}

/** `undefined` where the extension is not installed. */
export async function readStatements(session: HealthSession): Promise<SlowStatement[] | undefined> {
  const [extension] = await session.ask<{ schema: string }>(
    "SELECT n.nspname::text AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'",
  );
  if (extension === undefined) return undefined;
  const rows = await session.ask<SlowStatement>(`
    SELECT s.queryid::text AS id, left(regexp_replace(s.query, '\\s+', ' ', 'g'), 120) AS text,
           s.calls::float8 AS calls, s.mean_exec_time AS "meanMilliseconds"
      FROM ${quoteIdentifier(extension.schema)}.pg_stat_statements s
     WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND s.calls >= 10
     ORDER BY s.mean_exec_time DESC LIMIT 20`);
  return rows.map((row) => ({ ...row, id: row.id ?? 'hidden', text: withoutValues(row.text) }));
}

/** The extension replaces values in queries alone: other statements, such as CREATE ROLE, keep theirs. */
function withoutValues(text: string | null): string {
  return text !== null && /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE)\b/i.test(text) ? text : '';
}

export async function readReplication(session: HealthSession, { isStandby }: ServerContext): Promise<ReplicaFacts[]> {
  if (isStandby) {
    // One that receives nothing may have replayed all it has, and be far behind.
    return await session.ask<ReplicaFacts>(`
      SELECT 'this standby' AS name,
             CASE WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
             ELSE ${SECONDS('coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())')} END AS seconds`);
  }
  return await session.ask<ReplicaFacts>(`
    SELECT coalesce(nullif(r.application_name, ''), 'a replica') AS name,
           CASE WHEN r.state IS NULL THEN NULL ELSE coalesce(extract(epoch FROM r.replay_lag), 0) END::float8 AS seconds
      FROM pg_stat_replication r`);
}
