/** What others change while the tables are being locked, and after. */
import { expect, test } from 'vitest';
import { describeSnapshots } from '../support/snapshot-bench.ts';

describeSnapshots((bench) => {
  test('a TRUNCATE that commits before the lock is seen by facts and dump alike', async () => {
    const { snapshot } = await bench.openWhile('TRUNCATE orders');
    try {
      expect(await bench.rowsOf(snapshot, 'orders')).toBe(0);
      expect(await bench.dumpedRows(snapshot, 'orders')).toBe(0);
    } finally {
      await snapshot.close();
    }
  });

  test('a TRUNCATE or a rewrite after the lock has to wait until the snapshot is closed', async () => {
    const snapshot = await bench.open();
    const other = await bench.server.connect('shop');
    try {
      await other.query("SET lock_timeout = '200ms'");
      await expect(other.query('TRUNCATE orders')).rejects.toThrow('lock timeout');
      await expect(other.query('ALTER TABLE orders ALTER id TYPE bigint')).rejects.toThrow('lock timeout');
      await other.query("INSERT INTO orders (note) VALUES ('late')");
      expect(await bench.rowsOf(snapshot, 'orders')).toBe(100);
      expect(await bench.dumpedRows(snapshot, 'orders')).toBe(100);
      await snapshot.close();
      await other.query('TRUNCATE orders');
    } finally {
      await other.end();
      await snapshot.close();
    }
  });

  test('a rewriting ALTER in between gives the new columns and all rows', async () => {
    const { snapshot } = await bench.openWhile(
      'ALTER TABLE orders ALTER id TYPE bigint, ADD added timestamptz DEFAULT clock_timestamp(), DROP note',
    );
    try {
      expect(snapshot.facts.tables.find(({ name }) => name === 'orders')?.columns).toEqual(['id', 'added']);
      expect(await bench.rowsOf(snapshot, 'orders')).toBe(100);
      expect(await bench.dumpedRows(snapshot, 'orders')).toBe(100);
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
    const { snapshot, lines } = await bench.openWhile(change);
    try {
      expect(lines.join()).toContain('changed while they were being locked');
      expect(snapshot.facts.tables.map(({ name }) => name)).toEqual(tables);
      for (const table of tables)
        expect(await bench.dumpedRows(snapshot, table)).toBe(await bench.rowsOf(snapshot, table));
      const locked = await bench.server.query<{ name: string }>(
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
    const other = await bench.server.connect('shop');
    try {
      await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const opening = bench.open();
      const outcome = expect(opening).rejects.toMatchObject({
        code: 'ERR_SNAPSHOT_LOST',
        message: expect.stringMatching(/appeared, vanished .* 5 times .*public\.t4/),
      });
      for (let round = 0; round < 5; round += 1) {
        await bench.untilWaiting();
        await other.query(`CREATE TABLE t${round} (i int); COMMIT; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE`);
      }
      await outcome;
    } finally {
      await other.end();
    }
  });
});
