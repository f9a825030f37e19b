/** A real PgBouncer, from the machine's own apt sources, without installing anything. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serverAccount } from './postgres-binaries.ts';
import { runTool } from './run-tool.ts';

const CACHE = fileURLToPath(new URL('../../.cache/pgbouncer', import.meta.url));
const START_DEADLINE_MS = 10_000;

/** A folder laid out like the root of a machine, with the program and the libraries that it needs besides the machine's. */
export interface PgBouncerProgram {
  root: string;
}

/** From the machine, from the cache, or fetched into it; never throws. */
export async function pgBouncerProgram(): Promise<PgBouncerProgram | { skipped: string }> {
  try {
    if (existsSync('/usr/sbin/pgbouncer')) return { root: '/' };
    if (!existsSync(CACHE)) await fetchProgram();
    await assertRuns(CACHE);
    return { root: CACHE };
  } catch (error) {
    return { skipped: `no PgBouncer here: ${(error as Error).message}` };
  }
}

/** Asks apt which packages an installation would bring, and unpacks just those. */
async function fetchProgram(): Promise<void> {
  const plan = await runTool('apt-get', ['-s', '--no-install-recommends', 'install', 'pgbouncer']);
  const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  await mkdir(path.dirname(CACHE), { recursive: true });
  const building = await mkdtemp(`${CACHE}-building-`);
  try {
    await chmod(building, 0o755);
    await runTool('apt-get', ['-q', 'download', ...packages], {}, building);
    for (const deb of (await readdir(building)).filter((name) => name.endsWith('.deb'))) {
      await runTool('dpkg-deb', ['-x', path.join(building, deb), building]);
      await rm(path.join(building, deb));
    }
    await assertRuns(building);
    await rename(building, CACHE);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Another test file was quicker.
    if (!existsSync(CACHE)) throw error;
  }
}

async function assertRuns(root: string): Promise<void> {
  await runTool(programIn(root), ['--version'], await loaderEnvironment(root));
}

function programIn(root: string): string {
  return path.join(root, 'usr/sbin/pgbouncer');
}

async function loaderEnvironment(root: string): Promise<Record<string, string>> {
  if (root === '/') return {};
  const libraries = path.join(root, 'usr/lib');
  const names = existsSync(libraries) ? await readdir(libraries) : [];
  return { LD_LIBRARY_PATH: names.map((name) => path.join(libraries, name)).join(':') };
}

export interface PgBouncer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  /** The port of the server behind it, which must trust `postgres` over TCP. */
  server: number;
  mode: 'transaction' | 'statement' | 'session';
  /** A free one is picked when absent. */
  port?: number;
}

/** A pooler that shares few server sessions among all clients. */
export async function startPgBouncer(program: PgBouncerProgram, options: PgBouncerOptions): Promise<PgBouncer> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'pgbouncer-'));
  await chmod(home, 0o755);
  const own = options.port ?? (await freePort());
  const file = path.join(home, 'pgbouncer.ini');
  await writeFile(file, settings(options.server, own, options.mode), { mode: 0o644 });
  const account = serverAccount();
  // It refuses to run as root, and an account that is lent may not be able to enter this folder.
  const root = program.root === '/' || account === undefined ? program.root : path.join(home, 'root');
  if (root !== program.root) await cp(program.root, root, { recursive: true, verbatimSymlinks: true });
  const child = spawn(programIn(root), ['--quiet', file], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', ...(await loaderEnvironment(root)) },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  await untilListening(child, own);
  return {
    port: own,
    stop: async () => {
      const ended = once(child, 'exit');
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** With `auth_type = any` every client becomes the user that the database's line names. */
function settings(serverPort: number, ownPort: number, mode: string): string {
  return `[databases]
* = host=127.0.0.1 port=${serverPort} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${ownPort}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 4
ignore_startup_parameters = extra_float_digits,options
`;
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`PgBouncer did not start:\n${said}`);
    }
    await sleep(50);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const accepted = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return accepted;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
