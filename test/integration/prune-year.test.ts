/**
 * A year of nightly backups in a bucket of a real S3 server, pruned every day: the sets that are there are those that
 * another way of working it out keeps, at every day.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { describeIf } from '../support/availability.ts';
import { idOf, makeUpDrill, makeUpSet, type PruneBench, pruneBench } from '../support/prune-bench.ts';
import { availabilityOf, availableS3Servers, startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { type KnownToReference, keptByReference, simulatedYear, YEAR_POLICY } from '../support/simulated-year.ts';

const [versitygw] = await availableS3Servers();

describeIf(availabilityOf(versitygw), 'A year in a bucket', () => {
  let server: Versitygw;
  let bench: PruneBench;
  let storage: Storage;
  beforeAll(async () => {
    server = await startVersitygw();
    await server.createBucket('year');
    bench = pruneBench([server.storageUri('year', 'team')], server.env);
    [storage] = bench.storages as [Storage];
  });
  afterAll(async () => {
    await storage?.close();
    await server?.stop();
  });

  async function setsInBucket(): Promise<string[]> {
    const ids: string[] = [];
    for await (const folder of storage.listFolders('shop/')) ids.push(folder.split('/')[1] ?? '');
    return ids.filter((id) => !id.startsWith('_')).sort();
  }

  test('holds what the reference keeps, at each day', async () => {
    let sets: KnownToReference[] = [];
    let removed = 0;
    // Its end lies in the past: a clock that is ahead of the storage's stops a prune.
    for (const { now, backups, drill } of simulatedYear(new Date(Date.now() - 86_400_000))) {
      for (const set of backups) await makeUpSet(storage, set);
      sets.push(...backups);
      if (drill) {
        const target = sets.filter(({ unproven, label }) => unproven !== true && label !== 'emergency').at(-1);
        if (target !== undefined) await makeUpDrill(storage, idOf(target), now.toISOString());
        sets = sets.map((set) => (set === target ? { ...set, restored: true } : set));
      }
      if (sets.length === 0) continue;
      const { destinations } = await bench.prune({ policy: YEAR_POLICY, maxPrunePercent: 50, now });
      const expected = keptByReference(sets, now);
      expect(destinations[0]?.error, now.toISOString()).toBeUndefined();
      expect(await setsInBucket(), now.toISOString()).toEqual(expected);
      sets = sets.filter((set) => expected.includes(idOf(set)));
      removed += destinations[0]?.removed.length ?? 0;
    }
    expect(removed).toBeGreaterThan(200);
    expect(sets.length).toBeGreaterThan(40);
  }, 900_000);
});
