/** Reads the catalog for objects in a doubtful state. Takes locks on catalogs alone. */
import pg from 'pg';
import type { CollationFacts, DeadRows, HealthFacts, InstalledExtension } from '../../domain/check/facts.ts';
import type { ServerContext } from './server.ts';
import type { HealthSession } from './session.ts';

/** Names that are listed of one kind; what is beyond is counted nowhere, so it is large. */
const MOST_NAMES = 500;

/** What belongs to users: neither the system's schemas nor those that the provider keeps for itself, nor members of extensions. */
export function ofUsers({ managed }: Pick<ServerContext, 'managed'>, relation = 'c', schema = 'n'): string {
  return `${schema}.nspname !~ '^pg_' AND ${schema}.nspname NOT IN (${['information_schema', ...managed].map((name) => pg.escapeLiteral(name)).join(', ')})
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = ${relation}.oid AND e.deptype = 'e')`;
}

async function names(session: HealthSession, sql: string): Promise<string[]> {
  return (await session.ask<{ name: string }>(`${sql} ORDER BY 1 LIMIT ${MOST_NAMES}`)).map(({ name }) => name);
}

/** Those that are being built at this moment are not broken. */
export async function readInvalidIndexes(session: HealthSession): Promise<string[]> {
  return await names(
    session,
    `SELECT format('%I.%I on %I', n.nspname, c.relname, t.relname) AS name
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT i.indisvalid
        AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)`,
  );
}

export async function readNotValidated(session: HealthSession, context: ServerContext): Promise<string[]> {
  return await names(
    session,
    `SELECT format('%I on %I.%I', o.conname, n.nspname, c.relname) AS name
       FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT o.convalidated AND ${ofUsers(context)}`,
  );
}

export async function readAutovacuum(session: HealthSession): Promise<HealthFacts['autovacuum']> {
  const [row] = await session.ask<{ on: boolean; counting: boolean }>(
    `SELECT current_setting('autovacuum')::bool AS "on", current_setting('track_counts')::bool AS counting`,
  );
  const tablesOff = await names(
    session,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
            WHERE o.option_name = 'autovacuum_enabled' AND lower(o.option_value) IN ('false', 'off', 'no', '0', 'f', 'n'))`,
  );
  return { on: row?.on ?? true, counting: row?.counting ?? true, tablesOff };
}

export async function readDeadRows(session: HealthSession): Promise<DeadRows[]> {
  return await session.ask<DeadRows>(`
    SELECT format('%I.%I', schemaname, relname) AS name, n_live_tup::float8 AS live, n_dead_tup::float8 AS dead,
           extract(epoch FROM clock_timestamp() - greatest(last_vacuum, last_autovacuum))::float8 AS "secondsSince"
      FROM pg_stat_user_tables WHERE n_dead_tup > 1000 ORDER BY n_dead_tup DESC LIMIT 50`);
}

/** Of the database, from 15 on, and of columns and indexes. `pg_catalog.default` stands for that of the database. */
export async function readCollations(session: HealthSession, { major }: ServerContext): Promise<CollationFacts[]> {
  const ofDatabase =
    major < 15
      ? ''
      : `UNION ALL SELECT 'the database', d.datcollversion, pg_database_collation_actual_version(d.oid)
           FROM pg_database d WHERE d.datname = current_database()`;
  return await session.ask<CollationFacts>(`
    WITH used AS (
      SELECT attcollation AS oid FROM pg_attribute WHERE attnum > 0 AND attcollation <> 0
      UNION SELECT unnest(indcollation) FROM pg_index
    ), versions(name, recorded, actual) AS (
      SELECT format('%I.%I', n.nspname, c.collname), c.collversion, pg_collation_actual_version(c.oid)
        FROM pg_collation c JOIN used u ON u.oid = c.oid JOIN pg_namespace n ON n.oid = c.collnamespace
       WHERE c.collversion IS NOT NULL
      ${ofDatabase}
    )
    SELECT name, recorded, actual FROM versions WHERE recorded <> actual ORDER BY 1`);
}

export async function readInstalledExtensions(session: HealthSession): Promise<InstalledExtension[]> {
  return await session.ask<InstalledExtension>(`
    SELECT e.extname::text AS name, e.extversion AS version, a.default_version AS available
      FROM pg_extension e LEFT JOIN pg_available_extensions() a ON a.name = e.extname ORDER BY 1`);
}

export async function readUnlogged(session: HealthSession, context: ServerContext): Promise<string[]> {
  return await names(
    session,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relpersistence = 'u' AND c.relkind = 'r' AND ${ofUsers(context)}`,
  );
}

export async function readTableCount(session: HealthSession, context: ServerContext): Promise<HealthFacts['tables']> {
  const [row] = await session.ask<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'f') AND ${ofUsers(context)}`,
  );
  return row ?? { count: 0 };
}

/** Partitions have that of their parent. */
export async function readWithoutPrimaryKey(session: HealthSession, context: ServerContext): Promise<string[]> {
  return await names(
    session,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${ofUsers(context)}
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)`,
  );
}
