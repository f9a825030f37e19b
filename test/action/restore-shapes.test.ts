/** Databases of many shapes, restored by the action within a major and across majors, and equal to their sources. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { contentDifferences, referenceRestore, schemaEntries } from '../support/compare-databases.ts';
import { type Fixture, loadDatabase } from '../support/databases/index.ts';
import { readable } from '../support/expect-run.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { expectRestored, type RecoveryStage, recoveryNeeds, startRecoveryStage } from '../support/recovery-stage.ts';

/** What a copy beside its original must not have, and what pg_dump says of it. A publication sends nothing unasked. */
const CALLS_OUT = /Type: (EVENT TRIGGER|SUBSCRIPTION)|Name: (EVENT TRIGGER|SUBSCRIPTION) /;

for (const [from, to] of [
  [17, 17],
  [15, 17],
  [17, 18],
  [17, 15],
] as const) {
  describeWith(await recoveryNeeds(from, to), `From Postgres ${from} to ${to}`, ({ clients }) => {
    let stage: RecoveryStage;
    let target: PostgresServer;

    beforeAll(async () => {
      stage = await startRecoveryStage(clients);
      target = await stage.another(to);
    });

    afterAll(() => stage?.stop());

    async function expectBroughtBack(database: string) {
      const set = await stage.backUp(database, { storage: stage.directory, encryption: 'none' });
      const uri = set.outputs['backup-uri'] ?? '';
      const run = await stage.restore(set.outputs['backup-id'] ?? '', database, {
        storage: stage.directory,
        'target-database-url': stage.url('postgres', target),
        'create-roles': 'true',
        ...(to < from ? { 'allow-older-major': 'true' } : {}),
      });
      const restored = await expectRestored(stage, run, uri, target);
      const contents = await stage.contents(uri);
      const differences = contentDifferences(
        await stage.content(database, contents),
        await stage.content(restored, contents, target),
      );
      expect(differences).toEqual([]);
      const archive = readdirSync(uri).find((name) => name.startsWith('database.backup')) ?? '';
      const live = {
        server: target,
        database: restored,
        clients: clients.find(({ major }) => major === to) ?? clients[0],
      };
      return { run, live, archive: path.join(uri, archive) };
    }

    const shapes: Fixture[] = to < from ? ['awkward'] : ['awkward', 'shapes'];
    test.each(shapes)('brings %s back', async (fixture) => {
      await loadDatabase(stage.server, fixture, fixture);
      const { run, live, archive } = await expectBroughtBack(fixture);
      if (to < from) return;
      const reference = await schemaEntries(await referenceRestore(live, archive));
      const expected = reference.filter((entry) => !CALLS_OUT.test(entry));
      expect(expected.length).toBeGreaterThan(10);
      expect((await schemaEntries(live)).filter((entry) => !CALLS_OUT.test(entry))).toEqual(expected);
      if (fixture !== 'shapes') return;
      expect(
        await target.query(
          'SELECT lomowner::regrole::text AS owner FROM pg_largeobject_metadata WHERE oid = 910002',
          live.database,
        ),
      ).toEqual([{ owner: 'shapes_owner' }]);
      expect(await target.query('SELECT polname FROM pg_policy', live.database)).toHaveLength(2);
      for (const words of ['What was left out', 'event trigger watch']) expect(readable(run.summary)).toContain(words);
      const active = `SELECT evtname AS name FROM pg_event_trigger WHERE evtenabled <> 'D'
        UNION ALL SELECT subname FROM pg_subscription WHERE subenabled`;
      expect(await target.query(active, live.database)).toEqual([]);
    });

    test('brings the shop back, with partitions attached, triggers and views as they were', async () => {
      await stage.loadShop('shop');
      const { live } = await expectBroughtBack('shop');
      const state = `SELECT (SELECT count(*)::int FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r') AS partitions,
        (SELECT json_agg(tgname || ' ' || tgenabled::text ORDER BY tgname, tgrelid::regclass::text) FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
        (SELECT json_agg(matviewname || ' ' || ispopulated ORDER BY matviewname) FROM pg_matviews) AS views,
        (SELECT enum_range(NULL::order_status)::text) AS status,
        (SELECT attgenerated::text FROM pg_attribute WHERE attrelid = 'order_items'::regclass AND attname = 'line_total') AS generated,
        (SELECT count(*)::int FROM pg_constraint WHERE NOT convalidated) AS unvalidated`;
      const [before] = await stage.server.query<{ partitions: number }>(state, 'shop');
      expect(before?.partitions).toBe(3);
      expect(await target.query(state, live.database)).toEqual([before]);
    });

    if (to >= from) return;
    test('is refused without the word for it', async () => {
      const run = await stage.restore('latest', 'shop', {
        storage: stage.directory,
        name: 'shop',
        'target-database-url': stage.url('postgres', target),
        'create-roles': 'true',
      });
      expect(run.exitCode).toBe(1);
      expect(readable(run.summary)).toContain('allow-older-major');
    });
  });
}
