/** What is settled before a byte is dumped: the right tables, all of them readable, and at least one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, type ScenarioRunOptions, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import {
  annotation,
  type ExpectedFailure,
  expectFailed,
  expectProven,
  expectUnproven,
  readable,
} from '../support/expect-run.ts';

const SQL = `
  CREATE TABLE "User" (id integer);
  INSERT INTO "User" VALUES (1);
  CREATE TABLE outbox (id integer);
  CREATE SCHEMA vault;
`;

describeWith(await clientTools(17), 'The preflight', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: SQL });
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });

  afterAll(() => scenario?.stop());

  async function expectRefused(options: ScenarioRunOptions, expected: ExpectedFailure): Promise<void> {
    const run = await scenario.run(options);
    await expectFailed(scenario, run, before, { safety: 'Nothing was written', ...expected });
  }

  /** Undoes `sql` by `undo`, whatever happens in between. */
  async function whileChanged(sql: string, undo: string, body: () => Promise<void>): Promise<void> {
    await scenario.query(sql);
    try {
      await body();
    } finally {
      await scenario.query(undo);
    }
  }

  test('refuses a table whose rows a policy hides from the role, and names the right that is missing', () =>
    whileChanged(
      'ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON orders USING (id < 10)',
      'DROP POLICY own ON orders; ALTER TABLE orders DISABLE ROW LEVEL SECURITY',
      () =>
        expectRefused(
          {},
          {
            code: 'ERR_PREFLIGHT',
            happened: [/Row-level security hides rows from the role `?backup`?/, 'public.orders'],
            action: [/ALTER ROLE "backup" BYPASSRLS;/],
          },
        ),
    ));

  test('refuses tables and sequences that the role may not read, with the GRANT to type', () =>
    whileChanged('REVOKE pg_read_all_data FROM backup', 'GRANT pg_read_all_data TO backup', () =>
      expectRefused(
        {},
        {
          code: 'ERR_PREFLIGHT',
          happened: [/may not read \d+ tables in scope/, 'public.orders', /may not read \d+ sequences in scope/],
          action: [/^[^-]*GRANT pg_read_all_data TO "backup";/],
        },
      ),
    ));

  test('refuses large objects of somebody else, which pg_read_all_data does not cover', () =>
    whileChanged(`SELECT lo_from_bytea(4711, 'receipt')`, 'SELECT lo_unlink(4711)', () =>
      expectRefused(
        {},
        {
          code: 'ERR_PREFLIGHT',
          happened: [/may not read 1 large object: 4711/],
          action: ['GRANT SELECT ON LARGE OBJECT'],
        },
      ),
    ));

  test('says everything that is in the way at once', () =>
    whileChanged(
      'REVOKE pg_read_all_data FROM backup; ALTER TABLE orders ENABLE ROW LEVEL SECURITY',
      'GRANT pg_read_all_data TO backup; ALTER TABLE orders DISABLE ROW LEVEL SECURITY',
      () =>
        expectRefused(
          { inputs: { 'exclude-tables': 'no_such_table' } },
          {
            code: 'ERR_PATTERN',
            happened: [/\d things are in the way/, 'no_such_table', 'Row-level security', 'may not read'],
            action: ['Correct it', 'BYPASSRLS', 'GRANT pg_read_all_data'],
          },
        ),
    ));

  test.each([
    ['tables', 'user', /Did you mean `?public\."User"`?\?/],
    ['tables', 'public.User', /Did you mean `?public\."User"`?\?/],
    ['schemas', '"Vault"', /Did you mean `?vault`?\?/],
    ['exclude-table-data', 'Orders_', 'Correct it'],
    ['critical-tables', 'public.invoices', 'Correct it'],
  ])('refuses %s: %s, which matches nothing', (input, pattern, advice) =>
    expectRefused(
      { inputs: { [input]: pattern } },
      { code: 'ERR_PATTERN', happened: [pattern, 'matches nothing'], action: [advice] },
    ),
  );

  test('refuses critical tables that the scope leaves out', () =>
    expectRefused(
      { inputs: { 'critical-tables': 'orders', 'exclude-tables': 'order*' } },
      {
        code: 'ERR_PATTERN',
        happened: ['matches only tables that this backup leaves out'],
        action: ['widen the scope'],
      },
    ));

  test('refuses a database without tables as probably the wrong one, until allow-empty says it is right', async () => {
    await scenario.query('CREATE DATABASE fresh', 'postgres');
    const url = scenario.url({ database: 'fresh' });
    await expectRefused(
      { url, inputs: { name: 'fresh' } },
      {
        code: 'ERR_EMPTY_DATABASE',
        happened: [/The database `?fresh`? on 127\.0\.0\.1:\d+ has not a single table/, 'usually the wrong one'],
        action: ['Check the host and the database name', /allow-empty: true/],
      },
    );
    const run = await scenario.run({ url, inputs: { name: 'fresh', 'allow-empty': 'true' } });
    await expectProven(scenario, run, before);
    expect(run.outputs).toMatchObject({ tables: '0', rows: '0' });
    expect(annotation(run, 'warning', 'no-tables')?.message).toContain('not a single table');
    before = scenario.state();
  });

  test('lets a critical table that is empty through, and the proof then fails', async () => {
    const run = await scenario.run({ inputs: { 'critical-tables': 'orders\noutbox' } });
    const checks = await expectUnproven(scenario, run, before, { checks: { 'critical-tables': 'failed' } });
    const check = checks.find(({ id }) => id === 'critical-tables');
    expect(check?.details).toEqual([expect.stringContaining('public.outbox: is critical and has no rows')]);
    expect(JSON.stringify(scenario.manifest(run))).not.toContain('outbox');
    before = scenario.state();
    await scenario.query('INSERT INTO outbox VALUES (1)');
    await expectProven(scenario, await scenario.run({ inputs: { 'critical-tables': 'orders\noutbox' } }), before);
    before = scenario.state();
  });

  test('tells what it found even when the run fails later', () =>
    whileChanged('CREATE UNLOGGED TABLE cache (id integer)', 'DROP TABLE cache', async () => {
      const run = await scenario.run({ tools: await scenario.shim({ with: ['--no-such-option'] }) });
      await expectFailed(scenario, run, before, {
        code: 'ERR_DUMP_FAILED',
        happened: ['pg_dump failed with exit code 1'],
        action: [/run the backup again/i],
        safety: 'Nothing of this backup became visible',
      });
      expect(annotation(run, 'notice', 'unlogged-tables')?.message).toContain('public.cache');
      expect(readable(run.summary)).toContain('public.cache');
    }));
});
