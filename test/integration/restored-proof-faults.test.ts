/** Everything that can be wrong with a restored database fails its check, by name. */
import { expect, test } from 'vitest';
import type { CheckId } from '../../src/domain/checks.ts';
import { describeRestoredShop } from '../support/restored-copies.ts';
import { checkOf, doubts } from '../support/restored-proof-bench.ts';

await describeRestoredShop((bench) => {
  test('passes in everything when nothing was changed, and every claim is of something that was compared', async () => {
    const proof = await bench.proveAfter('', { criticalTables: ['public.orders', 'public.parts'] });
    expect(doubts(proof)).toEqual([]);
    expect(proof.totals).toEqual({
      tables: bench.backup.contents.tables.length,
      rows: bench.backup.contents.tables.reduce((sum, { rows }) => sum + rows, 0),
      largeObjects: 3,
    });
    expect(proof.phases.map(({ phase }) => phase)).toEqual(['prove: content', 'prove: structure']);
    expect(proof.checks.map(({ reason }) => reason).join(' ')).not.toMatch(/orders|parts|hstore/);
  });

  test('passes when rows lie in another physical order, and inherited columns in another one', async () => {
    const order = () =>
      bench.source.query<{ ids: string }>('SELECT string_agg(id::text, $$,$$) AS ids FROM orders', 'shop');
    expect(await order()).not.toEqual(
      await bench.target.query('SELECT string_agg(id::text, $$,$$) AS ids FROM orders', 'restored'),
    );
    const columns =
      'SELECT attname FROM pg_attribute WHERE attrelid = $$dog$$::regclass AND attnum > 0 ORDER BY attnum';
    expect(await bench.source.query(columns, 'shop')).not.toEqual(await bench.target.query(columns, 'restored'));
    expect(
      doubts(await bench.proveAfter('CLUSTER orders USING orders_customer; ALTER TABLE orders SET WITHOUT CLUSTER')),
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
    ['a row doubled', 'tables', /^stock\.items: 1 row .*, 2 /, 'INSERT INTO stock.items SELECT * FROM stock.items'],
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
    const check = checkOf(await bench.proveAfter(settings + sql), id);
    expect(check.status).toBe('failed');
    expect(
      check.details.filter((detail) => words.test(detail)),
      check.details.join('\n'),
    ).toHaveLength(1);
  });

  test('fails when critical tables are empty, or when there are none of that name', async () => {
    const proof = await bench.proveAfter('', { criticalTables: ['public.log', 'public.nobody', 'public.parts*'] });
    expect(checkOf(proof, 'critical-tables')).toMatchObject({
      status: 'failed',
      details: [
        'public.nobody: matches no table of the restored database',
        'public.log: is critical and has no rows in the restored database',
      ],
    });
  });

  test('never takes the rows that row-level security lets through for all', async () => {
    const grants = 'GRANT pg_read_all_data TO bound; GRANT SELECT ON LARGE OBJECT 4711, 4712, 4713 TO bound';
    const proof = await bench.proveAfter(grants, { user: 'bound' });
    const check = checkOf(proof, 'tables');
    expect(check.status).toBe('partial');
    expect(check.details).toHaveLength(1);
    expect(check.details[0]).toMatch(/^public\.secrets: the server refused to show its rows: .*row-level security/);
  });

  test('passes when rows of a hash partition by an enum came into another leaf', async () => {
    const swap = `ALTER TABLE moods DETACH PARTITION moods_0; ALTER TABLE moods DETACH PARTITION moods_1;
      ALTER TABLE moods_0 RENAME TO aside; ALTER TABLE moods_1 RENAME TO moods_0; ALTER TABLE aside RENAME TO moods_1;
      CREATE TABLE kept AS SELECT * FROM moods_0 UNION ALL SELECT * FROM moods_1; TRUNCATE moods_0, moods_1;
      ALTER TABLE moods ATTACH PARTITION moods_0 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      ALTER TABLE moods ATTACH PARTITION moods_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      INSERT INTO moods SELECT * FROM kept; DROP TABLE kept`;
    expect(checkOf(await bench.proveAfter(swap), 'tables').status).toBe('passed');
    expect(
      checkOf(await bench.proveAfter(`${swap}; UPDATE moods SET n = 61 WHERE n = 60`), 'tables').details,
    ).toHaveLength(2);
  });
});
