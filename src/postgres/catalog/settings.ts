/** The settings under which pg_dump's COPY writes its text. */
import type pg from 'pg';
import type { CopySettings } from '../../domain/facts.ts';

/**
 * What pg_dump 13 to 19 sets in its session (`setup_connection`). Everything else that shapes COPY text keeps the
 * default of the role, database and server; `DateStyle` keeps the order of day and month.
 */
const AS_PG_DUMP = ['SET DateStyle = ISO', 'SET IntervalStyle = postgres', 'SET extra_float_digits = 3'];

/**
 * Makes the session's settings those of pg_dump and reads what came out. The session must be fresh, so that it has
 * what role and database set for every new one. The encoding is the database's own, which no byte needs converting
 * to: pg_dump has to be told so (`--encoding`), because a role may set another; the driver itself speaks UTF-8.
 */
export async function readCopySettings(client: pg.Client): Promise<CopySettings> {
  for (const statement of AS_PG_DUMP) await client.query(statement);
  const { rows } = await client.query<CopySettings>(`
    SELECT pg_catalog.current_setting('TimeZone') AS "TimeZone",
           pg_catalog.current_setting('DateStyle') AS "DateStyle",
           pg_catalog.current_setting('IntervalStyle') AS "IntervalStyle",
           pg_catalog.current_setting('extra_float_digits') AS "extra_float_digits",
           pg_catalog.current_setting('bytea_output') AS "bytea_output",
           pg_catalog.current_setting('lc_monetary') AS "lc_monetary",
           pg_catalog.current_setting('server_encoding') AS "client_encoding"`);
  return rows[0] as CopySettings;
}
