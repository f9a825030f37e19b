import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Scope } from '../../src/domain/scope.ts';
import type { SnapshotRequest } from '../../src/postgres/locked-read.ts';
import { openSnapshot, type Snapshot } from '../../src/postgres/snapshot.ts';
import { describeIf } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';
import { recordingLog, silentLog } from '../support/silent-log.ts';

const WHOLE: Scope = {
  content: 'all',
  schemas: [],
  excludeSchemas: [],
  tables: [],
  excludeTables: [],
  excludeTableData: [],
};

describe.each([13, 15, 18])('a snapshot on Postgres %i', async (major) => {
  const tools = await clientTools(major);
  const servers = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  const here = servers === true && 'skipped' in tools ? tools : servers;

  describeIf(here, 'under concurrent changes', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await startPostgres({ major });
    });

    afterAll(() => server.stop());

    beforeEach(async () => {
      await server.query('DROP DATABASE IF EXISTS shop');
      await server.createDatabase('shop');
      await server.query(
        `CREATE TABLE orders (id serial PRIMARY KEY, note text); CREATE TABLE other (i int);
         INSERT INTO orders (note) SELECT 'n' FROM generate_series(1, 100); INSERT INTO other VALUES (1)`,
        'shop',
      );
    });

    async function connect(user = 'postgres'): Promise<pg.Client> {
      const client = new pg.Client({ connectionString: server.uri('shop', user), application_name: 'backup' });
      await client.connect();
      return client;
    }

    async function open(part: Partial<SnapshotRequest> = {}, user?: string): Promise<Snapshot> {
      return await openSnapshot(await connect(user), {
        scope: WHOLE,
        criticalTables: [],
        lockTimeoutSeconds: 20,
        signal: new AbortController().signal,
        log: silentLog,
        ...part,
      });
    }

    /** Rows of the table in what pg_dump reads through the snapshot; `undefined` when it is not there. */
    async function dumpedRows(snapshot: Snapshot, table: string): Promise<number | undefined> {
      if ('skipped' in tools) throw new Error(tools.skipped);
      const sql = await runTool(tools.pgDump, [`--snapshot=${snapshot.id}`, '-d', server.uri('shop')]);
      const block = new RegExp(`^COPY public\\.${table} .*\\n([^]*?)^\\\\\\.$`, 'm').exec(sql);
      return block?.[1]?.split('\n').slice(0, -1).length;
    }

    async function untilWaiting(count = 1): Promise<void> {
      for (;;) {
        const rows = await server.query(
          "SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.application_name = 'backup'",
        );
        if (rows.length >= count) return;
        await sleep(10);
      }
    }

    /** Opens a snapshot while another session holds `orders` and does `change` before it commits. */
    async function openWhile(change: string): Promise<{ snapshot: Snapshot; lines: string[] }> {
      const log = recordingLog();
      const other = await server.connect('shop');
      try {
        await other.query('BEGIN');
        await other.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
        const opening = open({ log });
        await untilWaiting();
        await other.query(change);
        await other.query('COMMIT');
        return { snapshot: await opening, lines: log.lines };
      } finally {
        await other.end();
      }
    }

    async function rowsOf(snapshot: Snapshot, table: string): Promise<number | undefined> {
      await snapshot.countRows(1e9, new AbortController().signal);
      return snapshot.facts.tables.find(({ name }) => name === table)?.rows;
    }

    test('a TRUNCATE that commits before the lock is seen by facts and dump alike', async () => {
      const { snapshot } = await openWhile('TRUNCATE orders');
      try {
        expect(await rowsOf(snapshot, 'orders')).toBe(0);
        expect(await dumpedRows(snapshot, 'orders')).toBe(0);
      } finally {
        await snapshot.close();
      }
    });

    test('a TRUNCATE or a rewrite after the lock has to wait until the snapshot is closed', async () => {
      const snapshot = await open();
      const other = await server.connect('shop');
      try {
        await other.query("SET lock_timeout = '200ms'");
        await expect(other.query('TRUNCATE orders')).rejects.toThrow('lock timeout');
        await expect(other.query('ALTER TABLE orders ALTER id TYPE bigint')).rejects.toThrow('lock timeout');
        await other.query("INSERT INTO orders (note) VALUES ('late')");
        expect(await rowsOf(snapshot, 'orders')).toBe(100);
        expect(await dumpedRows(snapshot, 'orders')).toBe(100);
        await snapshot.close();
        await other.query('TRUNCATE orders');
      } finally {
        await other.end();
        await snapshot.close();
      }
    });

    test('a rewriting ALTER in between gives the new columns and all rows', async () => {
      const { snapshot } = await openWhile(
        'ALTER TABLE orders ALTER id TYPE bigint, ADD added timestamptz DEFAULT clock_timestamp(), DROP note',
      );
      try {
        expect(snapshot.facts.tables.find(({ name }) => name === 'orders')?.columns).toEqual(['id', 'added']);
        expect(await rowsOf(snapshot, 'orders')).toBe(100);
        expect(await dumpedRows(snapshot, 'orders')).toBe(100);
      } finally {
        await snapshot.close();
      }
    });

    test.each([
      ['a DROP', 'DROP TABLE orders', ['other']],
      ['a CREATE', 'CREATE TABLE fresh AS SELECT 1 AS i', ['fresh', 'orders', 'other']],
      ['a RENAME', 'ALTER TABLE other RENAME TO renamed', ['orders', 'renamed']],
      ['a table replaced by another of its name', 'DROP TABLE other; CREATE TABLE other (k int)', ['orders', 'other']],
      ['a table replaced by a view', 'DROP TABLE other; CREATE VIEW other AS SELECT 1', ['orders']],
    ])('%s in between begins anew and then agrees with the dump', async (_, change, tables) => {
      const { snapshot, lines } = await openWhile(change);
      try {
        expect(lines.join()).toContain('changed while they were being locked');
        expect(snapshot.facts.tables.map(({ name }) => name)).toEqual(tables);
        for (const table of tables) expect(await dumpedRows(snapshot, table)).toBe(await rowsOf(snapshot, table));
        const locked = await server.query<{ name: string }>(
          `SELECT c.relname AS name FROM pg_locks l JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'public'::regnamespace
             JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'backup' AND c.relkind = 'r'`,
          'shop',
        );
        expect(locked.map(({ name }) => name).sort()).toEqual(tables);
      } finally {
        await snapshot.close();
      }
    });

    test('a database that never holds still is given up after five attempts', async () => {
      const other = await server.connect('shop');
      try {
        await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
        const opening = open();
        const outcome = expect(opening).rejects.toMatchObject({
          code: 'ERR_SNAPSHOT_LOST',
          message: expect.stringMatching(/appeared, vanished .* 5 times .*public\.t4/),
        });
        for (let round = 0; round < 5; round += 1) {
          await untilWaiting();
          await other.query(
            `CREATE TABLE t${round} (i int); COMMIT; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE`,
          );
        }
        await outcome;
      } finally {
        await other.end();
      }
    });

    test('a lock that is not granted in time names the table and the session', async () => {
      const other = new pg.Client({ connectionString: server.uri('shop'), application_name: 'migration' });
      await other.connect();
      try {
        await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
        await expect(open({ lockTimeoutSeconds: 0.3 })).rejects.toMatchObject({
          code: 'ERR_LOCK_TIMEOUT',
          retryable: true,
          message: expect.stringMatching(
            /public\.orders within 0\.3 s.*public\.orders is locked exclusively by session \d+ \(role postgres, application migration, idle in transaction/,
          ),
        });
      } finally {
        await other.end();
      }
    });

    test('an ALTER that queues behind a reader is named together with the reader', async () => {
      const reader = await server.connect('shop');
      const alter = await server.connect('shop');
      try {
        await reader.query('BEGIN; SELECT FROM orders');
        const queued = alter.query('ALTER TABLE orders ADD late int');
        await sleep(200);
        await expect(open({ lockTimeoutSeconds: 0.3 })).rejects.toMatchObject({
          code: 'ERR_LOCK_TIMEOUT',
          message: expect.stringMatching(/waits for an exclusive lock on public\.orders behind session \d+/),
        });
        await reader.query('COMMIT');
        await queued;
      } finally {
        await reader.end();
        await alter.end();
      }
    });

    test('an abort while waiting for a lock is heard at once', async () => {
      const other = await server.connect('shop');
      const controller = new AbortController();
      try {
        await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
        const opening = open({ signal: controller.signal });
        const outcome = expect(opening).rejects.toThrow('cancelled by the user');
        await untilWaiting();
        const from = Date.now();
        controller.abort(new Error('cancelled by the user'));
        await outcome;
        expect(Date.now() - from).toBeLessThan(1_000);
      } finally {
        await other.end();
      }
    });

    test('a session that is killed is reported as lost', async () => {
      const snapshot = await open();
      await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'backup'");
      await expect(snapshot.lost).rejects.toMatchObject({ code: 'ERR_SNAPSHOT_LOST', retryable: true });
      await expect(snapshot.readSequencesAfter()).rejects.toMatchObject({ code: 'ERR_SNAPSHOT_LOST' });
      await snapshot.close();
    });

    test('closing is no loss, and can be done twice', async () => {
      const snapshot = await open();
      let lost = false;
      snapshot.lost.catch(() => {
        lost = true;
      });
      await snapshot.close();
      await snapshot.close();
      await sleep(50);
      expect(lost).toBe(false);
      expect(await server.query("SELECT FROM pg_stat_activity WHERE application_name = 'backup'")).toEqual([]);
    });

    test('timeouts of the database do not end it', async () => {
      await server.query(
        `ALTER DATABASE shop SET idle_in_transaction_session_timeout = 100; ALTER DATABASE shop SET statement_timeout = 60;
         ALTER DATABASE shop SET lock_timeout = 50; ${major >= 17 ? 'ALTER DATABASE shop SET transaction_timeout = 150;' : ''}`,
      );
      const snapshot = await open();
      try {
        await sleep(500);
        expect(await rowsOf(snapshot, 'orders')).toBe(100);
      } finally {
        await snapshot.close();
      }
    });

    test('sequences are read again after the dump; one that may not be read any more has no second value', async () => {
      await server.query('CREATE SEQUENCE plain; DROP ROLE IF EXISTS dumper; CREATE ROLE dumper LOGIN', 'shop');
      await server.query(
        'GRANT SELECT ON ALL TABLES IN SCHEMA public TO dumper; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO dumper',
        'shop',
      );
      const snapshot = await open({}, 'dumper');
      try {
        await server.query("SELECT nextval('orders_id_seq'); REVOKE SELECT ON SEQUENCE plain FROM dumper", 'shop');
        await snapshot.readSequencesAfter();
        const [orders, plain] = snapshot.facts.sequences;
        expect(orders).toMatchObject({
          name: 'orders_id_seq',
          before: { lastValue: '100', isCalled: true },
          after: { lastValue: '101', isCalled: true },
        });
        expect(plain).toMatchObject({ name: 'plain', before: { lastValue: '1', isCalled: false } });
        expect(plain?.after).toBeUndefined();
        expect(await rowsOf(snapshot, 'orders')).toBe(100);
      } finally {
        await snapshot.close();
        await server.query('DROP OWNED BY dumper; DROP ROLE dumper', 'shop');
      }
    });

    test('rows are counted up to the limit, critical tables always, and refusals leave the snapshot usable', async () => {
      await server.query("INSERT INTO orders (note) SELECT repeat('x', 900) FROM generate_series(1, 900)", 'shop');
      const snapshot = await open({ criticalTables: ['orders'] });
      try {
        await snapshot.countRows(100_000, new AbortController().signal);
        expect(snapshot.facts.tables.map(({ rows }) => rows)).toEqual([1000, 1]);
        await expect(snapshot.countRows(100_000, AbortSignal.abort(new Error('deadline')))).rejects.toThrow('deadline');
      } finally {
        await snapshot.close();
      }
      const sized = await open();
      try {
        await sized.countRows(100_000, new AbortController().signal);
        expect(sized.facts.tables.map(({ rows }) => rows)).toEqual([undefined, 1]);
      } finally {
        await sized.close();
      }
    });

    test('a role that may not read a table is refused in words', async () => {
      await server.query('DROP ROLE IF EXISTS nobody_here; CREATE ROLE nobody_here LOGIN');
      await expect(open({}, 'nobody_here')).rejects.toMatchObject({
        code: 'ERR_PREFLIGHT',
        message: expect.stringContaining('permission denied for table orders'),
        hint: expect.stringContaining('pg_read_all_data'),
      });
    });

    test('settings are those under which pg_dump writes', async () => {
      await server.query(
        `ALTER DATABASE shop SET DateStyle = 'SQL, DMY'; ALTER DATABASE shop SET IntervalStyle = 'sql_standard';
         ALTER DATABASE shop SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE shop SET bytea_output = 'escape';
         ALTER DATABASE shop SET extra_float_digits = 0; ALTER DATABASE shop SET client_encoding = 'LATIN1'`,
      );
      const snapshot = await open();
      await snapshot.close();
      expect(snapshot.facts.settings).toEqual({
        TimeZone: 'Asia/Tokyo',
        DateStyle: 'ISO, DMY',
        IntervalStyle: 'postgres',
        extra_float_digits: '3',
        bytea_output: 'escape',
        lc_monetary: 'C',
        client_encoding: 'UTF8',
      });
    });
  });
});
