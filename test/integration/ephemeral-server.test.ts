/** The local server of a run, from real binaries: it starts, is nobody else's, and nothing of it is ever left. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { writeCredentials } from '../../src/postgres/credentials.ts';
import type { EphemeralServer } from '../../src/postgres/server/start.ts';
import { systemExec } from '../../src/postgres/short-command.ts';
import { programAvailable, testIf } from '../support/availability.ts';
import { until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors } from '../support/postgres-server.ts';
import { processesWith } from '../support/process-watch.ts';
import { runTool } from '../support/run-tool.ts';
import { AS_ROOT, MAJOR, serverBench } from '../support/server-bench.ts';
import { emptySearch, searchWithScripts, searchWithServer } from '../support/server-search.ts';
import { recordingLog } from '../support/silent-log.ts';

const bench = serverBench();

/** The first row of the answer. */
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

function postmasterOf(server: EphemeralServer): number {
  return Number.parseInt(readFileSync(path.join(server.connection.hosts[0].host, 'data/postmaster.pid'), 'utf8'), 10);
}

describe.each(availableMajors())('A local server of Postgres %i', (major) => {
  test('starts as a throwaway that nobody else can reach, and is gone without a trace when it is stopped', async () => {
    const server = await bench.start({ major, search: await searchWithServer(bench.folder, major) });
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
    await bench.expectNothingLeft();
  });
});

describe('A local server', () => {
  test('takes tools of libpq by the same connection', async (context) => {
    const clients = await clientTools(17);
    if ('skipped' in clients) return context.skip(clients.skipped);
    const server = await bench.start({ search: await searchWithServer(bench.folder, MAJOR) });
    const { workDir } = bench;
    const { env, remove } = await writeCredentials(workDir, server.connection, server.connection.hosts[0]);
    const printed = await runTool(path.join(clients.bin, 'psql'), ['-AtXc', 'SELECT current_user'], env);
    expect(printed.trim()).toBe('postgres');
    await remove();
  });

  test('runs in parallel and creates databases, with /dev/shm or without', async () => {
    const server = await bench.start({ search: await searchWithServer(bench.folder, MAJOR) });
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
    const server = await bench.start({
      env: { SECRET: 'correct horse' },
      search: await searchWithServer(bench.folder, MAJOR),
    });
    const status = readFileSync(`/proc/${postmasterOf(server)}/status`, 'utf8');
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    expect(uid).toBeGreaterThan(0);
    expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toBe('');
    expect(processesWith('correct horse')).toEqual([]);
  });

  test('has a socket where paths are too long for one, and takes that folder away too', async () => {
    const workDir = path.join(bench.folder, 'a-very-long-name-of-a-folder-'.repeat(4), 'work');
    await mkdir(workDir, { recursive: true });
    const server = await bench.start({ workDir, search: await searchWithServer(bench.folder, MAJOR) });
    const socket = server.connection.hosts[0].host;
    expect(socket).toMatch(/^\/tmp\/db-backup-action-server-[0-9a-f]{12}$/);
    expect(await query(server, 'SELECT 1::text AS one')).toEqual({ one: '1' });
    await server.stop();
    expect(existsSync(socket)).toBe(false);
    expect(await readdir(path.dirname(workDir))).toEqual(['work']);
  });

  test('that is stopped with clients at it ends all the same', async () => {
    const server = await bench.start({ search: await searchWithServer(bench.folder, MAJOR) });
    const busy = query(server, 'SELECT pg_sleep(60)').catch((error: Error) => error.message);
    await until(
      () => query(server, `SELECT count(*)::text AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'`),
      ({ n }) => n === '1',
    );
    await server.stop();
    expect(await busy).toMatch(/terminat/);
    await bench.expectNothingLeft();
  });

  test('that dies in mid-run says so', async () => {
    const server = await bench.start({ search: await searchWithServer(bench.folder, MAJOR) });
    process.kill(postmasterOf(server), 'SIGQUIT');
    await expect(server.lost).rejects.toMatchObject({
      code: 'ERR_DRILL_SERVER',
      message: expect.stringMatching(/ended in mid-run. It said: [\s\S]*immediate shutdown/),
    });
    await server.stop();
    await bench.expectNothingLeft();
  });

  test('ends at once when the run is cancelled', async () => {
    const cancelled = new AbortController();
    const server = await bench.start({ signal: cancelled.signal, search: await searchWithServer(bench.folder, MAJOR) });
    cancelled.abort(new Error('cancelled'));
    await expect(server.lost).rejects.toThrow('cancelled');
    await expect(query(server, 'SELECT 1')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    await server.stop();
    await bench.expectNothingLeft();
  });

  test('of a run that is cancelled during initdb never comes to be', async () => {
    const cancelled = new AbortController();
    const search = await searchWithScripts(bench.folder, MAJOR, { initdb: `echo begun >&2; exec sleep 60` });
    const starting = bench.failureOf({ signal: cancelled.signal, search });
    await until(
      () => Promise.resolve(processesWith('sleep 60')),
      (seen) => seen.length > 0,
    );
    cancelled.abort(new Error('cancelled'));
    expect((await starting).message).toBe('cancelled');
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
    const search = { ...emptySearch(bench.folder), exec: systemExec };
    const server = await bench.start({ major: FETCHED, search, log });
    expect(server.version).toMatch(/^15\.\d+$/);
    const { setting } = await query(server, `SELECT setting FROM pg_config WHERE name = 'SHAREDIR'`);
    expect(setting).toBe(path.join(server.binFolder, `../../../../share/postgresql/${FETCHED}`));
    await query(server, 'CREATE EXTENSION pg_trgm');
    expect(await query(server, `SELECT show_trgm('a')::text AS trigrams`)).toEqual({ trigrams: '{"  a"," a "}' });
    expect(log.lines.join('\n')).toMatch(/Local server Postgres 15\.\d+ \(fetched: /);
    await server.stop();
    await bench.expectNothingLeft();
  });
});
