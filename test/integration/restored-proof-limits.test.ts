/** Where not everything can be compared, the proof says what was not: no reference, a part, a dump made by other means. */
import { createReadStream } from 'node:fs';
import { expect, test } from 'vitest';
import { describeRestoredShop } from '../support/restored-copies.ts';
import { checkOf, doubts, planOf } from '../support/restored-proof-bench.ts';

await describeRestoredShop((bench) => {
  test('is partial by name where no reference can be made, and still fails what is missing', async () => {
    const proof = await bench.prove('restored', { reference: undefined as never });
    expect(doubts(proof).map(({ id, status }) => [id, status])).toEqual([
      ['definitions', 'partial'],
      ['state', 'partial'],
    ]);
    expect(checkOf(proof, 'definitions').details[0]).toMatch(/^TABLE public\.customers: is worded otherwise/);
    const worse = await bench.proveAfter('DROP INDEX orders_customer', { reference: undefined as never });
    expect(checkOf(worse, 'objects').status).toBe('failed');
  });

  test('is partial when the reference cannot be created, or met errors', async () => {
    const denied = {
      database: 'nowhere',
      create: () => Promise.reject(new Error('permission denied')),
      drop: async () => undefined,
    };
    expect(checkOf(await bench.proveAfter('', { reference: denied }), 'definitions')).toMatchObject({
      status: 'partial',
      details: expect.arrayContaining(['The reference restore could not be made: permission denied']),
    });
    const occupied = { database: 'restored', create: async () => undefined, drop: async () => undefined };
    const proof = await bench.proveAfter('', { reference: occupied });
    expect(checkOf(proof, 'definitions').details.at(-1)).toMatch(/^The reference restore met errors: .*already exists/);
  });

  test('is partial, and not over, when the role may not create databases after all', async () => {
    const rights = 'GRANT pg_read_all_data TO bound; ALTER TABLE secrets DISABLE ROW LEVEL SECURITY';
    const lobs = 'GRANT SELECT ON LARGE OBJECT 4711, 4712, 4713 TO bound';
    const definitions = checkOf(await bench.proveAfter(`${rights}; ${lobs}`, { user: 'bound' }), 'definitions');
    expect(definitions.status).toBe('partial');
    expect(definitions.details.at(-1)).toContain('permission denied to create database');
  });

  test('judges a partial restore on its part, and says so', async () => {
    await bench.target.createDatabase('part', 'TEMPLATE template0');
    const plan = planOf(
      bench.backup.toc,
      ({ schema, name, type }) => schema === 'stock' || (type === 'SCHEMA' && name === 'stock'),
    );
    await bench.target.query(
      'CREATE SCHEMA stock; CREATE TABLE stock.items (id int); INSERT INTO stock.items VALUES (1)',
      'part',
    );
    const proof = await bench.prove('part', { plan });
    expect(doubts(proof)).toEqual([]);
    expect(checkOf(proof, 'tables').reason).toBe(
      '1 of 1 table of the part that was restored holds the 1 row that was recorded, byte for byte',
    );
    expect(proof.totals).toEqual({ tables: 1, rows: 1, largeObjects: 0 });
    await bench.target.query('INSERT INTO stock.items VALUES (2); CREATE TABLE public.other ()', 'part');
    const later = await bench.prove('part', { plan, alone: false });
    expect(doubts(later).map(({ id }) => id)).toEqual(['tables']);
  });

  test('without owners and rights it compares everything else, and does so without a reference where wording agrees', async () => {
    await bench.restoreTo('ownerless', ['--no-owner', '--no-privileges']);
    const options = { owner: 'drop', privileges: 'drop' } as const;
    expect(doubts(await bench.prove('ownerless', options))).toEqual([]);
    await bench.target.query(
      "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
      'ownerless',
    );
    const changed = checkOf(await bench.prove('ownerless', options), 'definitions');
    expect(changed.details).toEqual(['FUNCTION public.note(): is defined otherwise than in the backup']);
  });

  test('makes no reference where every definition is worded as recorded and there are no large objects', async () => {
    await bench.source.createDatabase('plain');
    await bench.source.query('CREATE TABLE t (id int PRIMARY KEY CHECK (id > 0)); INSERT INTO t VALUES (1)', 'plain');
    const plain = await bench.backUp('plain');
    await bench.restoreTo('plain', [], plain);
    const never = {
      database: 'never',
      create: () => Promise.reject(new Error('was asked for')),
      drop: async () => undefined,
    };
    expect(doubts(await bench.prove('plain', { reference: never }, plain))).toEqual([]);
  });

  test('makes the reference from a stream as well', async () => {
    const archive = {
      kind: 'stream',
      format: 'custom',
      open: async () => createReadStream(bench.backup.archive.path),
    } as const;
    expect(doubts(await bench.proveAfter('', { archive }))).toEqual([]);
  });

  test('leaves no session, child or reference behind when it is cancelled', async () => {
    const stop = new AbortController();
    const reference = 'cancelled';
    const place = {
      database: reference,
      create: async () => {
        await bench.target.createDatabase(reference);
        stop.abort(new Error('cancelled'));
      },
      drop: async () => void (await bench.target.query(`DROP DATABASE ${reference} WITH (FORCE)`)),
    };
    await expect(bench.proveAfter('', { reference: place, signal: stop.signal })).rejects.toThrow('cancelled');
    expect(await bench.target.query(`SELECT FROM pg_database WHERE datname = '${reference}'`)).toEqual([]);
    expect(
      await bench.target.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'db-backup-action%'"),
    ).toEqual([]);
  });

  test('of a dump made by other means it says what there is, and never that it passed', async () => {
    const proof = await bench.lookAt('restored', ['public.orders', 'public.log']);
    expect(proof.checks.map(({ id, status }) => [id, status])).toEqual([
      ['tables', 'partial'],
      ['sequences', 'not-run'],
      ['large-objects', 'not-run'],
      ['objects', 'not-run'],
      ['definitions', 'not-run'],
      ['extensions', 'not-run'],
      ['state', 'partial'],
      ['critical-tables', 'failed'],
    ]);
    expect(checkOf(proof, 'tables').details).toContain('public.orders: 1,715 rows');
    expect(checkOf(proof, 'state').details).toEqual(['public.later: is not populated']);
    expect(proof.totals).toMatchObject({ tables: bench.backup.contents.tables.length, largeObjects: 3 });
    await bench.target.createDatabase('broken', 'TEMPLATE restored');
    await bench.target.query('ALTER TABLE orders DISABLE TRIGGER ALL', 'broken');
    expect(checkOf(await bench.lookAt('broken', []), 'state').status).toBe('failed');
    expect(checkOf(await bench.lookAt('template1', []), 'tables').status).toBe('failed');
    await bench.target.query('GRANT pg_read_all_data TO bound');
    const bound = await bench.lookAt('restored', ['public.orders'], 'bound');
    expect(checkOf(bound, 'tables')).toMatchObject({
      status: 'not-run',
      details: [expect.stringContaining('row-level security')],
    });
    expect(checkOf(bound, 'critical-tables').status).toBe('not-run');
  });

  test.each(['schema', 'data'] as const)(
    'proves a backup of %s alone, and says what it does not hold',
    async (content) => {
      const part = await bench.backUp('shop', { content });
      const database = `alone_${content}`;
      if (content === 'schema') await bench.restoreTo(database, [], part);
      else await bench.target.createDatabase(database, 'TEMPLATE restored');
      const proof = await bench.prove(database, { alone: content === 'schema' }, part);
      expect(doubts(proof)).toEqual([]);
      const id = content === 'schema' ? 'tables' : 'definitions';
      expect(checkOf(proof, id).reason).toMatch(/^The backup holds (definitions|rows) alone/);
      const critical = await bench.prove(database, { alone: false, criticalTables: ['public.orders'] }, part);
      expect(checkOf(critical, 'critical-tables').status).toBe(content === 'schema' ? 'not-run' : 'passed');
    },
  );
});
