/** The life of a snapshot, and the facts that it gives. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeSnapshots } from '../support/snapshot-bench.ts';

describeSnapshots((bench) => {
  test('a session that is killed is reported as lost', async () => {
    const snapshot = await bench.open();
    await bench.server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'backup'",
    );
    await expect(snapshot.lost).rejects.toMatchObject({ code: 'ERR_SNAPSHOT_LOST', retryable: true });
    await expect(snapshot.readSequencesAfter()).rejects.toMatchObject({ code: 'ERR_SNAPSHOT_LOST' });
    await snapshot.close();
  });

  test('closing is no loss, and can be done twice', async () => {
    const snapshot = await bench.open();
    let lost = false;
    snapshot.lost.catch(() => {
      lost = true;
    });
    await snapshot.close();
    await snapshot.close();
    await sleep(50);
    expect(lost).toBe(false);
    expect(await bench.server.query("SELECT FROM pg_stat_activity WHERE application_name = 'backup'")).toEqual([]);
  });

  test('timeouts of the database do not end it', async () => {
    await bench.server.query(
      `ALTER DATABASE shop SET idle_in_transaction_session_timeout = 100; ALTER DATABASE shop SET statement_timeout = 60;
       ALTER DATABASE shop SET lock_timeout = 50; ${bench.major >= 17 ? 'ALTER DATABASE shop SET transaction_timeout = 150;' : ''}`,
    );
    const snapshot = await bench.open();
    try {
      await sleep(500);
      expect(await bench.rowsOf(snapshot, 'orders')).toBe(100);
    } finally {
      await snapshot.close();
    }
  });

  test('sequences are read again after the dump; one that may not be read any more has no second value', async () => {
    await bench.server.query('CREATE SEQUENCE plain; DROP ROLE IF EXISTS dumper; CREATE ROLE dumper LOGIN', 'shop');
    await bench.server.query(
      'GRANT SELECT ON ALL TABLES IN SCHEMA public TO dumper; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO dumper',
      'shop',
    );
    const snapshot = await bench.open({}, 'dumper');
    try {
      await bench.server.query("SELECT nextval('orders_id_seq'); REVOKE SELECT ON SEQUENCE plain FROM dumper", 'shop');
      await snapshot.readSequencesAfter();
      const [orders, plain] = snapshot.facts.sequences;
      expect(orders).toMatchObject({
        name: 'orders_id_seq',
        before: { lastValue: '100', isCalled: true },
        after: { lastValue: '101', isCalled: true },
      });
      expect(plain).toMatchObject({ name: 'plain', before: { lastValue: '1', isCalled: false } });
      expect(plain?.after).toBeUndefined();
      expect(await bench.rowsOf(snapshot, 'orders')).toBe(100);
    } finally {
      await snapshot.close();
      await bench.server.query('DROP OWNED BY dumper; DROP ROLE dumper', 'shop');
    }
  });

  test('rows are counted up to the limit, critical tables always, and refusals leave the snapshot usable', async () => {
    await bench.server.query("INSERT INTO orders (note) SELECT repeat('x', 900) FROM generate_series(1, 900)", 'shop');
    const snapshot = await bench.open({ criticalTables: ['orders'] });
    try {
      await snapshot.countRows(100_000, new AbortController().signal);
      expect(snapshot.facts.tables.map(({ rows }) => rows)).toEqual([1000, 1]);
      await expect(snapshot.countRows(100_000, AbortSignal.abort(new Error('deadline')))).rejects.toThrow('deadline');
    } finally {
      await snapshot.close();
    }
    const sized = await bench.open();
    try {
      await sized.countRows(100_000, new AbortController().signal);
      expect(sized.facts.tables.map(({ rows }) => rows)).toEqual([undefined, 1]);
    } finally {
      await sized.close();
    }
  });

  test('a role that may not read a table is refused in words', async () => {
    await bench.server.query('DROP ROLE IF EXISTS nobody_here; CREATE ROLE nobody_here LOGIN');
    await expect(bench.open({}, 'nobody_here')).rejects.toMatchObject({
      code: 'ERR_PREFLIGHT',
      message: expect.stringContaining('permission denied for table orders'),
      hint: expect.stringContaining('pg_read_all_data'),
    });
  });

  test('settings are those under which pg_dump writes', async () => {
    await bench.server.query(
      `ALTER DATABASE shop SET DateStyle = 'SQL, DMY'; ALTER DATABASE shop SET IntervalStyle = 'sql_standard';
       ALTER DATABASE shop SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE shop SET bytea_output = 'escape';
       ALTER DATABASE shop SET extra_float_digits = 0; ALTER DATABASE shop SET client_encoding = 'LATIN1'`,
    );
    const snapshot = await bench.open();
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
