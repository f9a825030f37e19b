/** The local server of a run, from real binaries: it starts, is nobody else's, and nothing of it is ever left. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeCredentials } from '../../src/postgres/credentials.ts';
import { makeServerHome } from '../../src/postgres/server/home.ts';
import { type EphemeralServer, type ServerOptions, startEphemeralServer } from '../../src/postgres/server/start.ts';
import { systemExec } from '../../src/postgres/short-command.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { programAvailable, testIf } from '../support/availability.ts';
import { until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors } from '../support/postgres-server.ts';
import { processesWith } from '../support/process-watch.ts';
import { runTool } from '../support/run-tool.ts';
import { emptySearch, searchWithScripts, searchWithServer } from '../support/server-search.ts';
import { recordingLog, silentLog } from '../support/silent-log.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';

const MAJOR = availableMajors().at(-1) ?? 0;
const AS_ROOT = process.getuid?.() === 0 || { skipped: 'only root can lend the server another account' };

let folder: string;
let started: EphemeralServer[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'ephemeral-'));
  // The server's account has to get to the tool cache.
  await chmod(folder, 0o755);
  await mkdir(path.join(folder, 'work'), { mode: 0o700 });
  started = [];
});
afterEach(async () => {
  for (const server of started) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function options(given: Partial<ServerOptions> & Pick<ServerOptions, 'search'>): ServerOptions {
  return {
    major: MAJOR,
    workDir: path.join(folder, 'work'),
    env: {},
    signal: new AbortController().signal,
    log: silentLog,
    clock: systemClock,
    ...given,
  };
}

async function start(given: Partial<ServerOptions> & Pick<ServerOptions, 'search'>): Promise<EphemeralServer> {
  const server = await startEphemeralServer(options(given));
  started.push(server);
  return server;
}

async function query(server: EphemeralServer, sql: string): Promise<Record<string, string>> {
  const { hosts, user, dbname } = server.connection;
  const client = new pg.Client({ host: hosts[0].host, port: hosts[0].port, user, database: dbname });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows[0];
  } finally {
    await client.end();
  }
}

/** Neither a folder, nor a note, nor a process whose command line or environment names one. */
async function expectNothingLeft(): Promise<void> {
  expect(await readdir(path.join(folder, 'work'))).toEqual([]);
  expect((await readdir(folder)).filter((name) => name.includes('server'))).toEqual([]);
  const left = await until(
    () => Promise.resolve(processesWith(path.join(folder, 'db-backup-action-server'))),
    (processes) => processes.length === 0,
  );
  expect(left).toEqual([]);
}

function postmasterOf(server: EphemeralServer): number {
  return Number.parseInt(readFileSync(path.join(server.connection.hosts[0].host, 'data/postmaster.pid'), 'utf8'), 10);
}

async function failureOf(given: Partial<ServerOptions> & Pick<ServerOptions, 'search'>) {
  const error = await start(given).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string; hint: string },
  );
  if (error === undefined) throw new Error('it started');
  await expectNothingLeft();
  return error;
}

describe.each(availableMajors())('A local server of Postgres %i', (major) => {
  test('starts as a throwaway that nobody else can reach, and is gone without a trace when it is stopped', async () => {
    const server = await start({ major, search: await searchWithServer(folder, major) });
    expect(server.connection).toMatchObject({ dbname: 'postgres', sslmode: 'disable', secrets: [] });
    expect(
      await query(
        server,
        `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
           current_setting('wal_level') AS wal, current_setting('listen_addresses') AS listen,
           current_setting('dynamic_shared_memory_type') AS memory, usesuper::text AS super,
           pg_encoding_to_char(encoding) AS encoding, datctype AS ctype
         FROM pg_user, pg_database WHERE usename = current_user AND datname = 'template1'`,
      ),
    ).toEqual({
      version: server.version,
      fsync: 'off',
      wal: 'minimal',
      listen: '',
      memory: 'mmap',
      super: 'true',
      encoding: 'UTF8',
      ctype: expect.stringMatching(/^C(\.UTF-8)?$/),
    });
    await Promise.all([server.stop(), server.stop()]);
    await expectNothingLeft();
  });
});

describe('A local server', () => {
  test('takes tools of libpq by the same connection', async (context) => {
    const clients = await clientTools(17);
    if ('skipped' in clients) return context.skip(clients.skipped);
    const server = await start({ search: await searchWithServer(folder, MAJOR) });
    const workDir = path.join(folder, 'work');
    const { env, remove } = await writeCredentials(workDir, server.connection, server.connection.hosts[0]);
    const printed = await runTool(path.join(clients.bin, 'psql'), ['-AtXc', 'SELECT current_user'], env);
    expect(printed.trim()).toBe('postgres');
    await remove();
  });

  test('runs in parallel and creates databases, with /dev/shm or without', async () => {
    const server = await start({ search: await searchWithServer(folder, MAJOR) });
    await query(server, 'CREATE DATABASE copy TEMPLATE template0');
    const setting = MAJOR >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
    await query(server, `ALTER SYSTEM SET ${setting} = on`);
    await query(server, 'SELECT pg_reload_conf()');
    const plan = await until(
      () => query(server, 'EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM pg_class'),
      (seen) => JSON.stringify(seen).includes('Workers Launched'),
    );
    expect(JSON.stringify(plan)).toContain('"Workers Launched":1');
    expect(await query(server, 'SELECT count(*)::text AS n FROM pg_database')).toEqual({ n: '4' });
  });

  testIf(AS_ROOT, 'of a run of root is another account’s, which owns all that it can enter', async () => {
    const server = await start({ env: { SECRET: 'correct horse' }, search: await searchWithServer(folder, MAJOR) });
    const status = readFileSync(`/proc/${postmasterOf(server)}/status`, 'utf8');
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    expect(uid).toBeGreaterThan(0);
    expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toBe('');
    expect(processesWith('correct horse')).toEqual([]);
  });

  test('has a socket where paths are too long for one, and takes that folder away too', async () => {
    const workDir = path.join(folder, 'a-very-long-name-of-a-folder-'.repeat(4), 'work');
    await mkdir(workDir, { recursive: true });
    const server = await start({ workDir, search: await searchWithServer(folder, MAJOR) });
    const socket = server.connection.hosts[0].host;
    expect(socket).toMatch(/^\/tmp\/db-backup-action-server-[0-9a-f]{12}$/);
    expect(await query(server, 'SELECT 1::text AS one')).toEqual({ one: '1' });
    await server.stop();
    expect(existsSync(socket)).toBe(false);
    expect(await readdir(path.dirname(workDir))).toEqual(['work']);
  });

  test('that is stopped with clients at it ends all the same', async () => {
    const server = await start({ search: await searchWithServer(folder, MAJOR) });
    const busy = query(server, 'SELECT pg_sleep(60)').catch((error: Error) => error.message);
    await until(
      () => query(server, `SELECT count(*)::text AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'`),
      ({ n }) => n === '1',
    );
    await server.stop();
    expect(await busy).toMatch(/terminat/);
    await expectNothingLeft();
  });

  test('that dies in mid-run says so', async () => {
    const server = await start({ search: await searchWithServer(folder, MAJOR) });
    process.kill(postmasterOf(server), 'SIGQUIT');
    await expect(server.lost).rejects.toMatchObject({
      code: 'ERR_DRILL_SERVER',
      message: expect.stringMatching(/ended in mid-run. It said: [\s\S]*immediate shutdown/),
    });
    await server.stop();
    await expectNothingLeft();
  });

  test('ends at once when the run is cancelled', async () => {
    const cancelled = new AbortController();
    const server = await start({ signal: cancelled.signal, search: await searchWithServer(folder, MAJOR) });
    cancelled.abort(new Error('cancelled'));
    await expect(server.lost).rejects.toThrow('cancelled');
    await expect(query(server, 'SELECT 1')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    await server.stop();
    await expectNothingLeft();
  });

  test('of a run that is cancelled during initdb never comes to be', async () => {
    const cancelled = new AbortController();
    const search = await searchWithScripts(folder, MAJOR, { initdb: `echo begun >&2; exec sleep 60` });
    const starting = failureOf({ signal: cancelled.signal, search });
    await until(
      () => Promise.resolve(processesWith('sleep 60')),
      (seen) => seen.length > 0,
    );
    cancelled.abort(new Error('cancelled'));
    expect((await starting).message).toBe('cancelled');
  });
});

describe('A local server that cannot be had', () => {
  const quick = { ...systemClock, sleep: (ms: number, over?: AbortSignal) => systemClock.sleep(Math.min(ms, 5), over) };

  test('names every place that was looked at, and what to add to the job', async () => {
    const error = await failureOf({ search: emptySearch(folder) });
    expect(error).toMatchObject({
      code: 'ERR_DRILL_SERVER',
      hint: expect.stringMatching(/services: \{ postgres: .*postgres:18.*target-database-url/),
    });
    for (const place of [`${folder}/system/18/bin/initdb: not there`, `${folder}/brew/`, 'apt-get: is not on this']) {
      expect(error.message).toContain(place);
    }
  });

  test('passes over binaries without their libraries, in the words of the loader', async () => {
    const search = await searchWithScripts(folder, MAJOR, {});
    const bin = path.join(folder, 'cache/postgresql-server', String(MAJOR), process.arch, 'bin');
    const real = /REAL='(.*)'/.exec(readFileSync(path.join(bin, 'postgres'), 'utf8'))?.[1] ?? '';
    await rm(path.join(bin, 'postgres'));
    await runTool('cp', [real, path.join(bin, 'postgres')]);
    expect((await failureOf({ search })).message).toMatch(
      /postgres: does not run .*error while loading shared libraries/,
    );
  });

  test('passes over binaries of another major', async () => {
    const search = await searchWithServer(folder, availableMajors()[0] ?? 0);
    await runTool('mv', [
      path.join(folder, 'cache/postgresql-server', String(availableMajors()[0])),
      path.join(folder, 'cache/postgresql-server', String(MAJOR)),
    ]);
    expect((await failureOf({ search })).message).toContain(`needed is ${MAJOR}`);
  });

  testIf(AS_ROOT, 'passes over binaries where its account may not go', async () => {
    const search = await searchWithServer(folder, MAJOR);
    await chmod(path.join(folder, 'cache'), 0o700);
    expect((await failureOf({ search })).message).toMatch(/not every folder on the way may be entered by \w+/);
  });

  testIf(canMount(), 'says what initdb says of a disk that is full', async () => {
    const small = path.join(folder, 'small');
    await mkdir(small);
    const unmount = mountSmall(small, 12);
    try {
      await chmod(small, 0o755);
      const workDir = path.join(small, 'work');
      await mkdir(workDir);
      const error = await failureOf({ workDir, search: await searchWithServer(folder, MAJOR) });
      expect(error).toMatchObject({
        code: 'ERR_DRILL_SERVER',
        message: expect.stringMatching(/initdb said: [\s\S]*No space left on device/),
      });
      expect(await readdir(small)).toEqual(['work']);
    } finally {
      unmount();
    }
  });

  test('says what the server says that gets no memory', async () => {
    const search = await searchWithScripts(folder, MAJOR, { postgres: 'exec "$REAL" "$@" -c shared_buffers=8000GB' });
    expect(await failureOf({ search })).toMatchObject({
      code: 'ERR_DRILL_SERVER',
      message: expect.stringMatching(/did not start. It said: [\s\S]*could not map anonymous shared memory/),
    });
  });

  test('does not wait for an initdb that hangs', async () => {
    const search = await searchWithScripts(folder, MAJOR, { initdb: 'exec sleep 61' });
    const error = await failureOf({ search, clock: quick });
    expect(error.message).toContain('did not end within 120 s');
    expect(processesWith('sleep 61')).toEqual([]);
  });

  test('does not wait for a server that never gets ready', async () => {
    const search = await searchWithScripts(folder, MAJOR, { postgres: 'exec sleep 62' });
    const patient = {
      ...quick,
      sleep: (ms: number, over?: AbortSignal) => systemClock.sleep(ms === 20 ? 0 : ms, over),
    };
    expect((await failureOf({ search, clock: patient })).message).toContain('was not ready after 60 s');
    expect(processesWith('sleep 62')).toEqual([]);
  });

  test('is refused where root has no account to lend', async () => {
    const machine = { platform: process.platform, uid: 0, passwdFile: path.join(folder, 'passwd') };
    await expect(makeServerHome(MAJOR, path.join(folder, 'work'), machine)).rejects.toMatchObject({
      code: 'ERR_DRILL_SERVER',
      message: expect.stringContaining('no account postgres, nobody or daemon'),
    });
    await expectNothingLeft();
  });

  test('is refused where no folder can be made', async () => {
    const workDir = path.join(folder, 'gone/work');
    const error = await start({ workDir, search: emptySearch(folder) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_DRILL_SERVER' });
  });
});

const FETCHED = 15;
const fetchable = programAvailable(
  'apt-get',
  ['download', '--print-uris', `postgresql-${FETCHED}`],
  `its sources have no postgresql-${FETCHED}`,
);

describe('A local server that this machine does not have', () => {
  testIf(fetchable, 'is fetched as packages, and shares nothing with what is installed', async () => {
    const log = recordingLog();
    const search = { ...emptySearch(folder), exec: systemExec };
    const server = await start({ major: FETCHED, search, log });
    expect(server.version).toMatch(/^15\.\d+$/);
    const { setting } = await query(server, `SELECT setting FROM pg_config WHERE name = 'SHAREDIR'`);
    expect(setting).toBe(path.join(server.binFolder, `../../../../share/postgresql/${FETCHED}`));
    await query(server, 'CREATE EXTENSION pg_trgm');
    expect(await query(server, `SELECT show_trgm('a')::text AS trigrams`)).toEqual({ trigrams: '{"  a"," a "}' });
    expect(log.lines.join('\n')).toMatch(/Local server Postgres 15\.\d+ \(fetched: /);
    await server.stop();
    await expectNothingLeft();
  });
});
