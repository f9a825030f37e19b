/** Statistics for the planner after a restore. */
import type pg from 'pg';

/**
 * One plain ANALYZE over everything that the role may: partitioned parents included, catalogs too where it is a
 * superuser. pg_restore brings no statistics back unless pg_dump 18 was told to write them (`--statistics`), which
 * this action does not. Tables that the role may not analyze are passed over by the server. Throws its errors.
 */
export async function analyze(client: pg.Client): Promise<void> {
  // What pg_dump leaves behind in a session, or a role's own settings, must not cut it short.
  await client.query('SET statement_timeout = 0; SET lock_timeout = 0; SET client_min_messages = error');
  await client.query('ANALYZE');
}
