/** Extensions whose data, or a part of it, a dump does not bring back by itself. */
import type { Finding, Severity } from '../findings.ts';

interface ExtensionCare {
  extensions: readonly string[];
  severity: Severity;
  seen: string;
  action: string;
}

/**
 * Each with its source. What pg_dump brings along as it is has no line here: rows of configuration tables (PostGIS'
 * own reference systems, pg_partman), pg_stat_statements, which is no data. Rows of an extension that are left out
 * are found by looking: see `left-out.ts`.
 */
const CARES: readonly ExtensionCare[] = [
  {
    // citusdata/citus#3361: COPY of a distributed table asks each shard in turn, "snapshots are further apart";
    // dimitri/pgcopydb#1011: the distribution is not in a dump.
    extensions: ['citus'],
    severity: 'warning',
    seen: 'Citus: rows of distributed tables come from their workers one after another, not from one moment, and how tables are distributed is not in a dump',
    action:
      'Back up while nothing is written, or back up the nodes themselves (pgBackRest). After a restore distribute the tables again before their rows are loaded.',
  },
  {
    // tigerdata.com/docs/deploy/self-hosted/backup-and-restore/logical-backup
    extensions: ['timescaledb'],
    severity: 'notice',
    seen: 'TimescaleDB: rows of hypertables are in the tables of their chunks, and a plain pg_restore breaks them',
    action:
      'To restore: the same version of TimescaleDB, `CREATE EXTENSION timescaledb`, `SELECT timescaledb_pre_restore()`, pg_restore, `SELECT timescaledb_post_restore()`.',
  },
  {
    // supabase/vault marks vault.secrets with pg_extension_config_dump; supabase.com/docs/guides/database/extensions/pgsodium
    extensions: ['supabase_vault', 'pgsodium'],
    severity: 'notice',
    seen: 'Vault or pgsodium: what they encrypt is in this backup as ciphertext, and the root key is not in the database',
    action:
      'Keep the root key elsewhere (Supabase: `GET https://api.supabase.com/v1/projects/REF/pgsodium`), or keep the secrets themselves: without it they are lost.',
  },
  {
    // citusdata/pg_cron: cron.job is marked by pg_extension_config_dump since 1.2; README: one database, cron.database_name
    extensions: ['pg_cron'],
    severity: 'notice',
    seen: 'pg_cron: its jobs are in this backup, and can be restored only into the database that cron.database_name names',
    action:
      'Where a copy must not act like the original, set `cron.launch_active_jobs = off` before restoring, or `UPDATE cron.job SET active = false` after.',
  },
];

/** @param names of the installed extensions */
export function assessExtensions(names: readonly string[]): Finding[] {
  return CARES.filter(({ extensions }) => extensions.some((each) => names.includes(each))).map(
    ({ severity, seen, action }) => ({ code: 'extension-care', severity, seen, action }),
  );
}

/** The same for RESTORE.md, which is plain and so names no extension of the database itself: a list for all. */
export function extensionCares(): string {
  return CARES.map(({ seen, action }) => `- ${seen}. ${action}`).join('\n');
}
