/** Sessions of others in a database: which there are, and their end. */
import type pg from 'pg';
import type { Clock } from '../ports.ts';

/** Between two looks. */
const PAUSE_MS = 50;

/** Not autovacuum, which gives way by itself; `$1` is the OID of the database, `$2` whether this action's own count. */
const OTHERS = `
  SELECT a.pid, COALESCE(a.usename::text, 'the server') AS role, COALESCE(a.application_name, '') AS program,
         me.rolsuper OR (NOT COALESCE(r.rolsuper, true)
           AND (pg_catalog.pg_has_role(r.oid, 'USAGE') OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))) AS ends
    FROM pg_catalog.pg_stat_activity a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
    JOIN pg_catalog.pg_roles me ON me.rolname = current_user
   WHERE a.datid = $1 AND a.pid <> pg_catalog.pg_backend_pid() AND COALESCE(a.backend_type, '') NOT LIKE 'autovacuum%'
     AND ($2 OR a.application_name NOT LIKE 'db-backup-action %')`;

/** Sessions that are there, as `role (program)`, each once. */
export async function otherSessions(client: pg.Client, oid: number, own: 'own too' | 'not own'): Promise<string[]> {
  const { rows } = await client.query<{ words: string }>(
    `SELECT DISTINCT role || CASE WHEN program = '' THEN '' ELSE ' (' || program || ')' END AS words
       FROM (${OTHERS}) other ORDER BY 1`,
    [oid, own === 'own too'],
  );
  return rows.map(({ words }) => words);
}

/** Ends those that this role may end. They are gone a moment later. */
async function endOthers(client: pg.Client, oid: number, own: 'own too' | 'not own'): Promise<void> {
  await client.query(`SELECT CASE WHEN ends THEN pg_catalog.pg_terminate_backend(pid) END FROM (${OTHERS}) other`, [
    oid,
    own === 'own too',
  ]);
}

/** Ends them, but for those of this action, again and again until there is none, or `seconds` are over; those that are left then. */
export async function endOthersFor(client: pg.Client, oid: number, seconds: number, clock: Clock): Promise<string[]> {
  const until = clock.now().getTime() + seconds * 1000;
  for (;;) {
    await endOthers(client, oid, 'not own');
    const left = await otherSessions(client, oid, 'not own');
    if (left.length === 0 || clock.now().getTime() >= until) return left;
    await clock.sleep(PAUSE_MS);
  }
}

/** Until `over` says so: whoever is there or comes is sent away, this action's own sessions too. */
export async function keepEnding(
  client: pg.Client,
  oids: readonly number[],
  clock: Clock,
  over: () => boolean,
): Promise<void> {
  while (!over()) {
    for (const oid of oids) await endOthers(client, oid, 'own too');
    await clock.sleep(PAUSE_MS);
  }
}
