/** Pruning where destinations differ, and where there is very much of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, rmdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { setObjects } from '../support/made-up-sets.ts';
import { idOf, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { daysAgo, only, setsIn, useFolders } from '../support/prune-places.ts';

const newFolder = useFolders();

test('each of two destinations has its own plan from its own listing', async () => {
  const [first, second] = [await newFolder(), await newFolder()];
  const bench = pruneBench([first, second]);
  const [one, other] = bench.storages as [Storage, Storage];
  for (const days of [4, 3, 2, 1]) await makeUpSet(one, { at: daysAgo(days) });
  for (const days of [9, 3, 2]) await makeUpSet(other, { at: daysAgo(days) });
  const result = await bench.prune({ policy: { rules: { daily: 2 } } });
  expect(await setsIn(one)).toEqual([2, 1].map((days) => idOf({ at: daysAgo(days) })));
  expect(await setsIn(other)).toEqual([3, 2].map((days) => idOf({ at: daysAgo(days) })));
  expect(result.destinations.map(({ removed }) => removed.length)).toEqual([2, 1]);
});

test('one destination that cannot be listed does not keep the other from its plan, and is an error', async () => {
  const [first, second] = [await newFolder(), await newFolder()];
  await rmdir(second);
  // A link to itself, which not even root can follow.
  await symlink(second, second);
  const bench = pruneBench([first, second]);
  const [one] = bench.storages as [Storage];
  for (const days of [2, 1]) await makeUpSet(one, { at: daysAgo(days) });
  const result = await bench.prune();
  expect(result.destinations[0]?.removed).toHaveLength(1);
  expect(result.destinations[1]).toMatchObject({ removed: [], error: { code: 'ERR_STORAGE' } });
  expect(result.destinations[1]).not.toHaveProperty('plan');
});

test('a manifest of 100 MB is not read', async () => {
  const line = await newFolder();
  const bench = pruneBench([line]);
  const [storage] = bench.storages as [Storage];
  for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
  const id = idOf({ at: daysAgo(3) });
  await writeFile(path.join(line, 'shop', id, 'metadata.json'), Buffer.alloc(100_000_000, ' '));
  const result = await bench.prune();
  expect(result.findings.map(({ seen }) => seen).join()).toContain('which no backup of ours has');
  expect(await setsIn(storage)).toEqual([3, 1].map((days) => idOf({ at: daysAgo(days) })));
  expect((await readFile(path.join(line, 'shop', id, 'metadata.json'))).byteLength).toBe(100_000_000);
});

test('A series of 10,000 backups is pruned in a minute', async () => {
  const root = await newFolder();
  const newest = Date.parse(daysAgo(1));
  for (let hours = 0; hours < 10_000; hours += 1) {
    const id = idOf({ at: new Date(newest - hours * 3_600_000).toISOString() });
    mkdirSync(path.join(root, 'shop', id), { recursive: true });
    for (const [key, text] of setObjects(id, {})) {
      // Of no effect on what a set is worth.
      if (!key.endsWith('RESTORE.md')) writeFileSync(path.join(root, key), text);
    }
  }
  const started = performance.now();
  const result = await pruneBench([root]).prune({ policy: { rules: { last: 9_980, yearly: 5 } } });
  expect(performance.now() - started).toBeLessThan(60_000);
  expect(only(result).removed.length).toBeGreaterThan(15);
  expect(only(result).plan?.keep.length).toBe(10_000 - only(result).removed.length);
}, 180_000);
