/** A database that others change while it is backed up: proven with the truth of one moment, or a clear error. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import {
  DUMP_SESSION,
  type FolderState,
  type Scenario,
  type ScenarioRun,
  SNAPSHOT_SESSION,
  SOURCE_SESSION,
  startScenario,
  until,
} from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven, expectUnproven } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';

describeWith(await clientTools(17), 'A backup beside other sessions', (clients) => {
  let scenario: Scenario;
  let before: FolderState;
  let database: string;
  let databases = 0;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await expectProven(scenario, await scenario.run(), new Map());
  });

  afterAll(() => scenario?.stop());

  beforeEach(async () => {
    databases += 1;
    database = `shop_${databases}`;
    await scenario.query(`CREATE DATABASE ${database} TEMPLATE shop`, 'postgres');
    before = scenario.state();
  });

  /** Of this test's own database, which is its own series. */
  async function run(options: Parameters<Scenario['run']>[0] = {}): Promise<ScenarioRun> {
    return await scenario.run({
      url: scenario.url({ database }),
      ...options,
      inputs: { name: database, ...options.inputs },
    });
  }

  /** Something in `pg_stat_activity` of this test's database. */
  async function untilSeen(what: string): Promise<void> {
    const look = () =>
      scenario.query(`SELECT FROM pg_stat_activity WHERE datname = '${database}' AND ${what}`, database);
    const seen = await until(look, (rows) => rows.length > 0, 20_000);
    expect(seen.length, what).toBeGreaterThan(0);
  }

  /** Another session holds `orders`; while the run waits for it, the change is made and committed. */
  async function runWhile(change: string, inputs: Record<string, string> = {}): Promise<ScenarioRun> {
    const other = await scenario.connect(database);
    try {
      await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const running = run({ inputs });
      // Whoever awaits it sees the rejection; this is for the case that the other session fails first.
      running.catch(() => undefined);
      await untilSeen(`${SNAPSHOT_SESSION} AND wait_event_type = 'Lock'`);
      // Long enough for the backup to be a waiting session of old: then Postgres would end the other one.
      await pause(1_500);
      await other.query(change);
      await other.query('COMMIT');
      return await running;
    } finally {
      await other.end();
    }
  }

  function rowsOf(of: ScenarioRun): Record<string, number> {
    return Object.fromEntries(scenario.contents(of).tables.map(({ name, rows }) => [name, rows]));
  }

  test('holds the empty table after a TRUNCATE that came first, and warns that it shrank', async () => {
    await expectProven(scenario, await run(), before);
    before = scenario.state();
    const after = await runWhile('TRUNCATE orders CASCADE');
    await expectProven(scenario, after, before);
    expect(rowsOf(after)).toMatchObject({ orders: 0, order_items: 0, customers: 800 });
    const warning = after.annotations.find(({ kind }) => kind === 'warning');
    expect(`${warning?.title} ${warning?.message}`).toMatch(/rows|shrank|smaller|fewer/);
    expect(scenario.manifest(after).warnings).not.toEqual([]);
  });

  test('is not proven when that table is a critical one', async () => {
    const after = await runWhile('TRUNCATE orders CASCADE', { 'critical-tables': 'orders' });
    await expectUnproven(scenario, after, before, { checks: { 'critical-tables': 'failed' } });
  });

  test('lets a migration that wants a second table go first, and does without the table that it dropped', async () => {
    const after = await runWhile('DROP TABLE reviews');
    await expectProven(scenario, after, before);
    expect(Object.keys(rowsOf(after)).sort()).toEqual(['customers', 'order_items', 'orders', 'products']);
  });

  test('holds all rows in their new form after an ALTER that rewrote the table', async () => {
    const after = await runWhile(
      'ALTER TABLE orders ALTER placed_at TYPE timestamp, DROP COLUMN note, ADD COLUMN weight integer DEFAULT 3',
      { verify: 'source' },
    );
    await expectProven(scenario, after, before);
    const orders = scenario.contents(after).tables.find(({ name }) => name === 'orders');
    expect(orders).toMatchObject({ rows: 3000, countedRows: 3000 });
    expect(orders?.columns).toEqual(['id', 'customer_id', 'status', 'placed_at', 'weight']);
  });

  test('holds the new table where another took the place of the old one', async () => {
    const after = await runWhile(
      `ALTER TABLE orders RENAME TO orders_2025; CREATE TABLE orders (LIKE orders_2025);
       INSERT INTO orders SELECT * FROM orders_2025 WHERE id <= 7`,
      { verify: 'source' },
    );
    await expectProven(scenario, after, before);
    expect(rowsOf(after)).toMatchObject({ orders: 7, orders_2025: 3000 });
  });

  test('gives up on a lock that is not granted in time, and names the table and who has it', async () => {
    const other = await scenario.connect(database);
    try {
      await other.query(`SET application_name = 'migration'; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE`);
      const failed = await run({ inputs: { 'lock-timeout-seconds': '2' } });
      await expectFailed(scenario, failed, before, {
        code: 'ERR_LOCK_TIMEOUT',
        happened: ['reading lock on public.orders within 2 s', 'migration'],
        action: ['run the backup again', 'lock-timeout-seconds'],
        safety: 'Nothing was written',
      });
    } finally {
      await other.end();
    }
  });

  test('gives up when an ALTER queues between the snapshot and the dump, rather than wait for each other', async () => {
    const go = path.join(scenario.folder, 'go');
    const tools = await scenario.shim({ startsAfter: go });
    const other = await scenario.connect(database);
    try {
      const running = run({ tools, inputs: { 'lock-timeout-seconds': '2' } });
      await untilSeen(`${SNAPSHOT_SESSION} AND query LIKE '%SAVEPOINT%'`);
      const altered = other.query('ALTER TABLE orders ALTER placed_at TYPE timestamp');
      await untilSeen(`query LIKE 'ALTER TABLE orders%' AND wait_event_type = 'Lock'`);
      writeFileSync(go, '');
      const failed = await running;
      await expectFailed(scenario, failed, before, {
        code: 'ERR_LOCK_TIMEOUT',
        happened: ['pg_dump waited too long for a lock', 'public.orders'],
        action: ['migration', 'run the backup again', 'lock-timeout-seconds'],
        safety: 'Nothing of this backup became visible',
      });
      // What waited for us goes on.
      await altered;
    } finally {
      await other.end();
    }
  });

  test('is proven when a TRUNCATE comes while rows are copied: it waits until the dump has them all', async () => {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { bytesPerSecond: 400_000 });
    const other = await scenario.connect(database);
    try {
      const running = run({ url: scenario.url({ database, port: proxy.port }), inputs: { verify: 'source' } });
      await untilSeen(`${SOURCE_SESSION} AND query LIKE 'COPY%'`);
      await untilSeen(`${DUMP_SESSION} AND query LIKE 'COPY%'`);
      let isDone = false;
      const truncated = other.query('TRUNCATE orders CASCADE').then(() => {
        isDone = true;
      });
      await untilSeen(`query LIKE 'TRUNCATE%' AND wait_event_type = 'Lock'`);
      expect(isDone).toBe(false);
      const proven = await running;
      await truncated;
      await expectProven(scenario, proven, before);
      expect(rowsOf(proven)).toMatchObject({ orders: 3000 });
    } finally {
      await other.end();
      await proxy.close();
    }
  });

  /** Runs the statements over and over, beside a backup that takes some seconds. */
  async function runBeside(statements: string[], inputs: Record<string, string>): Promise<ScenarioRun> {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { bytesPerSecond: 400_000 });
    const other = await scenario.connect(database);
    let isOver = false;
    let rounds = 0;
    const busy = (async () => {
      for (; !isOver; rounds += 1) for (const statement of statements) await other.query(statement);
    })();
    try {
      return await run({ url: scenario.url({ database, port: proxy.port }), inputs });
    } finally {
      isOver = true;
      await busy;
      await other.end();
      await proxy.close();
      expect(rounds).toBeGreaterThan(100);
    }
  }

  test('is proven while sequences move all the time, up and down', async () => {
    await scenario.query('CREATE SEQUENCE down INCREMENT -3 MINVALUE -1000000000 MAXVALUE -1', database);
    const proven = await runBeside(
      [`SELECT nextval('orders_id_seq'), nextval('down'), nextval('customers_id_seq')`],
      {},
    );
    await expectProven(scenario, proven, before);
    const orders = scenario.contents(proven).sequences.find(({ name }) => name === 'orders_id_seq');
    expect(Number(orders?.before.lastValue)).toBeLessThan(Number(orders?.after?.lastValue));
  });

  test('is proven row by row while others insert, update and delete all the time', async () => {
    const proven = await runBeside(
      [
        `INSERT INTO orders (customer_id, status, placed_at, note) SELECT 1, 'placed', now(), md5(random()::text)`,
        `UPDATE orders SET note = md5(random()::text) WHERE id IN (SELECT id FROM orders ORDER BY random() LIMIT 5)`,
        `DELETE FROM reviews WHERE id = (SELECT min(id) FROM reviews)`,
      ],
      { verify: 'source' },
    );
    await expectProven(scenario, proven, before);
    expect(scenario.contents(proven).checks).toContainEqual(
      expect.objectContaining({ id: 'source', status: 'passed' }),
    );
  });

  test('is not proven when a sequence is set back meanwhile, since nobody can tell which value is right', async () => {
    const go = path.join(scenario.folder, 'set-back');
    const tools = await scenario.shim({ startsAfter: go });
    const running = run({ tools });
    await untilSeen(`${SNAPSHOT_SESSION} AND query LIKE '%SAVEPOINT%'`);
    await scenario.query(`SELECT setval('orders_id_seq', 5)`, database);
    writeFileSync(go, '');
    const after = await running;
    const checks = await expectUnproven(scenario, after, before, { checks: { sequences: 'partial' } });
    const details = checks.find(({ id }) => id === 'sequences')?.details;
    expect(details).toEqual([expect.stringContaining('public.orders_id_seq: it was set back during the dump')]);
  });
});

describeWith(await clientTools(17), 'A backup of names and texts made to fool a reader', (clients) => {
  test('is proven, row by row', async () => {
    const scenario = await startScenario(clients, {
      fixture: 'awkward',
      sql: 'GRANT SELECT ON LARGE OBJECT 920001 TO backup',
    });
    try {
      const run = await scenario.run({ inputs: { verify: 'source' } });
      await expectProven(scenario, run, new Map());
      // Log and summary are read by a machine, too: no name may become a command or a heading.
      expect(run.annotations.filter(({ kind }) => kind === 'error')).toEqual([]);
      expect(run.commands.map(({ name }) => name)).not.toContain('set-output');
    } finally {
      await scenario.stop();
    }
  });
});
