/** Reads who is connected, how large things are, and what the server keeps for others. */
import type { ConnectionFacts, HealthFacts, SlotFacts } from '../../domain/check/facts.ts';
import type { HealthSession } from './session.ts';

export async function readConnections(session: HealthSession): Promise<ConnectionFacts> {
  // Of other roles' sessions `backend_type` is hidden; those of the server itself have no database.
  const [row] = await session.ask<{ used: number; max: number; reserved: number; by: string[] | null }>(`
    WITH clients AS (
      SELECT a.state, a.application_name FROM pg_stat_activity a
       WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.datid IS NOT NULL)
    ), grouped AS (
      SELECT coalesce(nullif(application_name, ''), 'no name') || ', ' || coalesce(state, 'state hidden') AS who, count(*) AS n
        FROM clients GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
    )
    SELECT (SELECT count(*) FROM clients)::int AS used,
           current_setting('max_connections')::int AS max,
           current_setting('superuser_reserved_connections')::int
             + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
           (SELECT array_agg(who || ': ' || n ORDER BY n DESC, who) FROM grouped) AS by`);
  const { used = 0, max = 0, reserved = 0, by = [] } = row ?? {};
  return { used, max, reserved, by: by ?? [] };
}

export async function readDatabaseSize(session: HealthSession): Promise<HealthFacts['database']> {
  const [row] = await session.ask<{ bytes: number }>('SELECT pg_database_size(current_database())::float8 AS bytes', {
    seconds: 15,
  });
  return { bytes: row?.bytes ?? 0 };
}

/** In every tablespace that can hold some: `temp_tablespaces` chooses. */
export async function readTempFiles(session: HealthSession): Promise<HealthFacts['tempFiles']> {
  const [row] = await session.ask<{ bytes: number }>(
    "SELECT coalesce(sum(f.size), 0)::float8 AS bytes FROM pg_tablespace t, pg_ls_tmpdir(t.oid) f WHERE t.spcname <> 'pg_global'",
  );
  return { bytes: row?.bytes ?? 0 };
}

export async function readSlots(session: HealthSession): Promise<SlotFacts[]> {
  return await session.ask<SlotFacts>(`
    SELECT s.slot_name::text AS name, s.slot_type AS kind, s.active, s.wal_status AS "walStatus",
           greatest(0, coalesce(pg_wal_lsn_diff(
             CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn), 0))::float8 AS bytes
      FROM pg_replication_slots s WHERE NOT s.temporary ORDER BY 5 DESC`);
}

export interface LargeTable {
  name: string;
  /** As of the last vacuum or analyze, with indexes and TOAST: exact sizes would need a lock on each table. */
  bytes: number;
  /** Of the same time; null where nobody has counted since it was filled. */
  rows: number | null;
}

export async function readLargestTables(session: HealthSession): Promise<LargeTable[]> {
  // Not counted is -1, and before Postgres 14 it was 0 as well; pages without rows are those of a count that is long over.
  return await session.ask<LargeTable>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
           CASE WHEN c.reltuples > 0
                  OR (c.reltuples = 0 AND c.relpages = 0 AND current_setting('server_version_num')::int >= 140000) THEN c.reltuples::float8
           END AS rows,
           (current_setting('block_size')::float8 * (c.relpages + coalesce(t.relpages, 0)
             + (SELECT coalesce(sum(x.relpages), 0) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid)))::float8 AS bytes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
     WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 3 DESC, 1 LIMIT 5`);
}
