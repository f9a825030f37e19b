/** Pruning a series: what goes, what stays, and what is recorded of it. */
import { expect } from 'vitest';
import { parsePruneRecord } from '../../src/domain/prune-record.ts';
import { setObjects } from '../support/made-up-sets.ts';
import { idOf, makeUpDrill, makeUpSet } from '../support/prune-bench.ts';
import { auditIn, codes, DAY_MS, daysAgo, describeInEachPlace, NOW, only, setsIn } from '../support/prune-places.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { manifest } from '../support/set-documents.ts';
import { keysOf, MIB } from '../support/storage-bench.ts';

describeInEachPlace('A pruned series', (test) => {
  test('removes what the policy lets go, whole and nothing else, and records it before and after', async ({
    prune,
    storage,
  }) => {
    for (const days of [5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const drill = await makeUpDrill(storage, idOf({ at: daysAgo(5) }), daysAgo(4));
    const result = await prune({ policy: { rules: { daily: 2 } } });
    expect(only(result)).toMatchObject({ cleared: [], left: [], records: 0 });
    expect(only(result)).not.toHaveProperty('error');
    expect(await setsIn(storage)).toEqual([5, 2, 1].map((days) => idOf({ at: daysAgo(days) })));
    expect([...only(result).removed].sort()).toEqual([4, 3].map((days) => idOf({ at: daysAgo(days) })));
    expect(await keysOf(storage)).toContain(drill);
    const [started] = await auditIn(storage, 'started');
    const [finished] = await auditIn(storage, 'finished');
    expect(schemaErrors('prune', started)).toEqual([]);
    expect(schemaErrors('prune', finished)).toEqual([]);
    expect(parsePruneRecord('started', JSON.stringify(started))).toMatchObject({
      ...{ command: 'prune', series: 'shop', actor: 'octocat', kept: 3, policy: ['keep-daily=2', 'time-zone=UTC'] },
      removing: [3, 4].map((days) => ({
        id: idOf({ at: daysAgo(days) }),
        verdict: 'proven',
        reasons: ['older than the newest 2 days with a backup'],
      })),
    });
    expect(parsePruneRecord('finished', JSON.stringify(finished))).toMatchObject({ outcome: 'pruned', left: [] });
    expect(only(result).auditUris).toHaveLength(2);
  });

  test('twice removes no more than once, and records nothing when there was nothing to remove', async ({
    prune,
    storage,
  }) => {
    for (const days of [5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    await prune({ policy: { rules: { daily: 2 } } });
    const keys = await keysOf(storage);
    const again = await prune({ policy: { rules: { daily: 2 } } });
    expect(only(again)).toMatchObject({ removed: [], auditUris: [] });
    expect(await keysOf(storage)).toEqual(keys);
  });

  test('as a dry run touches nothing and says what it would do', async ({ prune, log, storage }) => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const before = await keysOf(storage);
    const result = await prune({ dryRun: true });
    expect(only(result).plan?.remove.map(({ set }) => set.id)).toEqual(
      [2, 3].map((days) => idOf({ at: daysAgo(days) })),
    );
    expect(await keysOf(storage)).toEqual(before);
    expect(log.lines).toContain(`info: remove  ${idOf({ at: daysAgo(3) })} (proven): not the newest`);
    expect(log.lines).toContain(
      `info: keep    ${idOf({ at: daysAgo(1) })} (proven): the newest proven one; keep-last: 1 of 1`,
    );
  });

  test('stops before anything is deleted when it would remove more than max-prune-percent', async ({
    prune,
    storage,
  }) => {
    for (const days of [4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const before = await keysOf(storage);
    const result = await prune({ maxPrunePercent: 50 });
    expect(only(result).error).toMatchObject({
      code: 'ERR_PRUNE_TOO_MUCH',
      message: expect.stringContaining('3 of 4 backups, which is 75 %; max-prune-percent allows 50'),
      hint: expect.stringContaining('max-prune-percent: 75'),
    });
    expect(await keysOf(storage)).toEqual(before);
    expect(only(await prune({ maxPrunePercent: 75 })).removed).toHaveLength(3);
  });

  test('stops when the clock of the runner is two days ahead: backups look older than they are', async ({
    prune,
    storage,
  }) => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const now = new Date(Date.now() + 2 * DAY_MS + 3_600_000);
    const result = await prune({ policy: { rules: { withinDays: 4 } }, now });
    expect(only(result).error).toMatchObject({ code: 'ERR_PRUNE_CLOCK', message: expect.stringContaining('2 days') });
    expect(await setsIn(storage)).toHaveLength(3);
    expect(await auditIn(storage, 'finished')).toMatchObject([
      { outcome: 'failed', removed: [], failure: { code: 'ERR_PRUNE_CLOCK' } },
    ]);
  });

  test('with a clock that is two days behind keeps and reports what seems to come from the future', async ({
    prune,
    storage,
  }) => {
    for (const days of [5, 4, 3, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const now = new Date(NOW.getTime() - 2 * DAY_MS);
    const result = await prune({ now });
    expect(codes(result)).toEqual(['from-the-future']);
    expect(await setsIn(storage)).toEqual([3, 1].map((days) => idOf({ at: daysAgo(days) })));
  });

  test('removes nothing where nothing is proven, and says so', async ({ prune, storage }) => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days), unproven: true });
    const result = await prune();
    expect(codes(result)).toEqual(['nothing-proven']);
    expect(await setsIn(storage)).toHaveLength(3);
  });

  test('refuses a series that has nothing at all: the name is wrong', async ({ prune, storage }) => {
    await makeUpSet(storage, { at: daysAgo(1) });
    await expect(prune({ series: 'shpo' })).rejects.toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND' });
  });

  test('by two runs at once ends as by one', async ({ prune, storage }) => {
    for (const days of [9, 8, 7, 6, 5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const results = await Promise.all([1, 2, 3].map(() => prune({ policy: { rules: { daily: 2 } } })));
    for (const result of results) expect(only(result)).not.toHaveProperty('error');
    expect(await setsIn(storage)).toEqual([2, 1].map((days) => idOf({ at: daysAgo(days) })));
  });

  test('during a backup touches nothing of it, whatever of it is stored already', async ({ prune, storage }) => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const id = idOf({ at: NOW.toISOString() });
    // Large enough to be on its way in parts.
    const archive = Buffer.alloc(20 * MIB, 'x');
    const isArchive = (name: string): boolean => name.startsWith('database.backup');
    const objects = manifest().objects.map((object) => {
      return { ...object, sizeBytes: isArchive(object.name) ? archive.length : object.name.length };
    });
    const keys: string[] = [];
    for (const [key, text] of setObjects(id, { change: { objects } })) {
      const writer = await storage.create(key, { onlyIfAbsent: true });
      await writer.write(isArchive(key.split('/').at(-1) ?? '') ? archive : Buffer.from(text));
      const result = await prune({ policy: { rules: { last: 2 } } });
      expect(only(result)).toMatchObject({
        cleared: [],
        left: [],
        removed: keys.length === 0 ? [expect.any(String)] : [],
      });
      expect(only(result)).not.toHaveProperty('error');
      await writer.commit();
      keys.push(key);
      expect(await keysOf(storage, `shop/${id}/`)).toEqual([...keys].sort());
    }
    expect(only(await prune()).newestProven?.id).toBe(id);
    expect(await setsIn(storage)).toEqual([id]);
  });

  test('ended in the middle leaves no half that looks like a backup, and the next one finishes', async ({
    prune,
    log,
    storage,
  }) => {
    for (const days of [6, 5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const run = new AbortController();
    const said = log.info.bind(log);
    log.info = (line) => {
      said(line);
      if (line.startsWith('removed')) run.abort(new Error('cancelled'));
    };
    await expect(prune({ signal: run.signal })).rejects.toThrow();
    log.info = said;
    expect((await setsIn(storage)).length).toBeGreaterThan(1);
    expect(await auditIn(storage, 'finished')).toMatchObject([{ outcome: 'failed' }]);
    const result = await prune();
    expect(only(result)).not.toHaveProperty('error');
    const finished = (await keysOf(storage)).filter((key) => key.endsWith('/metadata.json'));
    expect(finished).toEqual([`shop/${idOf({ at: daysAgo(1) })}/metadata.json`]);
  });
});
