/** Reads what a server says of its provider, and what belongs to a database without being in a dump. One query each. */
import type pg from 'pg';
import type { SurroundingFacts } from '../domain/preflight.ts';
import { KNOWN_SIGNS, type ServerSigns } from '../domain/providers.ts';
import { isServerAnswer } from './session.ts';

/**
 * Which of the known signs the server has. A setting counts by its name: `current_setting` also sees those that
 * pg_settings hides. Nothing when the server refuses the question: recognising a provider is a kindness.
 */
export async function readSigns(client: pg.Client): Promise<ServerSigns> {
  const { settings, roles, schemas, functions } = KNOWN_SIGNS;
  const none = { settings: [], roles: [], schemas: [], functions: [] };
  return await unlessRefused<ServerSigns>(
    client,
    none,
    `SELECT ARRAY(SELECT s FROM pg_catalog.unnest($1::text[]) AS s WHERE pg_catalog.current_setting(s, true) IS NOT NULL) AS settings,
            ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY ($2::text[])) AS roles,
            ARRAY(SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname = ANY ($3::text[])) AS schemas,
            ARRAY(SELECT DISTINCT proname::text FROM pg_catalog.pg_proc
                   WHERE proname = ANY ($4::text[]) AND pronamespace = 'pg_catalog'::pg_catalog.regnamespace) AS functions`,
    [settings, roles, schemas, functions],
  );
}

/** What {@link SurroundingFacts} counts; nothing where the server refuses the question. */
export async function readSurroundings(client: pg.Client): Promise<SurroundingFacts> {
  const none = { databaseSettings: 0, subscriptions: 0, logicalSlots: 0, bareUserMappings: 0 };
  return await unlessRefused<SurroundingFacts>(
    client,
    none,
    `SELECT (SELECT COALESCE(pg_catalog.sum(pg_catalog.cardinality(s.setconfig)), 0)::int FROM pg_catalog.pg_db_role_setting s
              WHERE s.setdatabase = d.oid) AS "databaseSettings",
            (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_subscription s
              WHERE s.subdbid = d.oid AND r.rolsuper) AS subscriptions,
            (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_replication_slots s
              WHERE s.slot_type = 'logical' AND s.database = d.datname AND NOT s.temporary) AS "logicalSlots",
            (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_user_mappings m
              WHERE m.umoptions IS NULL AND NOT r.rolsuper) AS "bareUserMappings"
       FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
      WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user`,
    [],
  );
}

async function unlessRefused<Row extends object>(
  client: pg.Client,
  none: Row,
  sql: string,
  values: readonly unknown[],
): Promise<Row> {
  try {
    const { rows } = await client.query<Row>(sql, [...values]);
    return rows[0] ?? none;
  } catch (error) {
    if (isServerAnswer(error)) return none;
    throw error;
  }
}
