/** Whole archives restored by pg_restore from one server into another, compared by SQL. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/postgres/analyze.ts';
import { runRestore } from '../../src/postgres/restore.ts';
import { describeWith } from '../support/availability.ts';
import { asStream, inventory, RestoreBench, restoreClients } from '../support/restore-bench.ts';

const PAIRS = [
  [15, 15],
  [15, 17],
  [17, 18],
  [17, 15],
] as const;

describe.each(PAIRS)('from Postgres %i to %i', async (sourceMajor, targetMajor) => {
  describeWith(await restoreClients(sourceMajor, targetMajor), 'a whole restore', (clients) => {
    let bench: RestoreBench;

    beforeAll(async () => {
      bench = await RestoreBench.start(clients, targetMajor);
      await bench.target.query(
        'CREATE ROLE shapes_owner; CREATE ROLE shapes_reader; CREATE ROLE "awkward -- role ""x"""',
      );
    });

    afterAll(() => bench.stop());

    test.each(['shapes', 'awkward', 'shop'] as const)(
      'brings %s back, and every message is understood',
      async (fixture) => {
        const archive = await bench.dump(fixture, { fixture });
        const plan = await bench.plan(archive);
        expect(plan).toMatchObject({ whole: true, leftOut: [], missingRoles: [], findings: [] });
        const database = await bench.newDatabase();
        const run = await runRestore(bench.options(database, archive, plan));
        expect(run.messages.filter(({ kind }) => kind !== 'harmless')).toEqual([]);
        expect(await inventory(bench.target, database)).toEqual(await inventory(bench.source, fixture));
        expect(run.phases.map(({ phase }) => phase)).toEqual(['restore', 'index']);
        expect(run.phases.every(({ seconds }) => seconds >= 0)).toBe(true);
        const older = run.messages.filter(({ text }) => text.includes('"transaction_timeout"'));
        expect(older.length > 0).toBe(targetMajor < 17 && sourceMajor >= 17);
        expect(run.exitCode).toBe(older.length > 0 ? 1 : 0);
      },
    );
  });
});

describeWith(await restoreClients(17, 17), 'a restore', (clients) => {
  let bench: RestoreBench;

  beforeAll(async () => {
    bench = await RestoreBench.start(clients, 17);
  });

  afterAll(() => bench.stop());

  test('reads directories, streams and plain dumps too', async () => {
    const custom = await bench.dump('forms', { fixture: 'shop' });
    const plan = await bench.plan(custom);
    const plain = await bench.dump('forms', { format: 'sql' });
    const sources = [await bench.dump('forms', { format: 'directory' }), asStream(custom), plain, asStream(plain)];
    const expected = await inventory(bench.source, 'forms');
    for (const archive of sources) {
      const database = await bench.newDatabase();
      const run = await runRestore(bench.options(database, archive, plan));
      expect(run).toMatchObject({ messages: [], exitCode: 0 });
      expect(await inventory(bench.target, database)).toEqual(expected);
    }
  });

  test('brings the critical tables first, each row once, and says when they could be read', async () => {
    const archive = await bench.dump('critical', { fixture: 'shop' });
    const plan = await bench.plan(archive);
    const database = await bench.newDatabase();
    const log: number[] = [];
    const run = await runRestore(
      bench.options(database, archive, plan, {
        criticalTables: [{ schema: 'public', name: 'reviews' }],
        onProgress: ({ tablesBegun }) => log.push(tablesBegun),
      }),
    );
    expect(run).toMatchObject({ messages: [], exitCode: 0 });
    const total = run.phases.reduce((sum, { seconds }) => sum + seconds, 0);
    expect(run.criticalTablesSeconds).toBeGreaterThan(0);
    expect(run.criticalTablesSeconds).toBeLessThan(total);
    expect(log).toEqual([1, 2, 3, 4, 5]);
    expect(await inventory(bench.target, database)).toEqual(await inventory(bench.source, 'critical'));
  });

  test('leaves statistics for the planner behind after ANALYZE', async () => {
    const archive = await bench.dump('planner', { fixture: 'shop' });
    const database = await bench.newDatabase();
    await runRestore(bench.options(database, archive, await bench.plan(archive)));
    const client = await bench.target.connect(database);
    const statistics = "SELECT FROM pg_stats WHERE schemaname = 'public'";
    expect((await client.query(statistics)).rowCount).toBe(0);
    await analyze(client);
    expect((await client.query(statistics)).rowCount).toBeGreaterThan(20);
    await client.end();
  });
});
