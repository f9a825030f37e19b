/** What a server is busy with and what is running out, made real by sessions that do it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeIf } from '../support/availability.ts';
import { type CheckRun, runCheck } from '../support/check-bench.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';

describe.each([13, 18])('The load of a Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(here, 'is seen', () => {
    let server: PostgresServer;
    const sessions: pg.Client[] = [];
    beforeAll(async () => {
      server = await startPostgres({
        major,
        settings: {
          max_connections: '20',
          wal_level: 'logical',
          shared_preload_libraries: 'pg_stat_statements',
          superuser_reserved_connections: '3',
        },
      });
      await server.query(
        'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 5000); CREATE EXTENSION pg_stat_statements',
      );
    });
    afterEach(async () => {
      await Promise.all(sessions.splice(0).map((session) => session.end()));
    });
    afterAll(() => server.stop());

    async function session(sql?: string): Promise<pg.Client> {
      const client = await server.connect();
      sessions.push(client);
      await client.query("SET application_name = 'shop'");
      if (sql !== undefined) await client.query(sql);
      return client;
    }
    const run = (inputs: Record<string, string> = {}): Promise<CheckRun> =>
      runCheck({ 'database-url': server.uri(), ...inputs });

    test('connections that run out, and who holds them', async () => {
      expect((await run()).of('connections')).toMatchObject({
        ...{ status: 'passed', limit: 80 },
        details: expect.arrayContaining(['db-backup-action check, active: 1']),
      });
      for (let count = 0; count < 14; count += 1) await session();
      const { of } = await run();
      // 17 are free for all, two are those of the check itself, one of them closed already.
      expect(of('connections')).toMatchObject({ status: 'failed', value: expect.any(Number) });
      expect(of('connections').value).toBeGreaterThan(80);
      expect(of('connections').details[0]).toBe('shop, idle: 14');
      expect((await run({ 'max-connections-percent': '100' })).of('connections').status).toBe('passed');
    });

    test('a long transaction, a long statement, and one that somebody forgot', async () => {
      const forgotten = await session('BEGIN');
      await forgotten.query('SELECT 1');
      const busy = await session();
      const statement = busy.query('SELECT pg_sleep(5)').catch(() => undefined);
      await sleep(1_500);
      const quiet = await run();
      for (const code of ['long-transaction', 'long-query', 'idle-in-transaction'])
        expect(quiet.of(code).status).toBe('passed');
      const { of } = await run({
        'max-transaction-minutes': '0.01',
        checks: 'long-query=0.01, idle-in-transaction=0.01',
        'max-active-sessions': '0',
      });
      expect(of('long-transaction').details).toHaveLength(2);
      expect(of('long-transaction')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/^shop as postgres \(pid \d+\), /), expect.any(String)],
      });
      expect(of('long-query')).toMatchObject({ status: 'warning', details: [expect.stringContaining('active')] });
      expect(of('idle-in-transaction')).toMatchObject({
        status: 'failed',
        details: [expect.stringContaining('idle in transaction')],
      });
      expect(of('active-sessions')).toMatchObject({ status: 'failed', value: 1 });
      expect((await run({ 'max-active-sessions': '1' })).of('active-sessions').status).toBe('passed');
      await server.query(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
      );
      await statement;
    });

    test('who waits for a lock, and for whom', async () => {
      expect((await run({ checks: 'lock-waits=0' })).of('lock-waits')).toMatchObject({
        status: 'passed',
        seen: 'Nobody waits for a lock',
      });
      await session('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const waiting = await session();
      const waits = waiting.query('SELECT count(*) FROM orders').catch(() => undefined);
      await sleep(1_200);
      const { of } = await run({ checks: 'lock-waits=1' });
      expect(of('lock-waits')).toMatchObject({
        status: 'failed',
        details: [
          expect.stringMatching(
            /^shop as postgres \(pid \d+\) waits .* for AccessShareLock on public\.orders, held back by shop as postgres \(pid \d+\)$/,
          ),
        ],
      });
      await sessions[0]?.query('ROLLBACK');
      await waits;
    });

    test('a replication slot that nobody reads, and the WAL that is kept for it', async () => {
      expect((await run()).of('inactive-slots').status).toBe('passed');
      await server.query("SELECT pg_create_physical_replication_slot('standby', true)");
      await server.query('CREATE TABLE bulk AS SELECT generate_series(1, 200000) AS i');
      const { of } = await run({ checks: 'slot-wal=0.001' });
      expect(of('inactive-slots')).toMatchObject({
        status: 'warning',
        details: [expect.stringMatching(/^standby \(physical\): /)],
      });
      expect(of('slot-wal')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/^standby: .* reserved$/)],
      });
      expect((await run()).of('slot-wal').status).toBe('passed');
      await server.query("SELECT pg_drop_replication_slot('standby')");
    });

    test('a slot that lost its WAL, whatever the limit is', async () => {
      await server.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
      await server.query("SELECT pg_reload_conf(), pg_create_physical_replication_slot('away', true)");
      expect((await run()).of('slot-wal').status).toBe('passed');
      for (let segment = 0; segment < 3; segment += 1)
        await server.query(`CREATE TABLE s${segment} (i int); SELECT pg_switch_wal()`);
      await server.query('CHECKPOINT');
      expect((await run()).of('slot-wal')).toMatchObject({
        status: 'failed',
        seen: '1 replication slot lost the WAL that is needed',
        details: ['away: 0 B, lost'],
        action: expect.stringContaining('set up anew'),
      });
      await server.query("SELECT pg_drop_replication_slot('away')");
      expect((await run()).of('slot-wal').status).toBe('passed');
      await server.query('ALTER SYSTEM RESET max_slot_wal_keep_size');
      await server.query('SELECT pg_reload_conf()');
    });

    test('statements that are slow on average, without their values', async () => {
      for (let count = 0; count < 10; count += 1) await server.query("SELECT pg_sleep(0.02), 'somebody@example.com'");
      const { of } = await run({ checks: 'slow-statements=15' });
      expect(of('slow-statements').status).toBe('warning');
      expect(of('slow-statements').details[0]).toMatch(
        /^queryid -?\d+: \d+ ms, 10 calls: SELECT pg_sleep\(\$1\), \$2$/,
      );
      expect(JSON.stringify(of('slow-statements'))).not.toContain('somebody@');
      expect((await run()).of('slow-statements').status).toBe('passed');
    });

    test('temporary files of a query at this moment', async () => {
      const sorter = await session("SET work_mem = '64kB'; BEGIN");
      await sorter.query(
        'DECLARE big CURSOR FOR SELECT repeat(i::text, 20) FROM generate_series(1, 200000) i ORDER BY 1',
      );
      await sorter.query('FETCH 1 FROM big');
      expect((await run({ checks: 'temp-files=0.001' })).of('temp-files').status).toBe('warning');
      await sorter.query('ROLLBACK');
      expect((await run({ checks: 'temp-files=0.001' })).of('temp-files').status).toBe('passed');
    });

    test('temporary files in a tablespace of their own', async () => {
      // Made by the server, whose user must own it.
      await server.query("CREATE TABLE made (folder text); COPY made FROM PROGRAM 'mktemp -d'");
      const [made] = await server.query<{ folder: string }>('SELECT folder FROM made');
      await server.query(`CREATE TABLESPACE scratch LOCATION '${made?.folder}'`);
      const sorter = await session("SET work_mem = '64kB'; SET temp_tablespaces = scratch; BEGIN");
      await sorter.query(
        'DECLARE big CURSOR FOR SELECT repeat(i::text, 20) FROM generate_series(1, 200000) i ORDER BY 1',
      );
      await sorter.query('FETCH 1 FROM big');
      expect((await run({ checks: 'temp-files=0.001' })).of('temp-files').status).toBe('warning');
      await sorter.query('ROLLBACK');
      await server.query('DROP TABLESPACE scratch');
      await server.query(`COPY made TO PROGRAM 'rmdir ${made?.folder}'; DROP TABLE made`);
    });

    test('how full the storage of the plan is, at 70, 85 and 95 percent', async () => {
      const [row] = await server.query<{ gb: number }>(
        'SELECT pg_database_size(current_database())::float8 / 1e9 AS gb',
      );
      const at = async (percent: number): Promise<string> => {
        const limit = (((row?.gb ?? 0) * 100) / percent).toFixed(6);
        return (await run({ 'storage-limit-gb': limit })).of('database-size').status;
      };
      expect([await at(50), await at(75), await at(90), await at(97)]).toEqual([
        'passed',
        'warning',
        'warning',
        'failed',
      ]);
    });
  });
});

describe.each([13, 18])('A Postgres %i with less memory than its tables take', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(here, 'is read', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ major, settings: { shared_buffers: '1MB', autovacuum: 'off' } });
      await server.query(
        `CREATE TABLE large AS SELECT repeat('x', 1000) FROM generate_series(1, 20000);
         CREATE TABLE small AS SELECT generate_series(1, 10) AS i`,
      );
      await server.query('SELECT pg_stat_reset()');
    });
    afterAll(() => server.stop());
    const cacheHit = async () => (await runCheck({ 'database-url': server.uri() })).of('cache-hit');
    /** Statistics arrive a little after the session that made them. */
    const counted = (column: 'blks_read' | 'blks_hit', least: number) =>
      expect
        .poll(
          async () =>
            (await server.query(`SELECT ${column}::float8 AS n FROM pg_stat_database WHERE datname = 'postgres'`))[0]
              ?.n,
          { timeout: 20_000 },
        )
        .toBeGreaterThan(least);

    test('from the disk: a cache that is too small', async () => {
      expect(await cacheHit()).toMatchObject({
        status: 'passed',
        seen: expect.stringMatching(/^Hardly anything is read/),
      });
      for (let round = 0; round < 5; round += 1) await server.query('SELECT count(*) FROM large');
      await counted('blks_read', 10_000);
      const { status, seen, value } = await cacheHit();
      expect({ status, seen }).toEqual({ status: 'warning', seen: `${value} % of blocks were found in memory` });
    });

    test('from memory: what is asked for again and again fits', async () => {
      await server.query(
        'SELECT sum((SELECT count(*) FROM small WHERE small.i <> g.i)) FROM generate_series(1, 300000) AS g (i)',
      );
      await counted('blks_hit', 300_000);
      const { status, value } = await cacheHit();
      expect(status).toBe('passed');
      expect(value).toBeGreaterThanOrEqual(90);
    });
  });
});
