/** Facts of the server and of the database as a whole. */
import type pg from 'pg';
import type { DatabaseFacts, ExtensionFacts, ServerFacts } from '../../domain/facts.ts';

export async function readServer(client: pg.Client): Promise<ServerFacts> {
  const { rows } = await client.query<{ version: string; number: string; standby: boolean }>(`
    SELECT pg_catalog.current_setting('server_version') AS version,
           pg_catalog.current_setting('server_version_num') AS number,
           pg_catalog.pg_is_in_recovery() AS standby`);
  const row = only(rows);
  return { version: row.version, major: Math.floor(Number(row.number) / 10_000), isStandby: row.standby };
}

const PROVIDERS: Record<string, string> = { c: 'libc', i: 'icu', b: 'builtin' };

export async function readDatabase(client: pg.Client, major: number): Promise<DatabaseFacts> {
  const { rows } = await client.query<{
    name: string;
    encoding: string;
    collate: string;
    ctype: string;
    provider: string;
    locale: string | null;
    collationVersion: string | null;
    size: string;
  }>(`
    SELECT d.datname::text AS name, pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
           d.datcollate::text AS collate, d.datctype::text AS ctype, ${localeColumns(major)},
           pg_catalog.pg_database_size(d.oid) AS size
      FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`);
  const row = only(rows);
  return {
    name: row.name,
    encoding: row.encoding,
    collate: row.collate,
    ctype: row.ctype,
    localeProvider: PROVIDERS[row.provider] ?? row.provider,
    ...(row.locale === null ? {} : { locale: row.locale }),
    ...(row.collationVersion === null ? {} : { collationVersion: row.collationVersion }),
    sizeBytes: Number(row.size),
  };
}

/** The catalog's columns moved in 15 and in 17. */
function localeColumns(major: number): string {
  if (major < 15) return `'c' AS provider, NULL::text AS locale, NULL::text AS "collationVersion"`;
  const locale = major < 17 ? 'd.daticulocale' : 'd.datlocale';
  return `d.datlocprovider::text AS provider, ${locale}::text AS locale, d.datcollversion AS "collationVersion"`;
}

export async function readExtensions(client: pg.Client): Promise<ExtensionFacts[]> {
  const { rows } = await client.query<ExtensionFacts>(`
    SELECT e.extname::text AS name, e.extversion AS version, n.nspname::text AS schema
      FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
     ORDER BY 1`);
  return rows;
}

export async function readRoles(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT r.rolname::text AS name FROM pg_catalog.pg_roles r
     WHERE NOT pg_catalog.starts_with(r.rolname::text, 'pg_') ORDER BY 1`);
  return rows.map(({ name }) => name);
}

export async function countLargeObjects(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    'SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata',
  );
  return Number(only(rows).count);
}

function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('The catalog gave no row where it always has one');
  return row;
}
