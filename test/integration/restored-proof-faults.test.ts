/** Everything that can be wrong with a restored database fails its check, by name. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckId } from '../../src/domain/checks.ts';
import { describeIf } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import {
  type BenchBackup,
  backUpInto,
  checkOf,
  doubts,
  lookAt,
  type ProveOptions,
  planOf,
  prove,
  restoreTo,
} from '../support/restored-proof-bench.ts';

const MAJOR = 17;
const clients = await clientTools(MAJOR);
const servers = availableMajors().includes(MAJOR) || { skipped: `no server of major ${MAJOR}` };

const DATABASE = `
  CREATE EXTENSION hstore; CREATE SCHEMA stock;
  CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f');
  CREATE TABLE customers (id serial PRIMARY KEY, name varchar(40) CHECK (name IN ('x', 'y', 'z') AND name <> '' AND length(name) < 9), since date DEFAULT '2025-01-01');
  INSERT INTO customers (name) SELECT (ARRAY['x', 'y', 'z'])[1 + g % 3] FROM generate_series(1, 500) g;
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric, note text);
  INSERT INTO orders SELECT g, 1 + g % 500, g * 1.1, repeat('n', g % 200) FROM generate_series(1, 2000) g;
  UPDATE orders SET note = note || repeat('w', 150) WHERE id % 3 = 0; DELETE FROM orders WHERE id % 7 = 0;
  CREATE INDEX orders_customer ON orders (customer);
  CREATE TABLE log (id bigserial, what text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NULL; END$$;
  CREATE TRIGGER noted AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE parts_2025 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO parts SELECT g, date '2025-06-01' + g FROM generate_series(1, 400) g;
  CREATE TABLE moods (feels mood, n int) PARTITION BY HASH (feels);
  CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  INSERT INTO moods SELECT (enum_range(NULL::mood))[1 + g % 6], g FROM generate_series(1, 60) g;
  CREATE TABLE animal (name text, legs int); CREATE TABLE dog (breed text, name text, legs int); ALTER TABLE dog INHERIT animal;
  ALTER TABLE animal ADD COLUMN age int DEFAULT 3;
  INSERT INTO dog VALUES ('collie', 'Rex', 4, 5), ('pug', 'Bo', 4, 2);
  CREATE VIEW rich AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
  CREATE MATERIALIZED VIEW by_name AS SELECT name, count(*) AS n FROM customers GROUP BY name;
  CREATE MATERIALIZED VIEW later AS SELECT 1 AS one WITH NO DATA;
  CREATE TABLE secrets (id int, owner name); INSERT INTO secrets VALUES (1, 'me'), (2, 'you');
  ALTER TABLE secrets ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON secrets USING (owner = current_user);
  GRANT SELECT ON customers TO reader;
  CREATE TABLE stock.items (id int); INSERT INTO stock.items VALUES (1);
  SELECT lo_from_bytea(4711, 'small'), lo_from_bytea(4712, decode(repeat('00ff10', 900000), 'hex')), lo_from_bytea(4713, '');
  GRANT SELECT ON LARGE OBJECT 4711 TO reader;
  SELECT nextval('customers_id_seq');`.replace(/ {2}CREATE EVENT TRIGGER.*\n/, '');

describeIf(servers === true && 'skipped' in clients ? clients : servers, 'the proof of a restored database', () => {
  const tools = clients as Clients;
  let source: PostgresServer;
  let target: PostgresServer;
  let folder: string;
  let backup: BenchBackup;
  let copies = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'restored-faults-'));
    [source, target] = await Promise.all([startPostgres({ major: MAJOR }), startPostgres({ major: MAJOR })]);
    for (const server of [source, target]) await server.query('CREATE ROLE reader; CREATE ROLE bound LOGIN');
    await source.createDatabase('shop');
    await source.query(DATABASE, 'shop');
    backup = await backUpInto(folder, source, tools, 'shop');
    await restoreTo(target, tools, backup, 'restored');
  });

  afterAll(async () => {
    await Promise.all([source?.stop(), target?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** The proof of a copy of the restored database after `sql`. */
  async function proveAfter(sql: string, options: ProveOptions = {}) {
    copies += 1;
    const database = `copy_${copies}`;
    await target.createDatabase(database, 'TEMPLATE restored');
    if (sql !== '') await target.query(sql, database);
    return await prove(folder, target, tools, backup, database, options);
  }

  test('passes in everything when nothing was changed, and every claim is of something that was compared', async () => {
    const proof = await proveAfter('', { criticalTables: ['public.orders', 'public.parts'] });
    expect(doubts(proof)).toEqual([]);
    expect(proof.totals).toEqual({
      tables: backup.contents.tables.length,
      rows: backup.contents.tables.reduce((sum, { rows }) => sum + rows, 0),
      largeObjects: 3,
    });
    expect(proof.phases.map(({ phase }) => phase)).toEqual(['prove: content', 'prove: structure']);
    expect(proof.checks.map(({ reason }) => reason).join(' ')).not.toMatch(/orders|parts|hstore/);
  });

  test('passes when rows lie in another physical order, and inherited columns in another one', async () => {
    const order = () => source.query<{ ids: string }>('SELECT string_agg(id::text, $$,$$) AS ids FROM orders', 'shop');
    expect(await order()).not.toEqual(
      await target.query('SELECT string_agg(id::text, $$,$$) AS ids FROM orders', 'restored'),
    );
    const columns =
      'SELECT attname FROM pg_attribute WHERE attrelid = $$dog$$::regclass AND attnum > 0 ORDER BY attnum';
    expect(await source.query(columns, 'shop')).not.toEqual(await target.query(columns, 'restored'));
    expect(
      doubts(await proveAfter('CLUSTER orders USING orders_customer; ALTER TABLE orders SET WITHOUT CLUSTER')),
    ).toEqual([]);
  });

  test.each<[string, CheckId, RegExp, string]>([
    [
      'one row changed',
      'tables',
      /^public\.orders: as many rows .* other content/,
      "UPDATE orders SET note = note || '!' WHERE id = 1000",
    ],
    [
      'one row lost',
      'tables',
      /^public\.orders: 1,715 rows in the backup, 1,714 /,
      'DELETE FROM orders WHERE id = 1000',
    ],
    ['one row added', 'tables', /^public\.log: 0 rows in the backup, 1 /, "INSERT INTO log (what) VALUES ('x')"],
    [
      'a row written by a trigger after the restore',
      'tables',
      /^public\.log: /,
      'UPDATE orders SET note = note WHERE id = 5',
    ],
    ['a row doubled', 'tables', /^stock\.items: 1 rows .*, 2 /, 'INSERT INTO stock.items SELECT * FROM stock.items'],
    ['a table gone', 'tables', /^stock\.items: cannot be read/, 'DROP TABLE stock.items'],
    ['a column gone', 'tables', /^public\.orders: cannot be read/, 'ALTER TABLE orders DROP COLUMN note'],
    [
      'a sequence off by one',
      'sequences',
      /^public\.customers_id_seq: 501 in the backup, 502 /,
      "SELECT nextval('customers_id_seq')",
    ],
    ['a sequence not called', 'sequences', /501 \(not called\)/, "SELECT setval('customers_id_seq', 501, false)"],
    ['a sequence gone', 'sequences', /is missing/, 'DROP SEQUENCE log_id_seq CASCADE'],
    ['a large object changed in its middle', 'large-objects', /other content/, "SELECT lo_put(4712, 1500000, 'x')"],
    ['a large object gone', 'large-objects', /3 large objects .*, 2 /, 'SELECT lo_unlink(4713)'],
    [
      'rights on a large object gone',
      'definitions',
      /large objects: owners/,
      'REVOKE SELECT ON LARGE OBJECT 4711 FROM reader',
    ],
    ['an index missing', 'objects', /^INDEX public\.orders_customer: is missing/, 'DROP INDEX orders_customer'],
    ['an index too many', 'objects', /^INDEX public\.more: is in the restored/, 'CREATE INDEX more ON orders (total)'],
    [
      'an index that is not valid',
      'state',
      /^public\.orders_customer: the index is not valid/,
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_customer'::regclass",
    ],
    [
      'a constraint not validated',
      'state',
      /^constraint orders_customer_fkey on public\.orders: not validated; in the backup: validated/,
      'ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey, ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers NOT VALID',
    ],
    [
      'a foreign key that checks nothing',
      'state',
      /^orders_customer_fkey on public\.orders: the foreign key is switched off/,
      'ALTER TABLE orders DISABLE TRIGGER ALL',
    ],
    [
      'a trigger switched off',
      'state',
      /^trigger noted on public\.orders: disabled; in the backup: enabled/,
      'ALTER TABLE orders DISABLE TRIGGER noted',
    ],
    [
      'a materialised view that is not populated',
      'state',
      /^public\.by_name: .* not populated/,
      'REFRESH MATERIALIZED VIEW by_name WITH NO DATA',
    ],
    [
      'a materialised view that should not be populated',
      'state',
      /^public\.later: .* is populated/,
      'REFRESH MATERIALIZED VIEW later',
    ],
    [
      'a partition detached',
      'state',
      /^table public\.parts_2026: is missing; in the backup: attached to public\.parts FOR VALUES/,
      'ALTER TABLE parts DETACH PARTITION parts_2026',
    ],
    [
      'a partition detached, as an object',
      'objects',
      /^TABLE ATTACH public\.parts_2026: is missing/,
      'ALTER TABLE parts DETACH PARTITION parts_2026',
    ],
    [
      'row-level security switched off',
      'state',
      /^row-level security of public\.secrets: off/,
      'ALTER TABLE secrets DISABLE ROW LEVEL SECURITY',
    ],
    [
      'a view redefined',
      'definitions',
      /^VIEW public\.rich: is defined otherwise/,
      'CREATE OR REPLACE VIEW rich AS SELECT customer, max(total) AS total FROM orders GROUP BY customer',
    ],
    [
      'a function changed',
      'definitions',
      /^FUNCTION public\.note\(\): is defined otherwise/,
      "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
    [
      'a default changed',
      'definitions',
      /^TABLE public\.customers: is defined otherwise/,
      "ALTER TABLE customers ALTER since SET DEFAULT '2026-01-01'",
    ],
    [
      'a check changed',
      'definitions',
      /^TABLE public\.customers: is defined otherwise/,
      "ALTER TABLE customers DROP CONSTRAINT customers_name_check, ADD CONSTRAINT customers_name_check CHECK (name IN ('x', 'y', 'z') AND name <> '' AND length(name) < 10)",
    ],
    [
      'an owner changed',
      'definitions',
      /^TABLE stock\.items: is defined otherwise/,
      'ALTER TABLE stock.items OWNER TO reader',
    ],
    [
      'a grant changed',
      'definitions',
      /^ACL public\.TABLE customers: is defined otherwise/,
      'GRANT UPDATE ON customers TO reader',
    ],
    ['a grant gone', 'objects', /^ACL public\.TABLE customers: is missing/, 'REVOKE ALL ON customers FROM reader'],
    ['a policy missing', 'objects', /^POLICY public\.secrets own: is missing/, 'DROP POLICY own ON secrets'],
    ['an extension missing', 'extensions', /^extension hstore: is missing/, 'DROP EXTENSION hstore'],
    ['an extension missing, as an object', 'objects', /^EXTENSION hstore: is missing/, 'DROP EXTENSION hstore'],
  ])('fails when it finds %s', async (_what, id, words, sql) => {
    const settings = sql.startsWith('UPDATE pg_') ? 'SET allow_system_table_mods = on; ' : '';
    const check = checkOf(await proveAfter(settings + sql), id);
    expect(check.status).toBe('failed');
    expect(
      check.details.filter((detail) => words.test(detail)),
      check.details.join('\n'),
    ).toHaveLength(1);
  });

  test('fails when critical tables are empty, or when there are none of that name', async () => {
    const proof = await proveAfter('', { criticalTables: ['public.log', 'public.nobody', 'public.parts*'] });
    expect(checkOf(proof, 'critical-tables')).toMatchObject({
      status: 'failed',
      details: [
        'public.nobody: matches no table of the restored database',
        'public.log: is critical and none of its rows were restored',
      ],
    });
  });

  test('never takes the rows that row-level security lets through for all', async () => {
    const grants = 'GRANT pg_read_all_data TO bound; GRANT SELECT ON LARGE OBJECT 4711, 4712, 4713 TO bound';
    const proof = await proveAfter(grants, { user: 'bound' });
    const check = checkOf(proof, 'tables');
    expect(check.status).toBe('partial');
    expect(check.details).toHaveLength(1);
    expect(check.details[0]).toMatch(/^public\.secrets: the server refused to show its rows: .*row-level security/);
  });

  test('is partial by name where no reference can be made, and still fails what is missing', async () => {
    const proof = await prove(folder, target, tools, backup, 'restored', { reference: undefined as never });
    expect(doubts(proof).map(({ id, status }) => [id, status])).toEqual([
      ['definitions', 'partial'],
      ['state', 'partial'],
    ]);
    expect(checkOf(proof, 'definitions').details[0]).toMatch(/^TABLE public\.customers: is worded otherwise/);
    const worse = await proveAfter('DROP INDEX orders_customer', { reference: undefined as never });
    expect(checkOf(worse, 'objects').status).toBe('failed');
  });

  test('is partial when the reference cannot be created, or met errors', async () => {
    const denied = {
      database: 'nowhere',
      create: () => Promise.reject(new Error('permission denied')),
      drop: async () => undefined,
    };
    expect(checkOf(await proveAfter('', { reference: denied }), 'definitions')).toMatchObject({
      status: 'partial',
      details: expect.arrayContaining(['The reference restore could not be made: permission denied']),
    });
    const occupied = { database: 'restored', create: async () => undefined, drop: async () => undefined };
    const proof = await proveAfter('', { reference: occupied });
    expect(checkOf(proof, 'definitions').details.at(-1)).toMatch(/^The reference restore met errors: .*already exists/);
  });

  test('is partial, and not over, when the role may not create databases after all', async () => {
    const rights = 'GRANT pg_read_all_data TO bound; ALTER TABLE secrets DISABLE ROW LEVEL SECURITY';
    const lobs = 'GRANT SELECT ON LARGE OBJECT 4711, 4712, 4713 TO bound';
    const definitions = checkOf(await proveAfter(`${rights}; ${lobs}`, { user: 'bound' }), 'definitions');
    expect(definitions.status).toBe('partial');
    expect(definitions.details.at(-1)).toContain('permission denied to create database');
  });

  test('judges a partial restore on its part, and says so', async () => {
    await target.createDatabase('part', 'TEMPLATE template0');
    const plan = planOf(
      backup.toc,
      ({ schema, name, type }) => schema === 'stock' || (type === 'SCHEMA' && name === 'stock'),
    );
    await target.query(
      'CREATE SCHEMA stock; CREATE TABLE stock.items (id int); INSERT INTO stock.items VALUES (1)',
      'part',
    );
    const proof = await prove(folder, target, tools, backup, 'part', { plan });
    expect(doubts(proof)).toEqual([]);
    expect(checkOf(proof, 'tables').reason).toBe(
      '1 of 1 tables of the part that was restored hold the 1 rows that were recorded, byte for byte',
    );
    expect(proof.totals).toEqual({ tables: 1, rows: 1, largeObjects: 0 });
    await target.query('INSERT INTO stock.items VALUES (2); CREATE TABLE public.other ()', 'part');
    const later = await prove(folder, target, tools, backup, 'part', { plan, alone: false });
    expect(doubts(later).map(({ id }) => id)).toEqual(['tables']);
  });

  test('without owners and rights it compares everything else, and does so without a reference where wording agrees', async () => {
    await restoreTo(target, tools, backup, 'ownerless', ['--no-owner', '--no-privileges']);
    const options = { owner: 'drop', privileges: 'drop' } as const;
    expect(doubts(await prove(folder, target, tools, backup, 'ownerless', options))).toEqual([]);
    await target.query(
      "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
      'ownerless',
    );
    const changed = checkOf(await prove(folder, target, tools, backup, 'ownerless', options), 'definitions');
    expect(changed.details).toEqual(['FUNCTION public.note(): is defined otherwise than in the backup']);
  });

  test('makes no reference where every definition is worded as recorded and there are no large objects', async () => {
    await source.createDatabase('plain');
    await source.query('CREATE TABLE t (id int PRIMARY KEY CHECK (id > 0)); INSERT INTO t VALUES (1)', 'plain');
    const plain = await backUpInto(folder, source, tools, 'plain');
    await restoreTo(target, tools, plain, 'plain');
    const never = {
      database: 'never',
      create: () => Promise.reject(new Error('was asked for')),
      drop: async () => undefined,
    };
    expect(doubts(await prove(folder, target, tools, plain, 'plain', { reference: never }))).toEqual([]);
  });

  test('makes the reference from a stream as well', async () => {
    const archive = {
      kind: 'stream',
      format: 'custom',
      open: async () => createReadStream(backup.archive.path),
    } as const;
    expect(doubts(await proveAfter('', { archive }))).toEqual([]);
  });

  test('passes when rows of a hash partition by an enum came into another leaf', async () => {
    const swap = `ALTER TABLE moods DETACH PARTITION moods_0; ALTER TABLE moods DETACH PARTITION moods_1;
      ALTER TABLE moods_0 RENAME TO aside; ALTER TABLE moods_1 RENAME TO moods_0; ALTER TABLE aside RENAME TO moods_1;
      CREATE TABLE kept AS SELECT * FROM moods_0 UNION ALL SELECT * FROM moods_1; TRUNCATE moods_0, moods_1;
      ALTER TABLE moods ATTACH PARTITION moods_0 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      ALTER TABLE moods ATTACH PARTITION moods_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      INSERT INTO moods SELECT * FROM kept; DROP TABLE kept`;
    expect(checkOf(await proveAfter(swap), 'tables').status).toBe('passed');
    expect(checkOf(await proveAfter(`${swap}; UPDATE moods SET n = 61 WHERE n = 60`), 'tables').details).toHaveLength(
      2,
    );
  });

  test('leaves no session, child or reference behind when it is cancelled', async () => {
    const stop = new AbortController();
    const reference = `cancelled_${copies}`;
    const place = {
      database: reference,
      create: async () => {
        await target.createDatabase(reference);
        stop.abort(new Error('cancelled'));
      },
      drop: async () => void (await target.query(`DROP DATABASE ${reference} WITH (FORCE)`)),
    };
    await expect(proveAfter('', { reference: place, signal: stop.signal })).rejects.toThrow('cancelled');
    expect(await target.query(`SELECT FROM pg_database WHERE datname = '${reference}'`)).toEqual([]);
    expect(await target.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'db-backup-action%'")).toEqual(
      [],
    );
  });

  test('of a dump made by other means it says what there is, and never that it passed', async () => {
    const proof = await lookAt(folder, target, 'restored', ['public.orders', 'public.log']);
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
    expect(proof.totals).toMatchObject({ tables: backup.contents.tables.length, largeObjects: 3 });
    await target.createDatabase('broken', 'TEMPLATE restored');
    await target.query('ALTER TABLE orders DISABLE TRIGGER ALL', 'broken');
    expect(checkOf(await lookAt(folder, target, 'broken', []), 'state').status).toBe('failed');
    expect(checkOf(await lookAt(folder, target, 'template1', []), 'tables').status).toBe('failed');
    await target.query('GRANT pg_read_all_data TO bound');
    const bound = await lookAt(folder, target, 'restored', ['public.orders'], 'bound');
    expect(checkOf(bound, 'tables')).toMatchObject({
      status: 'not-run',
      details: [expect.stringContaining('row-level security')],
    });
    expect(checkOf(bound, 'critical-tables').status).toBe('not-run');
  });

  test.each(['schema', 'data'] as const)(
    'proves a backup of %s alone, and says what it does not hold',
    async (content) => {
      const part = await backUpInto(folder, source, tools, 'shop', { content });
      const database = `alone_${content}`;
      if (content === 'schema') await restoreTo(target, tools, part, database);
      else await target.createDatabase(database, 'TEMPLATE restored');
      const proof = await prove(folder, target, tools, part, database, { alone: content === 'schema' });
      expect(doubts(proof)).toEqual([]);
      const id = content === 'schema' ? 'tables' : 'definitions';
      expect(checkOf(proof, id).reason).toMatch(/^The backup holds (definitions|rows) alone/);
      const critical = await prove(folder, target, tools, part, database, {
        alone: false,
        criticalTables: ['public.orders'],
      });
      expect(checkOf(critical, 'critical-tables').status).toBe(content === 'schema' ? 'not-run' : 'passed');
    },
  );
});
