/** Whether a database looks as the application needs it, and whether its rows are still there. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseCheckRecord } from '../../src/domain/check/record.ts';
import { formatSchemaList } from '../../src/domain/check/schema-list.ts';
import { describeIf } from '../support/availability.ts';
import { type CheckRun, runCheck } from '../support/check-bench.ts';
import { makeUpBackup, sourceOf } from '../support/check-past.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { schemaErrors } from '../support/published-schemas.ts';

describe.each([13, 15, 18])('The shape of a database of Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(here, 'is held against', () => {
    let server: PostgresServer;
    let folder: string;
    let name: string;
    let databases = 0;
    beforeAll(async () => {
      server = await startPostgres({ major });
      folder = await mkdtemp(path.join(os.tmpdir(), 'check-shape-'));
    });
    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });
    beforeEach(async () => {
      databases += 1;
      name = `shop${databases}`;
      await server.createDatabase(name);
      await sql(
        `CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 10) i;
         CREATE TABLE orders (id int PRIMARY KEY, customer_id int, created_at timestamptz DEFAULT now());
         INSERT INTO orders SELECT i, i, now() - interval '90 min' FROM generate_series(1, 10) i;
         CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 2';`,
      );
    });
    const sql = (text: string): Promise<unknown> => server.query(text, name);
    const run = (inputs: Record<string, string>): Promise<CheckRun> =>
      runCheck({ 'database-url': server.uri(name), ...inputs });

    test('a least number of tables', async () => {
      expect((await run({ 'min-tables': '2' })).of('min-tables')).toMatchObject({
        status: 'passed',
        value: 2,
        limit: 2,
      });
      expect((await run({ 'min-tables': '3' })).of('min-tables').status).toBe('failed');
    });

    test('critical tables: there, not empty, enough rows, new enough rows', async () => {
      const good = 'public.orders rows>=10 newest(created_at)<2h\ncustomers';
      expect((await run({ 'critical-tables': good })).of('critical-tables').status).toBe('passed');
      await sql('DELETE FROM customers');
      const rules =
        'public.orders rows>=11\npublic.orders newest(created_at)<60min\ncustomers\npublic.invoices\npublic.orders newest(id)<1h';
      const { of } = await run({ 'critical-tables': rules });
      expect(of('critical-tables')).toMatchObject({
        status: 'failed',
        details: [
          'public.orders has 10 rows; 11 are the least',
          expect.stringMatching(/^public\.orders: the newest row is 1 h 30 min old; 1 h 0 min is allowed$/),
          'public.customers is empty',
          'public.invoices: there is no such table',
          expect.stringMatching(/^public\.orders: operator does not exist: timestamp/),
        ],
      });
    });

    test('critical tables that the role may not read, or sees in part: not run', async () => {
      await sql(
        'CREATE ROLE poor LOGIN; ALTER TABLE orders ENABLE ROW LEVEL SECURITY; GRANT SELECT ON orders TO poor',
      ).catch(() => sql('ALTER TABLE orders ENABLE ROW LEVEL SECURITY; GRANT SELECT ON orders TO poor'));
      const { of } = await runCheck({
        'database-url': server.uri(name, 'poor'),
        'critical-tables': 'public.orders\npublic.customers',
      });
      expect(of('critical-tables')).toMatchObject({
        status: 'not-run',
        details: [expect.stringContaining('row-level security'), expect.stringContaining('permission denied')],
      });
      expect(of('backup-readiness')).toMatchObject({
        status: 'failed',
        seen: expect.stringContaining('A backup would be refused'),
      });
      const strict = await runCheck({
        'database-url': server.uri(name, 'poor'),
        'critical-tables': 'public.orders',
        strict: 'true',
        checks: 'danger=off, load=off, readiness=off',
      });
      expect(strict.result.verdict).toBe('failed');
    });

    test('rows without a parent, with a foreign key that nobody validated, without one, and by names alone', async () => {
      expect((await run({ 'orphan-checks': 'auto' })).of('orphans')).toMatchObject({ status: 'passed', value: 0 });
      await sql('DELETE FROM customers WHERE id > 7');
      expect((await run({ 'orphan-checks': 'auto' })).of('orphans')).toMatchObject({
        status: 'warning',
        details: ['public.orders.customer_id -> public.customers.id: 3 rows without a parent (a pair by its names)'],
      });
      expect((await run({ 'orphan-checks': 'orders.customer_id -> customers.id' })).of('orphans').status).toBe(
        'failed',
      );
      await sql('ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (customer_id) REFERENCES customers NOT VALID');
      expect((await run({ 'orphan-checks': 'auto' })).of('orphans')).toMatchObject({
        status: 'failed',
        details: ['public.orders.customer_id -> public.customers.id: 3 rows without a parent'],
      });
      expect((await run({ 'orphan-checks': 'orders.customer_id -> buyers.id' })).of('orphans')).toMatchObject({
        status: 'failed',
        seen: '1 pair of `orphan-checks` is not there',
        details: ['orders.customer_id -> buyers.id: there is no table buyers'],
      });
      expect((await run({ 'orphan-checks': 'orders.customer -> customers.id' })).of('orphans')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/customer.* does not exist/)],
      });
    });

    test('extensions that must be there', async () => {
      await sql('CREATE EXTENSION citext');
      expect((await run({ 'expected-extensions': 'citext>=1.0, plpgsql' })).of('expected-extensions').status).toBe(
        'passed',
      );
      expect((await run({ 'expected-extensions': 'citext>=99, hstore' })).of('expected-extensions')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/^citext is 1\.\d, older than 99$/), 'hstore is not installed'],
      });
    });

    test('a list of objects that an earlier run wrote', async () => {
      const { result } = await run({ 'report-path': path.join(folder, 'unused.md') });
      const file = path.join(folder, `${name}.schema.txt`);
      await writeFile(file, formatSchemaList(result.schemaList ?? []));
      expect(readFileSync(file, 'utf8').split('\n')).toEqual(
        expect.arrayContaining([
          'column public.orders.created_at timestamp with time zone',
          'column public.orders.id integer not null',
          'constraint public.orders.orders_pkey primary key',
          "enum public.mood 'sad', 'ok'",
          'extension plpgsql',
          'function public.twice(i integer)',
          'index public.orders_pkey',
          'table public.orders',
        ]),
      );
      expect((await run({ 'expected-schema': file })).of('expected-schema').status).toBe('passed');
      await sql('CREATE TABLE extra (id int PRIMARY KEY)');
      expect((await run({ 'expected-schema': file })).of('expected-schema')).toMatchObject({ status: 'warning' });
      await sql('ALTER TABLE orders DROP COLUMN created_at');
      expect((await run({ 'expected-schema': file })).of('expected-schema')).toMatchObject({
        status: 'failed',
        details: expect.arrayContaining([
          'missing: column public.orders.created_at timestamp with time zone',
          'not in the list: table public.extra',
        ]),
      });
    });

    test('rows of critical tables that the last proven backup had', async () => {
      const storage = path.join(folder, `${name}-backups`);
      await makeUpBackup(storage, name, {
        daysAgo: 4,
        databaseBytes: 1_000_000,
        tables: { orders: 10, customers: 10 },
        source: await sourceOf(server, name),
      });
      const inputs = { storage, 'critical-tables': 'public.orders\npublic.customers', 'storage-limit-gb': '1' };
      const good = await run(inputs);
      expect(good.of('row-drop')).toMatchObject({ status: 'passed', limit: 50 });
      expect(good.of('growth')).toMatchObject({ status: 'passed' });
      await sql('DELETE FROM orders WHERE id > 4');
      expect((await run(inputs)).of('row-drop')).toMatchObject({
        status: 'failed',
        details: ['public.orders: 10 rows then, 4 now (-60 %)'],
        action: expect.stringContaining('Stop what writes there'),
      });
      expect((await run({ ...inputs, 'max-row-drop-percent': '60' })).of('row-drop').status).toBe('passed');
      expect((await run({ ...inputs, 'storage-limit-gb': '0.03' })).of('growth')).toMatchObject({
        status: 'warning',
        limit: 30,
      });
      const none = await run({ ...inputs, name: 'another' });
      expect(none.of('row-drop')).toMatchObject({
        status: 'not-run',
        seen: 'There is no proven backup to compare with',
      });
      expect(none.of('growth').status).toBe('not-run');
    });

    test('the largest tables, of which nobody knows the rows before they are counted', async () => {
      const largest = async () => (await run({})).result.overview.find(([what]) => what === 'largest tables')?.[1];
      await sql('CREATE TABLE loaded AS SELECT i FROM generate_series(1, 5000) i; CREATE TABLE nothing (id int)');
      const before = await largest();
      expect(before).toContain('public.loaded: rows not known before `ANALYZE`');
      expect(before).not.toContain('about 0 rows');
      await sql('ANALYZE');
      const after = await largest();
      expect(after).toContain('about 5,000 rows');
      // Before 14 the catalog says the same of a table that is empty and of one that nobody counted.
      expect(after).toContain(major < 14 ? 'public.nothing: rows not known' : 'public.nothing: 0 B, about 0 rows');
      await sql('UPDATE pg_class SET reltuples = 0 WHERE oid = $$loaded$$::regclass');
      expect(await largest()).toMatch(/public\.loaded: [\d.]+ KiB or more, rows not known before `ANALYZE`/);
    });

    test('what a backup would meet in its storage: a series of another database, and too little room', async () => {
      const storage = path.join(folder, `${name}-mixed`);
      const past = { daysAgo: 1, databaseBytes: 1_000_000, tables: {} };
      await makeUpBackup(storage, name, { ...past, source: await sourceOf(server, name) });
      expect((await run({ storage })).of('backup-readiness').status).toBe('passed');
      await makeUpBackup(storage, name, { ...past, daysAgo: 0.5 });
      expect((await run({ storage })).of('backup-readiness')).toMatchObject({
        status: 'failed',
        seen: expect.stringContaining(`The series ${name} holds backups of another database`),
        action: expect.stringContaining('accept-new-source'),
      });
      expect((await run({ storage: '/proc/backups', 'dry-run': 'true' })).of('backup-readiness')).toMatchObject({
        status: 'failed',
        details: [expect.stringMatching(/^no-space: 0 B are free for \/proc\/backups/)],
      });
    });

    test('assertions, each with its line', async () => {
      const text = 'SELECT count(*) = 10 FROM public.orders\nfreshness 2h: SELECT max(created_at) FROM public.orders';
      expect((await run({ assertions: text })).of('assertions').status).toBe('passed');
      expect(
        (await run({ assertions: `${text}\nSELECT count(*) FROM public.customers => 11` })).of('assertions'),
      ).toMatchObject({
        status: 'failed',
        details: ['line 3, failed: SELECT count(*) FROM public.customers => 11: gave 10'],
      });
    });

    test('what the platform of a provider keeps for itself is not held against its users', async () => {
      await sql('CREATE SCHEMA auth; CREATE TABLE auth.users (id int); CREATE UNLOGGED TABLE auth.cache (id int)');
      expect((await run({})).of('primary-keys').details).toEqual(['auth.cache', 'auth.users']);
      await sql('CREATE ROLE supabase_admin');
      try {
        const { of, result } = await run({});
        for (const code of ['primary-keys', 'unlogged-tables']) expect(of(code).status).toBe('passed');
        expect(JSON.stringify(result.overview)).toContain(
          'Supabase (recognised by its role supabase_admin); its point-in-time recovery',
        );
      } finally {
        await sql('DROP ROLE supabase_admin');
      }
    });

    test('the verdict is kept, without a name from the database, and what became worse is shown', async () => {
      const storage = path.join(folder, `${name}-kept`);
      const first = await run({ storage, baseline: 'storage' });
      expect(first.result.findings.map(({ code }) => code)).toContain('no-baseline');
      const [file = ''] = await readdir(path.join(storage, name, '_checks'));
      const text = readFileSync(path.join(storage, name, '_checks', file), 'utf8');
      expect(schemaErrors('check', JSON.parse(text))).toEqual([]);
      expect(parseCheckRecord(text)).toMatchObject({
        name,
        verdict: 'failed',
        checks: expect.arrayContaining([expect.objectContaining({ code: 'durability', status: 'failed' })]),
      });
      expect(text).not.toContain('orders');
      await sql('CREATE UNLOGGED TABLE volatile (i int)');
      const second = await run({ storage, baseline: 'storage' });
      expect(second.result.comparison?.worse.map(({ code, before, now }) => [code, before, now])).toEqual([
        ['unlogged-tables', 'passed', 'warning'],
        ['primary-keys', 'passed', 'warning'],
      ]);
      expect((await run({ storage, 'dry-run': 'true' })).result.recordUris).toEqual([]);
      expect(await readdir(path.join(storage, name, '_checks'))).toHaveLength(2);
    });
  });
});
