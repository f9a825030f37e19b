/** Every danger that a check warns of, made real on a real server; each also shows what a sound one says. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeIf } from '../support/availability.ts';
import { type CheckRun, runCheck } from '../support/check-bench.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';

describe.each([13, 15, 18])('Dangers of a Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(here, 'are found', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({
        major,
        settings: { max_prepared_transactions: '5', autovacuum: 'off', full_page_writes: 'on' },
      });
    });
    afterAll(() => server.stop());

    let databases = 0;
    /** A database of its own with what `sql` makes, checked. */
    async function checked(sql: readonly string[], inputs: Record<string, string> = {}): Promise<CheckRun> {
      databases += 1;
      const name = `d${databases}`;
      await server.createDatabase(name);
      for (const statement of sql) await server.query(statement, name);
      return await runCheck({ 'database-url': server.uri(name), ...inputs });
    }

    test('an index that CREATE INDEX CONCURRENTLY left invalid', async () => {
      await server.createDatabase('twice');
      await server.query('CREATE TABLE t (i int); INSERT INTO t VALUES (1), (1)', 'twice');
      await expect(server.query('CREATE UNIQUE INDEX CONCURRENTLY t_i ON t (i)', 'twice')).rejects.toThrow(
        /duplicate|unique/,
      );
      const { of } = await runCheck({ 'database-url': server.uri('twice') });
      expect(of('invalid-indexes')).toMatchObject({ status: 'failed', details: ['public.t_i on t'], value: 1 });
      expect(of('invalid-indexes').action).toContain('REINDEX INDEX CONCURRENTLY');
      await server.query('DROP INDEX t_i', 'twice');
      expect((await runCheck({ 'database-url': server.uri('twice') })).of('invalid-indexes').status).toBe('passed');
    });

    test('constraints that nobody validated, unlogged tables, tables without a primary key', async () => {
      const { of } = await checked([
        'CREATE TABLE t (i int); INSERT INTO t VALUES (-1); ALTER TABLE t ADD CONSTRAINT positive CHECK (i > 0) NOT VALID',
        'CREATE UNLOGGED TABLE u (i int PRIMARY KEY)',
      ]);
      expect(of('not-validated')).toMatchObject({ status: 'warning', details: ['positive on public.t'] });
      expect(of('unlogged-tables')).toMatchObject({ status: 'warning', details: ['public.u'] });
      expect(of('primary-keys')).toMatchObject({ status: 'warning', details: ['public.t'] });
    });

    test('sequences and identity columns near their end, and integer columns before their sequence', async () => {
      const { of } = await checked([
        "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT setval('a_id_seq', 2000000000)",
        "CREATE TABLE b (id smallint PRIMARY KEY); CREATE SEQUENCE b_seq AS bigint OWNED BY b.id; SELECT setval('b_seq', 32000)",
        "CREATE SEQUENCE down INCREMENT -1 MINVALUE -100 MAXVALUE -1; SELECT setval('down', -99)",
        "CREATE SEQUENCE round CYCLE MAXVALUE 10; SELECT setval('round', 10)",
        "CREATE SEQUENCE young; SELECT setval('young', 1000)",
      ]);
      expect(of('sequences')).toMatchObject({
        status: 'failed',
        details: [
          'public.down: 99 %',
          'public.b_seq: 97.7 %, fills id (smallint)',
          'public.a_id_seq: 93.1 %, fills id (integer)',
        ],
        limit: 80,
      });
      const higher = await checked(["CREATE SEQUENCE s MAXVALUE 100; SELECT setval('s', 85)"], {
        checks: 'sequences=90',
      });
      expect(higher.of('sequences')).toMatchObject({ status: 'passed', value: 84.8, limit: 90 });
    });

    test('autovacuum that is off for the server, and for a table', async () => {
      const off = await checked([]);
      expect(off.of('autovacuum')).toMatchObject({
        status: 'failed',
        seen: expect.stringContaining('`autovacuum` is off'),
      });
      await server.query('ALTER SYSTEM SET autovacuum = on');
      await server.query('SELECT pg_reload_conf()');
      const table = await checked(['SELECT pg_sleep(0.2)', 'CREATE TABLE t (i int) WITH (autovacuum_enabled = off)']);
      expect(table.of('autovacuum')).toMatchObject({ status: 'warning', details: ['public.t'] });
      await server.query('ALTER SYSTEM RESET autovacuum');
      await server.query('SELECT pg_reload_conf()');
    });

    test('a table full of dead rows', async () => {
      const { of } = await checked([
        'CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 20000)',
        'DELETE FROM t WHERE i <= 15000',
        'SELECT pg_sleep(1)',
      ]);
      expect(of('dead-rows')).toMatchObject({
        status: 'warning',
        details: [expect.stringMatching(/^public\.t: 15,000 dead rows \(75 %\), never vacuumed$/)],
      });
    });

    test('transaction and multixact ids, by changing the ages in the catalog: thousands of millions cannot be used up here', async () => {
      await server.createDatabase('aged');
      const [before] = await server.query<{ ids: string; multixacts: string }>(
        "SELECT datfrozenxid::text AS ids, datminmxid::text AS multixacts FROM pg_database WHERE datname = 'aged'",
      );
      /** As many ids old as a share of the 2³¹ at which the server stops. */
      const age = async (column: 'datfrozenxid' | 'datminmxid', from: string, percent: number): Promise<CheckRun> => {
        const id = (Number(from) - Math.round((2 ** 31 * percent) / 100) + 2 ** 32) % 2 ** 32;
        await server.query(
          `SET allow_system_table_mods = on; UPDATE pg_database SET ${column} = '${id}' WHERE datname = 'aged'`,
        );
        return await runCheck({ 'database-url': server.uri() });
      };
      for (const [code, column, from = ''] of [
        ['transaction-age', 'datfrozenxid', before?.ids],
        ['multixact-age', 'datminmxid', before?.multixacts],
      ] as const) {
        expect((await age(column, from, 50)).of(code), code).toMatchObject({ status: 'warning', limit: 60 });
        expect((await age(column, from, 61)).of(code), code).toMatchObject({
          status: 'failed',
          seen: expect.stringContaining('(61 % of the way to the end), in aged'),
          action: expect.stringContaining('VACUUM (FREEZE)'),
        });
        expect((await age(column, from, 0)).of(code), code).toMatchObject({ status: 'passed', limit: 60 });
      }
    });

    test('a prepared transaction that nobody ended', async () => {
      await server.createDatabase('prepared');
      await server.query("BEGIN; CREATE TABLE t (i int); PREPARE TRANSACTION 'left over'", 'prepared');
      const url = server.uri('prepared');
      expect((await runCheck({ 'database-url': url })).of('prepared-transactions').status).toBe('passed');
      const { of } = await runCheck({ 'database-url': url, checks: 'prepared-transactions=0' });
      expect(of('prepared-transactions')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/^left over in prepared: /)],
      });
      await server.query("ROLLBACK PREPARED 'left over'", 'prepared');
      expect(
        (await runCheck({ 'database-url': url, checks: 'prepared-transactions=0' })).of('prepared-transactions').status,
      ).toBe('passed');
    });

    test('an extension that is older than the files of the server', async () => {
      const { of } = await checked(["CREATE EXTENSION pg_stat_statements VERSION '1.7'", 'CREATE EXTENSION citext']);
      expect(of('extension-updates')).toMatchObject({
        status: 'warning',
        details: [expect.stringMatching(/^pg_stat_statements: 1\.7, 1\.\d+ is there$/)],
      });
    });

    test('fsync that is off, as in this rig', async () => {
      expect((await checked([])).of('durability')).toMatchObject({
        status: 'failed',
        seen: '`fsync` is off: a crash can damage the whole database',
        action: 'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
      });
    });

    test('a collation of another version, by changing what the catalog recorded', async () => {
      await server.createDatabase('collated');
      await server.query(
        `CREATE COLLATION german (provider = icu, locale = 'de'); CREATE TABLE t (name text COLLATE german)`,
        'collated',
      );
      const url = server.uri('collated');
      expect((await runCheck({ 'database-url': url })).of('collations').status).toBe('passed');
      await server.query(
        "SET allow_system_table_mods = on; UPDATE pg_collation SET collversion = '1.2.3' WHERE collname = 'german'",
        'collated',
      );
      expect((await runCheck({ 'database-url': url })).of('collations')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/^public\.german: made with 1\.2\.3, now /)],
      });
    });
  });
});

describeIf(availableMajors().includes(18) || { skipped: 'no server of major 18' }, 'A damaged page', () => {
  test('is found by the counters of the server once somebody met it', async () => {
    const server = await startPostgres({ major: 18 });
    try {
      await server.query(
        'CREATE EXTENSION pg_buffercache; CREATE TABLE t (i int); INSERT INTO t VALUES (1); CHECKPOINT',
      );
      expect((await runCheck({ 'database-url': server.uri() })).of('checksums')).toMatchObject({ status: 'passed' });
      const [row] = await server.query<{ path: string }>("SELECT pg_relation_filepath('t') AS path");
      await server.query(
        "SELECT pg_buffercache_evict(bufferid) FROM pg_buffercache WHERE relfilenode = pg_relation_filenode('t')",
      );
      const file = await open(path.join(server.dataDir, row?.path ?? ''), 'r+');
      await file.write(Buffer.from('damaged'), 0, 7, 8150);
      await file.close();
      await expect(server.query('SELECT * FROM t')).rejects.toThrow(/invalid page/);
      const { of, result } = await runCheck({ 'database-url': server.uri() });
      expect(of('checksums')).toMatchObject({ status: 'failed', seen: 'The server found 1 damaged page' });
      expect(result.verdict).toBe('failed');
    } finally {
      await server.stop();
    }
  });
});
