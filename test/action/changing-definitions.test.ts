/** Definitions that change between the snapshot and pg_dump's reading of them, which prints the newest ones. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import {
  type FolderState,
  type Scenario,
  type ScenarioRun,
  SNAPSHOT_SESSION,
  startScenario,
  until,
} from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven, expectUnproven } from '../support/expect-run.ts';

const SQL = `
  CREATE FUNCTION doubled(i integer) RETURNS integer LANGUAGE sql AS 'SELECT i * 2';
  CREATE FUNCTION atomic() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
  CREATE SCHEMA tools;
  CREATE FUNCTION tools.helper() RETURNS integer LANGUAGE sql AS 'SELECT 1';
  CREATE SCHEMA stock;
  CREATE TABLE stock.shelves (id integer);
  CREATE TYPE mood AS ENUM ('glad', 'sad');
  CREATE DOMAIN weight AS integer CONSTRAINT heavy CHECK (VALUE > 0);
  CREATE TABLE parcels (id integer, mood mood, weight weight);
  CREATE MATERIALIZED VIEW parcel_count AS SELECT count(*) FROM parcels;
  CREATE TABLE scratch (id integer PRIMARY KEY);
`;

describeWith(await clientTools(17), 'A backup during which definitions change', (clients) => {
  let scenario: Scenario;
  let before: FolderState;
  let database: string;
  let databases = 0;

  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: SQL });
    await expectProven(scenario, await scenario.run(), new Map());
  });

  afterAll(() => scenario?.stop());

  beforeEach(async () => {
    databases += 1;
    database = `shop_${databases}`;
    await scenario.query(`CREATE DATABASE ${database} TEMPLATE shop`, 'postgres');
    before = scenario.state();
  });

  /** The change is made when the snapshot is taken and all is read in it, and pg_dump has not begun. */
  async function runWhile(change: string, inputs: Record<string, string> = {}): Promise<ScenarioRun> {
    const go = path.join(scenario.folder, `go-${database}`);
    const tools = await scenario.shim({ startsAfter: go });
    const running = scenario.run({ tools, url: scenario.url({ database }), inputs: { name: database, ...inputs } });
    // Whoever awaits it sees the rejection; this is for the case that the change fails first.
    running.catch(() => undefined);
    const other = await scenario.connect(database);
    try {
      const counted = () =>
        other.query(`SELECT FROM pg_stat_activity WHERE datname = '${database}' AND ${SNAPSHOT_SESSION}
          AND state = 'idle in transaction' AND query = 'RELEASE SAVEPOINT counting'`);
      expect((await until(counted, ({ rowCount }) => rowCount === 1, 20_000)).rowCount).toBe(1);
      await other.query(change);
      writeFileSync(go, '');
      return await running;
    } finally {
      await other.end();
    }
  }

  test.each([
    ['a function is dropped', 'DROP FUNCTION doubled', ['function public.doubled']],
    [
      'a function with a parsed body is replaced',
      'CREATE OR REPLACE FUNCTION atomic() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 2; END',
      ['function public.atomic'],
    ],
    [
      'a schema without tables is renamed',
      'ALTER SCHEMA tools RENAME TO instruments',
      ['schema tools', 'function tools.helper'],
    ],
    ['a type is renamed', 'ALTER TYPE mood RENAME TO temper', ['type public.mood']],
    ['a domain loses a constraint', 'ALTER DOMAIN weight DROP CONSTRAINT heavy', ['constraint public.heavy']],
    [
      'a view is replaced',
      'CREATE OR REPLACE VIEW order_totals AS SELECT t.* FROM (TABLE order_totals_copy) t',
      ['rule public.order_totals'],
    ],
  ])('is not proven when %s', async (_what, change, labels) => {
    if (change.includes('order_totals_copy')) {
      await scenario.query('CREATE TABLE order_totals_copy AS TABLE order_totals', database);
    }
    const run = await runWhile(change);
    const checks = await expectUnproven(scenario, run, before, { checks: { objects: 'partial' } });
    const check = checks.find(({ id }) => id === 'objects');
    for (const label of labels) {
      expect(check?.details).toContain(`${label}: changed or was dropped after the snapshot`);
    }
    // Names are the business of contents.json.
    expect(JSON.stringify(scenario.manifest(run))).not.toContain(labels[0]?.split(' ')[1]);
  });

  test('fails in pg_dump itself when a schema with tables is renamed, since those cannot be found', async () => {
    const run = await runWhile('ALTER SCHEMA stock RENAME TO store');
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_FAILED',
      happened: ['pg_dump failed with exit code 1', 'stock'],
      action: [/run the backup again/i],
      safety: 'Nothing of this backup became visible',
    });
  });

  test.each([
    ['a function is created', `CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql AS 'SELECT 1'`],
    ['a table and an index are created', 'CREATE TABLE fresh (id integer PRIMARY KEY)'],
    ['a temporary table comes and goes', 'CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY); DROP TABLE passing'],
    ['a materialized view is refreshed', 'REFRESH MATERIALIZED VIEW parcel_count'],
    ['statistics are gathered and rows are cleaned up', 'INSERT INTO parcels VALUES (1); ANALYZE'],
  ])('is proven when %s', async (_what, change) => {
    await expectProven(scenario, await runWhile(change), before);
  });

  test('fails in pg_dump itself when a table is dropped that is left out by its bare name, which matches it no more', async () => {
    const run = await runWhile('DROP TABLE scratch', { 'exclude-tables': 'scratch' });
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_FAILED',
      happened: ['relation "public.scratch" does not exist'],
      action: [/run the backup again/i],
      safety: 'Nothing of this backup became visible',
    });
  });

  test('is proven when a table is dropped that the scope leaves out', async () => {
    const run = await runWhile('DROP TABLE scratch', { 'exclude-tables': 'public.scratch' });
    await expectProven(scenario, run, before);
  });
});
