/** What is stored is read again, and what has changed is named. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { idOf, pruneBench } from '../support/prune-bench.ts';
import { statusBench } from '../support/status-bench.ts';
import { codes, DAY_MS, daysAgo, makeTrueSet, NOW } from '../support/status-storages.ts';

describe('With verify-stored-days', () => {
  let root: string;
  let second: string;
  let storage: Storage;
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'status-'));
    second = await mkdtemp(path.join(os.tmpdir(), 'status-second-'));
    [storage] = pruneBench([root]).storages as [Storage];
    return async () => {
      for (const folder of [root, second]) await rm(folder, { recursive: true, force: true });
    };
  });

  test('reads all of it within so many days, and names what has changed and where it is good', async () => {
    const [copy] = pruneBench([second]).storages as [Storage];
    for (const days of [4, 3, 2, 1, 0]) for (const to of [storage, copy]) await makeTrueSet(to, days);
    const both = statusBench([root, second]);
    const good = await both.status({ verifyStoredDays: 1 });
    expect(good.report.verified).toMatchObject({ sets: 10, damaged: [] });
    const bad = idOf({ at: daysAgo(2) });
    const key = `shop/${bad}/database.backup.age`;
    const bytes = await readBytes(storage, key);
    bytes[3] = (bytes[3] as number) ^ 1;
    await storage.delete(key);
    await writeBytes(storage, key, bytes);
    const found = await both.status({ verifyStoredDays: 1 });
    expect(codes(found, 'critical')).toEqual(['critical stored-damaged']);
    expect(found.report.findings[0]).toMatchObject({
      series: 'shop',
      seen: expect.stringContaining(`database.backup.age of ${bad} in ${root} is damaged`),
      action: expect.stringContaining(`copy ${bad} again from ${second}`),
    });
    expect(found.report.verified?.damaged).toEqual([bad]);
    const days = await Promise.all(
      [0, 1, 2].map((day) => both.status({ verifyStoredDays: 3, now: new Date(NOW.getTime() + day * DAY_MS) })),
    );
    expect(days.reduce((sum, { report }) => sum + (report.verified?.sets ?? 0), 0)).toBe(10);
    expect(days.filter(({ report }) => report.verified?.damaged.length === 1)).toHaveLength(1);
  });
});
