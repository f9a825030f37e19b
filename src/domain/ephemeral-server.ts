/**
 * A Postgres server for one run: what it is told, whom it runs as, where its socket fits. Pure: it is started by
 * `postgres/server/start.ts`.
 */
import { BackupError } from './errors.ts';

/** Both must lie in one folder: initdb calls its neighbour. */
export const SERVER_PROGRAMS = ['initdb', 'postgres'] as const;

export const SERVER_SUPERUSER = 'postgres';
/** The socket lies in a folder of its own, so no other server has a claim to it. */
export const SERVER_PORT = 5432;

/** An account of the machine. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** Accounts that a run of root may lend, best first: the package's own, and two that every Linux has. */
const LENT_ACCOUNTS = ['postgres', 'nobody', 'daemon'];

/**
 * Whom the server of a run of root runs as: Postgres refuses to run as root, and initdb (measured, 13 to 18) as a
 * number without a name.
 * @param passwd the text of /etc/passwd, passwd(5)
 */
export function lentAccount(passwd: string): Account | undefined {
  const accounts = passwd.split('\n').map((line) => line.split(':'));
  for (const name of LENT_ACCOUNTS) {
    const [, , uid, gid] = accounts.find((fields) => fields[0] === name) ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Locales for `initdb`, best first; the databases that are restored bring their own. */
export const CLUSTER_LOCALES = ['C.UTF-8', 'C'] as const;

export function initdbArgs(dataFolder: string, locale: string): string[] {
  return [
    `--pgdata=${dataFolder}`,
    `--username=${SERVER_SUPERUSER}`,
    // Whoever can enter the socket's folder is the run itself; see hostRules.
    '--auth=trust',
    '--encoding=UTF8',
    `--locale=${locale}`,
    '--no-sync',
  ];
}

/** The whole of pg_hba.conf: its socket alone, whose folder only the run can enter. */
export const HOST_RULES = 'local all all trust\n';

/** A cluster that is thrown away: what protects data from a power failure is off, and so is what serves standbys. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  // With it, COPY into a table of the same transaction and new indexes write no log at all.
  wal_level: 'minimal',
  max_wal_senders: '0',
  checkpoint_timeout: '30min',
  max_wal_size: '1GB',
  // A restore ends with ANALYZE, and nothing lives long enough to need VACUUM.
  autovacuum: 'off',
  shared_buffers: '256MB',
  maintenance_work_mem: '256MB',
  work_mem: '32MB',
  max_connections: '100',
  // 102,400 locks: a transaction that drops or reads ten thousand tables with their indexes needs one for each.
  max_locks_per_transaction: '1024',
  // /dev/shm of a container has 64 MB, with which parallel work fails; these are files of the data folder.
  dynamic_shared_memory_type: 'mmap',
  // Where a container may not use them, trying ends with SIGBUS.
  huge_pages: 'off',
  jit: 'off',
  // No content of a row or statement in the log.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  lc_messages: 'C',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Lines for the end of postgresql.conf: there the last one counts. */
export function serverSettings(socketFolder: string): string {
  const settings = { ...SETTINGS, port: String(SERVER_PORT), unix_socket_directories: socketFolder };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('');
}

/** Bytes of a socket's path without the NUL at its end: unix(7), and sys/un.h of macOS. */
const SOCKET_PATH_BYTES = { linux: 107, other: 103 } as const;

/** Whether a server's socket can lie in `folder`: the system cuts longer paths off, so Postgres refuses them. */
export function socketFits(folder: string, platform: NodeJS.Platform): boolean {
  const socket = `${folder}/.s.PGSQL.${SERVER_PORT}`;
  const limit = platform === 'linux' ? SOCKET_PATH_BYTES.linux : SOCKET_PATH_BYTES.other;
  return new TextEncoder().encode(socket).length <= limit;
}

/** `ERR_DRILL_SERVER`. @param words what happened, as a sentence without its full stop */
export function serverError(major: number, words: string, cause?: unknown): BackupError {
  return new BackupError('ERR_DRILL_SERVER', words, { op: 'start the local server', hint: serverHint(major), cause });
}

/** Of what everybody can do, whatever went wrong. */
export function serverHint(major: number): string {
  return [
    'No backup and no database was touched. Give the job a server of its own instead: under the job',
    `\`services: { postgres: { image: "postgres:${major}", env: { POSTGRES_PASSWORD: postgres }, ports: ["5432:5432"] } }\``,
    'and under `with:` `target-database-url: postgresql://postgres:postgres@localhost:5432/postgres`',
    `(in a container job the host is \`postgres\`). Or add a step before this one: sudo apt-get install -y postgresql-${major}`,
  ].join(' ');
}
