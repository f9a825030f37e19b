/** Databases of many shapes, backed up as proven, restored by RESTORE.md alone into a fresh server, and equal there. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import {
  contentDifferences,
  liveContent,
  recordedContent,
  referenceRestore,
  schemaEntries,
} from '../support/compare-databases.ts';
import { loadBigRow, loadDatabase, loadManyTables } from '../support/databases/index.ts';
import { availableMajors } from '../support/postgres-server.ts';
import {
  backUp,
  expectSameContent,
  expectSameSchema,
  guideOf,
  type RoundTripStage,
  restore,
  setRoundTripStage,
} from '../support/round-trip.ts';
import type { RunOptions } from '../support/run-action.ts';

/** Client tools of a major, if there is a server of it too; otherwise the reason for leaving it out. */
async function completeMajor(major: number): Promise<Clients | { skipped: string }> {
  if (!availableMajors().includes(major)) return { skipped: `npm has no server of Postgres ${major} for this machine` };
  return clientTools(major);
}

for (const major of [13, 14, 15, 16, 17, 18]) {
  describeWith(await completeMajor(major), `Postgres ${major}`, (clients) => {
    let stage: RoundTripStage;
    beforeAll(async () => {
      stage = await setRoundTripStage(clients);
    });
    afterAll(() => stage?.stop());

    async function expectRoundTrip(database: string, options: RunOptions = {}) {
      const run = await backUp(stage, database, options);
      const restored = await restore(stage, guideOf(run), database);
      await expectSameContent({ server: stage.source, database, clients }, restored);
      await expectSameSchema(restored);
      return { run, restored };
    }

    test('brings one of everything back', async () => {
      await loadDatabase(stage.source, 'shapes', 'shapes');
      const { restored } = await expectRoundTrip('shapes');
      expect(restored.contents.tables.length).toBeGreaterThan(20);
      expect(restored.contents.largeObjects.count).toBe(4);
    });

    test('brings awkward names and texts back, which the source confirms a second time', async () => {
      await loadDatabase(stage.source, 'awkward', 'awkward');
      const { run, restored } = await expectRoundTrip('awkward', { inputs: { verify: 'source' } });
      expect(restored.contents.checks.find(({ id }) => id === 'source')?.status).toBe('passed');
      expect(run.annotations.filter(({ kind }) => kind === 'error')).toEqual([]);
    });

    if (major !== 13 && major !== 17) return;

    test('brings a row of 50 MB back', async () => {
      await loadBigRow(stage.source, 'wide', 50);
      const { restored } = await expectRoundTrip('wide');
      const [table] = restored.contents.tables;
      expect(table).toMatchObject({ name: 'wide', rows: 3 });
      expect(table?.bytes).toBeGreaterThan(50 * 1024 * 1024);
    });

    test('brings two thousand tables back', async () => {
      await loadManyTables(stage.source, 'many', 2000);
      const { run } = await expectRoundTrip('many');
      expect(run.outputs).toMatchObject({ tables: '2000', rows: '6000' });
    });

    if (major !== 17) return;

    test('is held against a comparison that would notice every kind of difference', async () => {
      await loadDatabase(stage.source, 'shop', 'shop');
      const { restored } = await expectRoundTrip('shop');
      await stage.target.query(
        `UPDATE reviews SET body = 'Hated it.' WHERE id = 7;
         DELETE FROM order_items WHERE order_id = 1;
         INSERT INTO orders SELECT 99999, customer_id, status, placed_at, note FROM orders WHERE id = 1;
         SELECT setval('products_id_seq', 77), lo_from_bytea(4711, 'stray');
         CREATE TABLE stray (); DROP INDEX orders_customer; ALTER TYPE order_status RENAME TO status`,
        'shop',
      );
      const live = await liveContent(restored, restored.contents);
      const differences = contentDifferences(recordedContent(restored.contents), live);
      expect(differences.map((words) => words.split(': ')[0]).sort()).toEqual([
        'large objects',
        'rows of "public"."order_items"',
        'rows of "public"."orders"',
        'rows of "public"."reviews"',
        'sequence "public"."products_id_seq"',
        'table "public"."stray" with rows',
      ]);
      const expected = await schemaEntries(await referenceRestore(restored, `${restored.folder}/database.backup`));
      const now = await schemaEntries(restored);
      const namesOf = (entries: string[]) => entries.map((entry) => /Name: ([^;]*);/.exec(entry)?.[1]).sort();
      expect(namesOf(expected.filter((entry) => !now.includes(entry)))).toContain('orders_customer');
      expect(namesOf(now.filter((entry) => !expected.includes(entry)))).toEqual(
        expect.arrayContaining(['stray', 'status']),
      );
    });
  });
}
