/** A Postgres server that lives for one run, on this machine, and takes everything with it when it goes. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ConnectionRequest, parseConnection } from '../../domain/connection.ts';
import type { Environment } from '../../domain/environment.ts';
import {
  CLUSTER_LOCALES,
  HOST_RULES,
  initdbArgs,
  SERVER_PORT,
  SERVER_SUPERUSER,
  serverError,
  serverSettings,
} from '../../domain/ephemeral-server.ts';
import { messageOf } from '../../domain/errors.ts';
import type { Clock, Log } from '../../ports.ts';
import { type ProcessEnd, type ProcessOptions, type RunningProcess, startProcess } from '../../runner/process.ts';
import { findServerPrograms, type ServerPrograms, type ServerSearch } from './find.ts';
import { startGuard } from './guard.ts';
import { makeServerHome, type ServerHome } from './home.ts';

/** initdb takes half a second; a loaded machine with slow disks is given time. */
const INITDB_LIMIT_MS = 120_000;
/** An empty cluster is ready within a tenth of a second. */
const START_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 20;
/** Longer than the grace that a child has before SIGKILL (src/runner/process.ts). */
const STOP_LIMIT_MS = 5_000;
/** Of a program's last words. */
const LAST_LINES = 8;

export interface ServerOptions {
  /** Exactly this major: what is restored must meet the server that it came from. */
  major: number;
  /** Private to this run. A note of what there is to remove is put there; the server's folders lie beside it. */
  workDir: string;
  env: Environment;
  search: ServerSearch;
  /** Its abort ends the server at once; `stop` is still to be called. */
  signal: AbortSignal;
  log: Log;
  clock: Clock;
}

export interface EphemeralServer {
  /** To the database `postgres`, as the superuser `postgres`: by a Unix socket in a folder of this run alone. */
  connection: ConnectionRequest;
  /** As its programs print it: `17.11`. */
  version: string;
  major: number;
  /** Where `postgres` and `initdb` lie. */
  binFolder: string;
  /** Never resolves; rejects with `ERR_DRILL_SERVER` and its last words when the server ends before it is stopped. */
  lost: Promise<never>;
  /** Ends the server, whatever is connected, and removes everything of it. Idempotent, bounded, never rejects. */
  stop(): Promise<void>;
}

/**
 * Makes a cluster and starts a server on it, as another account when this is root's. It ends with `stop()`, and also
 * when this process ends in whatever way.
 *
 * Throws `ERR_DRILL_SERVER` with the programs' own words when it cannot be had, made or started; the signal's reason
 * when that aborts. Nothing is left then.
 */
export async function startEphemeralServer(options: ServerOptions): Promise<EphemeralServer> {
  const { major, workDir, env, search, signal, log, clock } = options;
  signal.throwIfAborted();
  const startedAt = clock.now().getTime();
  const home = await makeServerHome(major, workDir);
  const guard = startGuard(home);
  let postmaster: RunningProcess | undefined;
  try {
    const place = home.account === undefined ? {} : { account: home.account };
    const programs = await findServerPrograms(major, { ...search, ...place, signal, log, workDir: home.home });
    await home.handOver();
    const run = { programs, home, clock, signal, env: childEnvironment(programs, env) };
    await makeCluster(run);
    postmaster = startPostmaster(run);
    await becomeReady(postmaster, run);
    const seconds = ((clock.now().getTime() - startedAt) / 1000).toFixed(1);
    log.info(
      `Local server Postgres ${programs.version} (${programs.source}: ${programs.binFolder}) after ${seconds} s`,
    );
    return running({ programs, home, postmaster, guard, signal, log });
  } catch (error) {
    await takeDown({ home, postmaster, guard, log });
    signal.throwIfAborted();
    throw error;
  }
}

interface Run {
  programs: ServerPrograms;
  home: ServerHome;
  clock: Clock;
  signal: AbortSignal;
  env: Record<string, string>;
}

interface Parts {
  home: ServerHome;
  postmaster: RunningProcess | undefined;
  guard: RunningProcess;
  log: Log;
}

/** None of the step's secrets. The runner ends what carries its mark when the job is over. */
function childEnvironment(programs: ServerPrograms, env: Environment): Record<string, string> {
  const { RUNNER_TRACKING_ID: mark } = env;
  return {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...programs.env,
    ...(mark === undefined ? {} : { RUNNER_TRACKING_ID: mark }),
  };
}

function processOptions({ home, env, signal }: Pick<Run, 'home' | 'env' | 'signal'>): ProcessOptions {
  const { account } = home;
  return { env, signal, cwd: home.home, ...(account === undefined ? {} : { account }) };
}

/** A system without the better locale has the other one. */
async function makeCluster(run: Run): Promise<void> {
  const { programs, home } = run;
  let said = '';
  for (const locale of CLUSTER_LOCALES) {
    const end = await initdb(locale, run);
    if (end.code === 0) {
      await appendFile(path.join(home.data, 'postgresql.conf'), `\n${serverSettings(home.socket)}`);
      await writeFile(path.join(home.data, 'pg_hba.conf'), HOST_RULES);
      return;
    }
    said = lastWords(end);
    if (!said.includes('invalid locale')) break;
  }
  throw serverError(
    programs.major,
    `The cluster of a local server of Postgres ${programs.major} could not be made. ${programs.binFolder}/initdb said: ${said}`,
  );
}

async function initdb(locale: string, run: Run): Promise<ProcessEnd> {
  const { programs, home, clock, signal } = run;
  const over = new AbortController();
  const late = new AbortController();
  clock.sleep(INITDB_LIMIT_MS, over.signal).then(
    () => late.abort(),
    () => undefined,
  );
  const both = AbortSignal.any([signal, late.signal]);
  const file = path.join(programs.binFolder, 'initdb');
  const end = await startProcess(file, initdbArgs(home.data, locale), processOptions({ ...run, signal: both }))
    .ended.catch((cause: unknown) => {
      throw cannotStart('initdb', run, cause);
    })
    .finally(() => over.abort());
  signal.throwIfAborted();
  if (!late.signal.aborted) return end;
  const words = `initdb of Postgres ${programs.major} did not end within ${INITDB_LIMIT_MS / 1000} s`;
  throw serverError(programs.major, words);
}

function startPostmaster(run: Run): RunningProcess {
  const { programs, home } = run;
  // What is in memory may be lost, so it ends without tidying up; its own session keeps Ctrl-C away from it.
  const options = { ...processOptions(run), endSignal: 'SIGQUIT' as const, detached: true };
  return startProcess(path.join(programs.binFolder, 'postgres'), ['-D', home.data], options);
}

async function becomeReady(postmaster: RunningProcess, run: Run): Promise<void> {
  const { programs, home, clock, signal } = run;
  const { major } = programs;
  let end: ProcessEnd | undefined;
  let refusal: unknown;
  postmaster.ended.then(
    (how) => (end = how),
    (error: unknown) => (refusal = error),
  );
  for (let waitedMs = 0; waitedMs < START_LIMIT_MS; waitedMs += LOOK_EVERY_MS) {
    if (await isReady(home.data)) return;
    await clock.sleep(LOOK_EVERY_MS, signal);
    if (refusal !== undefined) throw cannotStart('postgres', run, refusal);
    if (end !== undefined) {
      throw serverError(major, `The local server of Postgres ${major} did not start. It said: ${lastWords(end)}`);
    }
  }
  throw serverError(major, `The local server of Postgres ${major} was not ready after ${START_LIMIT_MS / 1000} s`);
}

/** The eighth line of postmaster.pid is its status. */
async function isReady(data: string): Promise<boolean> {
  try {
    const lines = (await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n');
    return lines[7]?.trim() === 'ready';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function running(parts: Parts & { programs: ServerPrograms; postmaster: RunningProcess; signal: AbortSignal }) {
  const { programs, home, postmaster, signal } = parts;
  const { major, version, binFolder } = programs;
  let stopping: Promise<void> | undefined;
  const lost = postmaster.ended.then((end): Promise<never> => {
    if (stopping !== undefined) return new Promise(() => undefined);
    signal.throwIfAborted();
    throw serverError(major, `The local server of Postgres ${major} ended in mid-run. It said: ${lastWords(end)}`);
  });
  lost.catch(() => undefined);
  return {
    connection: connectionTo(home),
    version,
    major,
    binFolder,
    lost,
    stop: () => (stopping ??= takeDown(parts)),
  };
}

/** Read like any other, so that it means the same to the driver and to libpq; nobody's password file is looked at. */
function connectionTo({ socket }: ServerHome): ConnectionRequest {
  const quoted = `'${socket.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const text = `host=${quoted} port=${SERVER_PORT} user=${SERVER_SUPERUSER} dbname=postgres sslmode=disable`;
  return { ...parseConnection(text, { PATH: '/usr/bin:/bin' }), secrets: [] };
}

/** Never rejects. */
async function takeDown({ home, postmaster, guard, log }: Parts): Promise<void> {
  postmaster?.kill();
  await bounded(postmaster?.ended);
  try {
    await home.remove();
    guard.kill();
  } catch (error) {
    log.warning(`The folder ${home.home} of the local server could not be removed: ${messageOf(error)}`);
    guard.stdin?.end();
  }
  await bounded(guard.ended);
}

/** Settles with `ended`, but not much later than a child that does not end is killed. */
async function bounded(ended: Promise<unknown> | undefined): Promise<void> {
  const { promise: overdue, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, STOP_LIMIT_MS);
  await Promise.race([ended?.catch(() => undefined), overdue]);
  clearTimeout(timer);
}

function cannotStart(program: string, { programs, home }: Run, cause: unknown) {
  const as = home.account === undefined ? '' : ` as ${home.account.name}`;
  const words = `${programs.binFolder}/${program} cannot be started${as}: ${messageOf(cause)}`;
  return serverError(programs.major, words, cause);
}

function lastWords({ stderr, code, signal }: ProcessEnd): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-LAST_LINES).join('\n') || `nothing; it ended with ${signal ?? `exit code ${code}`}`;
}
