/** Restores of single tables and schemas: each stands by itself, without an error and with all its rows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntryPlan, EntryPlanInput } from '../../src/domain/entry-plan.ts';
import { runRestore } from '../../src/postgres/restore.ts';
import type { RestoreSource } from '../../src/postgres/restore-source.ts';
import { describeWith } from '../support/availability.ts';
import { asStream, inventory, RestoreBench, restoreClients } from '../support/restore-bench.ts';

type ArchiveFile = Extract<RestoreSource, { kind: 'file' }>;

describe.each([13, 17])('parts of an archive of Postgres %i', async (major) => {
  describeWith(await restoreClients(major, major), 'restored alone', (clients) => {
    let bench: RestoreBench;
    let shapes: ArchiveFile;

    beforeAll(async () => {
      bench = await RestoreBench.start(clients, major);
      await bench.target.query('CREATE ROLE shapes_owner; CREATE ROLE shapes_reader');
      shapes = await bench.dump('shapes', { fixture: 'shapes' });
    });

    afterAll(() => bench.stop());

    async function restore(
      choices: Partial<EntryPlanInput['choices']>,
      archive: RestoreSource = shapes,
    ): Promise<{ plan: EntryPlan; found: Record<string, string> }> {
      const plan = await bench.plan(shapes, { choices });
      const database = await bench.newDatabase();
      const run = await runRestore(bench.options(database, archive, plan, { jobs: 1 }));
      expect(run.messages.filter(({ kind }) => kind !== 'harmless')).toEqual([]);
      return { plan, found: await inventory(bench.target, database) };
    }

    test('every single table and view comes alone or says what it lacks', async () => {
      const expected = await inventory(bench.source, 'shapes');
      // Its rows name another table, as text: see the next test.
      const relations = Object.keys(expected).filter((key) => /^relation [rpfvm] (?!.*every_type)/.test(key));
      expect(relations.length).toBeGreaterThan(30);
      for (const key of relations) {
        const name = key.slice('relation r '.length);
        const { plan, found } = await restore({ tables: [name] });
        const leftOut = plan.leftOut.some(({ what, why }) => what.endsWith(` ${name}`) && why !== '');
        expect(leftOut || found[key] === expected[key], `${name}: ${JSON.stringify(plan.leftOut)}`).toBe(true);
        const changed = Object.entries(found).filter(([each, digest]) => expected[each] !== digest);
        expect(changed, name).toEqual([]);
      }
    });

    test('rows that name a table which is not there are refused aloud: no list tells of them', async () => {
      const choices = { tables: ['shapes.every_type'] };
      const database = await bench.newDatabase();
      const run = await runRestore(bench.options(database, shapes, await bench.plan(shapes, { choices })));
      const [message] = run.messages;
      expect(message).toMatchObject({
        kind: 'fatal',
        text: expect.stringContaining('"shapes.product" does not exist'),
      });
      const both = await restore({ tables: ['shapes.every_type', 'shapes.product'] });
      const expected = await inventory(bench.source, 'shapes');
      expect(both.found['relation r shapes.every_type']).toBe(expected['relation r shapes.every_type']);
    });

    test('a partitioned table brings its whole tree, its indexes attached', async () => {
      const expected = await inventory(bench.source, 'shapes');
      const { found, plan } = await restore({ tables: ['shapes.measurement'] });
      const ofTree = (keys: object): string[] => Object.keys(keys).filter((key) => /measurement/.test(key));
      expect(ofTree(found)).toEqual(ofTree(expected));
      expect(plan.findings).toEqual([]);
    });

    test('a schema comes as a whole, from a stream too', async () => {
      const { found } = await restore({ schemas: ['shapes'] }, asStream(shapes));
      const expected = await inventory(bench.source, 'shapes');
      const inSchema = (all: Record<string, string>): Record<string, string> =>
        Object.fromEntries(Object.entries(all).filter(([key]) => key.includes('shapes.')));
      expect(inSchema(found)).toEqual(inSchema(expected));
      expect(Object.keys(found).filter((key) => key.startsWith('large object') || key.startsWith('event'))).toEqual([]);
    });

    test('a foreign key to a table that stays away is left out and named', async () => {
      const { plan, found } = await restore({ tables: ['shapes.city'] });
      expect(plan.leftOut).toContainEqual({
        what: 'fk constraint shapes.city city_country_fkey',
        why: 'it needs the table shapes.country, which is not chosen',
      });
      expect(Object.keys(found).some((key) => key.includes('city_country_fkey'))).toBe(false);
      const both = await restore({ tables: ['shapes.city', 'shapes.country'] });
      expect(Object.keys(both.found).some((key) => key.includes('city_country_fkey'))).toBe(true);
    });
  });
});
