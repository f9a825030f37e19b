/** A hot standby that streams from a server of the tests. */
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

/** What a server writes for itself alone: the manual leaves it out of a base backup, too. */
const LEFT_OUT = /(?:^|\/)(?:postmaster\.\w+|pg_internal\.init.*|(?:pg_replslot|pg_stat_tmp)\/.+)$/;

/** Made of `primary` while that runs; `settings` are those of the standby. It is ready as soon as it can be read. */
export async function startStandby(
  primary: PostgresServer,
  settings: Record<string, string> = {},
): Promise<PostgresServer> {
  return await startPostgres({
    major: primary.major,
    fill: (data) => copyRunning(primary, data),
    settings: { primary_conninfo: streamFrom(primary), ...settings },
  });
}

/** For `primary_conninfo`. */
export function streamFrom(primary: PostgresServer): string {
  return `host=${primary.host} port=${primary.port} user=${primary.superuser}`;
}

/** A base backup: the session that begins it must be the one that ends it. */
async function copyRunning(primary: PostgresServer, data: string): Promise<void> {
  const [begin, end] =
    primary.major >= 15
      ? ["pg_backup_start('standby', true)", 'pg_backup_stop()']
      : ["pg_start_backup('standby', true, false)", 'pg_stop_backup(false)'];
  const session = await primary.connect();
  try {
    await session.query(`SELECT ${begin}`);
    const filter = (file: string) => !LEFT_OUT.test(path.relative(primary.dataDir, file));
    await cp(primary.dataDir, data, { recursive: true, filter });
    const { rows } = await session.query<{ labelfile: string }>(`SELECT labelfile FROM ${end}`);
    await writeFile(path.join(data, 'backup_label'), rows[0]?.labelfile ?? '');
    await writeFile(path.join(data, 'standby.signal'), '');
  } finally {
    await session.end();
  }
}
