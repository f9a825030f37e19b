/** Pruning beside what is not a backup that can be judged: foreign objects, damaged and unfinished sets, old records. */
import { expect } from 'vitest';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { idOf, makeUpDrill, makeUpSet } from '../support/prune-bench.ts';
import { auditIn, codes, daysAgo, describeInEachPlace, NOW, only, setsIn } from '../support/prune-places.ts';
import { keysOf } from '../support/storage-bench.ts';

describeInEachPlace('A pruned series', (test) => {
  test('leaves a series alone whose name begins alike, and whatever else there is', async ({ prune, storage }) => {
    for (const days of [3, 2, 1]) {
      await makeUpSet(storage, { at: daysAgo(days), series: 'prod' });
      await makeUpSet(storage, { at: daysAgo(days), series: 'prod-eu' });
      await makeUpSet(storage, { at: daysAgo(days), series: 'pro' });
    }
    const result = await prune({ series: 'prod' });
    expect(only(result).removed).toHaveLength(2);
    for (const other of ['prod-eu', 'pro']) expect(await setsIn(storage, other)).toHaveLength(3);
  });

  test('reports foreign objects and leaves them alone, in the folder of a set too', async ({ prune, storage }) => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const old = idOf({ at: daysAgo(3) });
    const foreign = [
      'shop/notes.txt',
      'shop/20260101/video.mp4',
      `shop/${old}/notes.txt`,
      `shop/${old.toUpperCase()}/metadata.json`,
      'shop/20261399_020000_nightly_k3v9qa/metadata.json',
      `shop/_drills/${old}/mine.json`,
      'shop/_audit/mine.json',
    ];
    for (const key of foreign) await writeBytes(storage, key, Buffer.from('mine'));
    const result = await prune();
    expect(only(result).removed).toHaveLength(2);
    const keys = await keysOf(storage);
    for (const key of foreign) expect(keys).toContain(key);
    expect(keys.filter((key) => key.startsWith(`shop/${old}/`))).toEqual([`shop/${old}/notes.txt`]);
    expect(codes(result)).toEqual(['unknown-objects']);
    expect(result.findings[0]?.seen).toContain('7 objects');
    expect(codes(await prune())).toEqual(['unknown-objects']);
  });

  test('leaves a set alone whose manifest it cannot judge, and says why', async ({ prune, storage }) => {
    const bad: [days: number, text: string][] = [
      [9, 'not JSON'],
      [8, '{"schemaVersion":1,"id":'],
      [7, '{"schemaVersion":99}'],
      [6, '{"Version":"2012-10-17","Statement":[]}'],
    ];
    for (const [days, text] of bad) {
      const id = await makeUpSet(storage, { at: daysAgo(days) }, ['metadata.json']);
      await writeBytes(storage, `shop/${id}/metadata.json`, Buffer.from(text));
    }
    const [other, stolen] = [await makeUpSet(storage, { at: daysAgo(3), series: 'other' }), idOf({ at: daysAgo(5) })];
    await writeBytes(storage, `shop/${stolen}/metadata.json`, await readBytes(storage, `other/${other}/metadata.json`));
    for (const days of [2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const result = await prune();
    expect(only(result).removed).toEqual([idOf({ at: daysAgo(2) })]);
    expect(codes(result)).toEqual(Array.from({ length: 5 }, () => 'manifest-unreadable'));
    expect(result.findings.map(({ seen }) => seen).join('\n')).toMatch(/newer version/);
    expect(await setsIn(storage)).toHaveLength(6);
  });

  test('does not take a set for proven whose archive is gone or has another size', async ({ prune, storage }) => {
    await makeUpSet(storage, { at: daysAgo(4) });
    const newest = await makeUpSet(storage, { at: daysAgo(1) }, ['database.backup.age']);
    const cut = await makeUpSet(storage, { at: daysAgo(2) }, ['database.backup.age']);
    await writeBytes(storage, `shop/${cut}/database.backup.age`, Buffer.from('cut'));
    const result = await prune();
    expect(codes(result)).toEqual(['set-damaged', 'set-damaged']);
    expect(only(result).newestProven?.id).toBe(idOf({ at: daysAgo(4) }));
    expect(await setsIn(storage)).toEqual([4, 2, 1].map((days) => idOf({ at: daysAgo(days) })));
    expect(newest).toBe(idOf({ at: daysAgo(1) }));
  });

  test('clears a half-deleted or unfinished set away when it is older than a day, and none that is younger', async ({
    prune,
    storage,
    age,
  }) => {
    const keeper = await makeUpSet(storage, { at: daysAgo(1) });
    const old = await makeUpSet(storage, { at: daysAgo(5) }, ['metadata.json']);
    const written = await makeUpSet(storage, { at: daysAgo(4) }, ['metadata.json']);
    const young = await makeUpSet(storage, { at: new Date(NOW.getTime() - 3_600_000).toISOString() }, [
      'metadata.json',
    ]);
    await writeBytes(storage, `shop/${old}/notes.txt`, Buffer.from('mine'));
    for (const name of ['database.backup.age', 'globals.sql.age', 'contents.json.age', 'RESTORE.md'])
      await age(`shop/${old}/${name}`, 3);
    const dry = await prune({ dryRun: true });
    expect(only(dry).cleared).toEqual([old]);
    const result = await prune();
    expect(only(result)).toMatchObject({ cleared: [old], removed: [] });
    expect(await keysOf(storage, `shop/${old}/`)).toEqual([`shop/${old}/notes.txt`]);
    expect((await setsIn(storage)).sort()).toEqual([old, written, keeper, young].sort());
    expect(await auditIn(storage, 'finished')).toMatchObject([{ clearing: [old], removed: [old] }]);
  });

  test('removes records older than two years, of drills only when the set is gone', async ({ prune, storage }) => {
    const present = await makeUpSet(storage, { at: daysAgo(900) });
    await makeUpSet(storage, { at: daysAgo(1) });
    const gone = idOf({ at: daysAgo(1_000) });
    const old = [
      await makeUpDrill(storage, gone, daysAgo(740)),
      'shop/_audit/20200101_020000_k3v9qa.started.json',
      'shop/_checks/20200101_020000_k3v9qa.json',
    ];
    const kept = [
      await makeUpDrill(storage, gone, daysAgo(700)),
      await makeUpDrill(storage, present, daysAgo(800)),
      'shop/_audit/20200101_020000_k3v9qa.other.json',
      'shop/_checks/20200101_020000.json',
    ];
    for (const key of [...old, ...kept].filter((key) => !key.includes('_drills')))
      await writeBytes(storage, key, Buffer.from('{}'));
    expect(only(await prune({ policy: { rules: { last: 2 } } }))).toMatchObject({ records: 0, auditUris: [] });
    await makeUpSet(storage, { at: daysAgo(2), unproven: true });
    const result = await prune({ policy: { rules: { yearly: 5 } } });
    expect(only(result).records).toBe(3);
    const keys = await keysOf(storage);
    for (const key of old) expect(keys).not.toContain(key);
    for (const key of kept) expect(keys).toContain(key);
  });
});
