import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clients, clientTools } from '../support/clients.ts';
import { type Fixture, loadBigRow, loadBulk, loadDatabase, loadManyTables } from '../support/databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';

const servers: PostgresServer[] = [];
const NEWEST = availableMajors().at(-1) ?? 17;

async function start(options: Parameters<typeof startPostgres>[0]): Promise<PostgresServer> {
  const server = await startPostgres(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop({ mode: 'immediate' })));
});

describe.each(availableMajors())('Postgres %i', (major) => {
  test('holds every sample database, and its own client brings each back without a complaint', async (context) => {
    const server = await start({ major });
    const tools = await clientTools(major);
    if ('skipped' in tools) return context.skip(tools.skipped);
    expect(Number.parseInt(tools.version, 10)).toBe(major);
    for (const fixture of ['shapes', 'awkward', 'shop'] satisfies Fixture[]) {
      await loadDatabase(server, fixture, fixture);
      await server.createDatabase(`${fixture} again`);
      await restore(server, tools, fixture, `${fixture} again`);
      expect(await rowCounts(server, `${fixture} again`)).toEqual(await rowCounts(server, fixture));
    }
  });
});

/** Dump and restore with the stock tools; any message of pg_restore is an error here. */
async function restore(server: PostgresServer, tools: Clients, from: string, to: string): Promise<void> {
  const file = path.join(server.socketDir, `${from}.dump`);
  await runTool(tools.pgDump, ['-Fc', '-d', server.uri(from), '-f', file]);
  await runTool(tools.pgRestore, ['--exit-on-error', '-d', server.uri(to), file]);
}

/** Rows of every table that holds rows itself, and of all large objects, by name. */
async function rowCounts(server: PostgresServer, database: string): Promise<Record<string, number>> {
  const tables = await server.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    database,
  );
  expect(tables.length).toBeGreaterThan(4);
  const counts = [...tables.map(({ name }) => name), 'pg_largeobject'].map(
    (name) => `SELECT ${pg.escapeLiteral(name)} AS name, count(*)::integer AS rows FROM ONLY ${name}`,
  );
  const rows = await server.query<{ name: string; rows: number }>(counts.join(' UNION ALL '), database);
  return Object.fromEntries(rows.map((row) => [row.name, row.rows]));
}

describe('a server of the rig', () => {
  test('answers on TCP and on its socket, and leaves nothing behind', async () => {
    const server = await start({ major: NEWEST, settings: { application_name: "it's set" } });
    const client = new pg.Client(server.uri());
    await client.connect();
    const { rows } = await client.query('SHOW application_name');
    await client.end();
    expect(rows).toEqual([{ application_name: "it's set" }]);
    expect(await server.query('SELECT inet_server_addr() AS address')).toEqual([{ address: null }]);
    await server.stop();
    await server.stop();
    expect(existsSync(server.socketDir)).toBe(false);
    expect(server.log()).toContain('database system is shut down');
  });

  test('keeps its data from other users and never runs as root', async () => {
    const server = await start({ major: NEWEST });
    const data = await stat(server.dataDir);
    expect(data.mode & 0o777).toBe(0o700);
    expect(data.uid).not.toBe(0);
  });

  test('asks for passwords over TCP where pg_hba.conf says so', async () => {
    const server = await start({ major: NEWEST, hba: 'host all all 127.0.0.1/32 scram-sha-256' });
    await server.query(`CREATE ROLE ann LOGIN PASSWORD 'p@ss:w/rd'`);
    const allowed = new pg.Client(server.uri('postgres', 'ann', 'p@ss:w/rd'));
    await allowed.connect();
    await allowed.end();
    await expect(new pg.Client(server.uri('postgres', 'ann', 'wrong')).connect()).rejects.toThrow(
      /password authentication/,
    );
  });

  test('two of them are two systems, side by side', async () => {
    const [one, two] = await Promise.all([start({ major: NEWEST }), start({ major: NEWEST })]);
    const identifier = 'SELECT system_identifier FROM pg_control_system()';
    expect(one.port).not.toBe(two.port);
    expect(await one.query(identifier)).not.toEqual(await two.query(identifier));
  });

  test('says what it lacks when it cannot start', async () => {
    await expect(start({ major: NEWEST, settings: { no_such_setting: 'on' } })).rejects.toThrow(/no_such_setting/);
    await expect(start({ major: 12 })).rejects.toThrow(/No Postgres 12 server .* Type: npm ci/);
  });

  test('ends with the process that started it, even when that is killed', async () => {
    const module = new URL('../support/postgres-server.ts', import.meta.url).href;
    const script = `const { startPostgres } = await import(${JSON.stringify(module)});
      const server = await startPostgres({ major: ${NEWEST} });
      console.log(JSON.stringify([server.pid, server.socketDir]));
      setInterval(() => undefined, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid, folder] = JSON.parse(await firstLine(owner)) as [number, string];
    expect(process.kill(pid, 0)).toBe(true);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    // The folder is removed last, after the server has ended.
    for (let i = 0; i < 100 && existsSync(folder); i += 1) await sleep(100);
    expect(existsSync(folder)).toBe(false);
  });
});

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no standard output');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return line;
}

describe('databases of a chosen size', () => {
  test('have the number of tables, the row and the bytes that were asked for', async () => {
    const server = await start({ major: NEWEST });
    await loadManyTables(server, 'many', 250);
    const [many] = await server.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM pg_tables WHERE schemaname = 'many'`,
      'many',
    );
    expect(many?.n).toBe(250);
    await loadBigRow(server, 'wide', 2);
    const [wide] = await server.query<{ n: number }>('SELECT max(length(body)) AS n FROM wide', 'wide');
    expect(wide?.n).toBe(2 * 1024 * 1024);
    await loadBulk(server, 'bulk', 4_000_000);
    const tables = ['events', 'accounts', 'messages', 'readings'];
    const sums = tables.map(
      (table) => `SELECT count(*)::integer AS rows, sum(length(t::text))::integer AS bytes FROM ${table} t`,
    );
    const bulk = await server.query<{ rows: number; bytes: number }>(sums.join(' UNION ALL '), 'bulk');
    const bytes = bulk.reduce((total, table) => total + table.bytes, 0);
    expect(bytes).toBeGreaterThan(3_500_000);
    expect(bytes).toBeLessThan(4_800_000);
  });
});
