/**
 * What tests of a failing backup have in common: a server with a database `shop`, a role that may only read, a
 * directory with an older good backup in it, and the means to see that a run left all of that as it was.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Contents } from '../../src/domain/contents.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { makeToolCache, type PgDumpShim, type ToolCache } from './client-shims.ts';
import type { Clients } from './clients.ts';
import { type Fixture, loadDatabase } from './databases/index.ts';
import { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts';
import { environmentOf, processesWith } from './process-watch.ts';
import { type ActionResult, type RunOptions, runAction } from './run-action.ts';

/** Of the role `backup`: characters that URLs, key=value strings, password files and SQL each treat in their own way. */
export const PASSWORD = `S3cr3t/p@ss:w%rd'#\\1`;
export const ROLE = 'backup';

/** The sessions of a run as conditions on pg_stat_activity: of the snapshot, of pg_dump, of the second reading. */
export const SNAPSHOT_SESSION = `application_name = 'db-backup-action snapshot'`;
export const SOURCE_SESSION = `application_name = 'db-backup-action source'`;
export const DUMP_SESSION = `application_name ~ '^db-backup-action [a-z0-9]{6}$' AND NOT ${SOURCE_SESSION}`;

export interface ScenarioOptions {
  fixture?: Fixture;
  server?: Partial<PostgresOptions>;
  /** Run by the superuser after the fixture. */
  sql?: string;
}

export interface ScenarioRunOptions extends RunOptions {
  /** Of the database, as the role `backup` reaches it: by default directly. */
  url?: string;
  /** For RUNNER_TOOL_CACHE; the real tools by default. */
  tools?: ToolCache;
}

/** A run and what was there after both of its steps. */
export interface ScenarioRun extends ActionResult {
  /** Command lines of processes that outlived it. */
  processesLeft: string[];
}

/** Every path below a folder: of files the SHA-256 of their content, of folders nothing. */
export type FolderState = ReadonlyMap<string, string>;

export interface Scenario {
  readonly server: PostgresServer;
  /** The directory of the backups. */
  readonly storage: string;
  /** A folder of this scenario for whatever a test needs. */
  readonly folder: string;
  /** As the role `backup`, through `port` where that is not the server's own. */
  url(options?: { database?: string; port?: number; password?: string }): string;
  /** Backs up `shop` into the directory, unencrypted, under the name `shop`; inputs and variables can be replaced. */
  run(options?: ScenarioRunOptions): Promise<ScenarioRun>;
  /** A tool cache that lives as long as the scenario. */
  shim(shim: PgDumpShim): Promise<ToolCache>;
  /** SQL as the superuser. */
  query<Row = Record<string, unknown>>(sql: string, database?: string): Promise<Row[]>;
  connect(database?: string): Promise<pg.Client>;
  state(): FolderState;
  /** The set that a run wrote, from the directory. */
  manifest(run: ActionResult): Manifest;
  contents(run: ActionResult): Contents;
  /** Resolves when no session of the role `backup` is left at the server; rejects after five seconds. */
  untilNoSessions(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server and loads the database; the older good backup is the first `run`. */
export async function startScenario(clients: Clients, options: ScenarioOptions = {}): Promise<Scenario> {
  const server = await startPostgres({ major: clients.major, hba: HBA, ...options.server });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'scenario-'));
  const tools = await makeToolCache(clients);
  try {
    await loadDatabase(server, 'shop', options.fixture ?? 'shop');
    await server.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
    if (clients.major >= 14) await server.query(`GRANT pg_read_all_data TO ${ROLE}`);
    if (options.sql !== undefined) await server.query(options.sql, 'shop');
    for (const name of ['home', 'backups']) await mkdir(path.join(folder, name));
  } catch (error) {
    await server.stop();
    await tools.remove();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return describeScenario(server, folder, clients, tools);
}

/** The role that backs up must prove who it is; the superuser, whom a pooler uses, need not. */
const HBA = `host all ${ROLE} 127.0.0.1/32 scram-sha-256
host all postgres 127.0.0.1/32 trust`;

function describeScenario(server: PostgresServer, folder: string, clients: Clients, tools: ToolCache): Scenario {
  const storage = path.join(folder, 'backups');
  const caches = [tools];
  const url: Scenario['url'] = ({ database = 'shop', port, password = PASSWORD } = {}) => {
    const own = server.uri(database, ROLE, password);
    return port === undefined ? own : own.replace(`:${server.port}/`, `:${port}/`);
  };
  const read = (run: ActionResult, name: string): string =>
    readFileSync(path.join(run.outputs['backup-uri'] ?? '', name), 'utf8');
  return {
    server,
    storage,
    folder,
    url,
    run: (options = {}) => runWatched(withDefaults(options, { url: url(), storage, folder, tools: tools.folder })),
    shim: async (shim) => {
      const cache = await makeToolCache(clients, shim);
      caches.push(cache);
      return cache;
    },
    query: (sql, database = 'shop') => server.query(sql, database),
    connect: (database = 'shop') => server.connect(database),
    state: () => folderState(storage),
    manifest: (run) => JSON.parse(read(run, 'metadata.json')) as Manifest,
    contents: (run) => JSON.parse(read(run, 'contents.json')) as Contents,
    untilNoSessions: async () => {
      if (!isAlive(server.pid)) return;
      const sessions = () =>
        server.query(`SELECT application_name, state, query FROM pg_stat_activity WHERE usename = '${ROLE}'`);
      const left = await until(sessions, (rows) => rows.length === 0);
      if (left.length > 0) throw new Error(`sessions were left at the server: ${JSON.stringify(left)}`);
    },
    stop: async () => {
      await server.stop();
      for (const cache of caches) await cache.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Defaults {
  url: string;
  storage: string;
  folder: string;
  tools: string;
}

function withDefaults(options: ScenarioRunOptions, defaults: Defaults): RunOptions {
  const { url, tools, ...rest } = options;
  return {
    runner: 'self-hosted',
    ...rest,
    inputs: {
      name: 'shop',
      'database-url': url ?? defaults.url,
      storage: defaults.storage,
      encryption: 'none',
      'connect-window-seconds': '0',
      'lock-timeout-seconds': '20',
      ...options.inputs,
    },
    env: {
      // No password file and no AWS configuration of whoever runs the tests.
      HOME: path.join(defaults.folder, 'home'),
      RUNNER_TOOL_CACHE: tools?.folder ?? defaults.tools,
      ...options.env,
    },
  };
}

async function runWatched(options: RunOptions): Promise<ScenarioRun> {
  const result = await runAction(options);
  return { ...result, processesLeft: processesWith(result.temp).map(({ commandLine }) => commandLine) };
}

function isAlive(pid: number): boolean {
  return environmentOf(pid).length > 0;
}

export function folderState(folder: string): FolderState {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const digest = entry.isFile() ? createHash('sha256').update(readFileSync(file)).digest('hex') : '';
    return [path.relative(folder, file), digest] as const;
  });
  return new Map(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** What `look` saw first that satisfies `enough`, or last within `timeoutMs`. */
export async function until<T>(
  look: () => Promise<T> | T,
  enough: (seen: T) => boolean,
  timeoutMs = 5_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (enough(seen) || Date.now() > deadline) return seen;
    await sleep(20);
  }
}
