/** Choosing among sets of real directories. The sets are made up: only their manifests and sizes are looked at. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { codes, FetchBench } from '../support/fetch-bench.ts';
import { MIDDLE, NEWEST, OLDEST, put, setObjects, twoPlaces } from '../support/made-up-sets.ts';
import { failure } from '../support/s3-fault-bench.ts';

const places = twoPlaces();

async function putAll(): Promise<void> {
  await put(places.first, OLDEST);
  await put(places.first, MIDDLE);
  await put(places.first, NEWEST, { unproven: true });
}

describe('of one series in one place', () => {
  beforeEach(putAll);

  test.each([
    ['latest', NEWEST],
    ['latest-proven', MIDDLE],
    ['before:2026-11-20', OLDEST],
    ['before:2026-11-20T02:00:00Z', MIDDLE],
    ['20261121', NEWEST],
    ['20261119_020000_pre', OLDEST],
    [OLDEST, OLDEST],
    [`shop/${OLDEST}`, OLDEST],
    [`shop/${OLDEST}/`, OLDEST],
    [`shop/${OLDEST}/metadata.json`, OLDEST],
    [`shop/${OLDEST}/database.backup.age`, OLDEST],
  ])('%s is the right one, without a word of the series', async (selector, id) => {
    const set = await new FetchBench([places.first]).selectSet(selector);
    expect(set.manifest.id).toBe(id);
    expect(set.series).toBe('shop');
    expect(set.copies[0].uri).toBe(path.join(places.first, 'shop', id));
  });

  test('one that is not proven comes with what its checks said', async () => {
    const set = await new FetchBench([places.first]).selectSet('latest');
    expect(codes(set.findings)).toEqual(['backup-unproven']);
    expect(set.findings[0]?.seen).toContain('It ends too soon');
  });

  test('latest-restored is the newest of those that drills name', async () => {
    const restoredIds = async () => new Set([OLDEST, 'something else']);
    expect((await new FetchBench([places.first]).selectSet('latest-restored', { restoredIds })).manifest.id).toBe(
      OLDEST,
    );
    const error = await failure(new FetchBench([places.first]).selectSet('latest-restored'));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('no drill') });
  });

  test('what matches nothing lists what there is', async () => {
    const error = await failure(new FetchBench([places.first]).select('2025'));
    expect(error.code).toBe('ERR_BACKUP_NOT_FOUND');
    const lines = error.message.split('\n').slice(1);
    expect(lines.map((line) => line.split(/ {2}/))).toEqual([
      [`- ${NEWEST}`, 'unproven', '2026-11-21 02:00 UTC', '66.8 MiB', 'nightly'],
      [`- ${MIDDLE}`, 'proven', '2026-11-20 02:00 UTC', '66.8 MiB', 'nightly'],
      [`- ${OLDEST}`, 'proven', '2026-11-19 02:00 UTC', '66.8 MiB', 'pre-migration'],
    ]);
  });

  test('a beginning that several have lists them', async () => {
    const error = await failure(new FetchBench([places.first]).select('202611'));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('3 ids') });
    expect(error.message).toContain(OLDEST);
  });

  test('a series that is not there names those that are', async () => {
    const error = await failure(new FetchBench([places.first]).select('latest', { series: 'shpo' }));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('holds shop') });
  });

  test('of two series one must be named', async () => {
    await put(places.first, NEWEST, { series: 'crm' });
    await mkdir(path.join(places.first, 'notes', 'old'), { recursive: true });
    await writeFile(path.join(places.first, 'notes', 'old', 'x'), '');
    const bench = new FetchBench([places.first]);
    const error = await failure(bench.select('latest'));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('crm, shop') });
    expect(error.message).not.toContain('notes');
    expect(error.hint).toContain('`name`');
    expect((await bench.selectSet('latest', { series: 'crm' })).series).toBe('crm');
  });

  test('sets of one second are told apart by their snapshots', async () => {
    const [earlier, later] = ['20261122_020000_a_zzzzzz', '20261122_020000_a_000000'];
    await put(places.first, earlier, { change: { snapshotAt: '2026-11-22T02:00:00.100Z' } });
    await put(places.first, later, { change: { snapshotAt: '2026-11-22T02:00:00.900Z' } });
    expect((await new FetchBench([places.first]).selectSet('latest')).manifest.id).toBe(later);
  });
});

describe('of sets that cannot be judged', () => {
  beforeEach(putAll);
  const LATER = '20261122_020000_nightly_dddddd';
  const newer = { metadata: JSON.stringify({ schemaVersion: 2 }) };

  test('unfinished ones do not exist, and are counted', async () => {
    await put(places.first, LATER, { unfinished: true });
    await put(places.first, '20261123_020000_nightly_eeeeee', { unfinished: true });
    const set = await new FetchBench([places.first]).selectSet('latest-proven');
    expect(set.manifest.id).toBe(MIDDLE);
    expect(set.findings.find(({ code }) => code === 'unfinished-sets')?.seen).toContain('2 folders');
  });

  test('a whole id of an unfinished one is not found', async () => {
    await put(places.first, LATER, { unfinished: true });
    const error = await failure(new FetchBench([places.first]).select(LATER));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND' });
  });

  test.each(['latest', 'latest-proven', 'before:2027-01-01', LATER])(
    '%s refuses one of a newer version by name instead of taking an older one',
    async (selector) => {
      await put(places.first, LATER, newer);
      const error = await failure(new FetchBench([places.first]).select(selector));
      expect(error).toMatchObject({ code: 'ERR_MANIFEST', message: expect.stringContaining('schemaVersion 2') });
      expect(error.message).toContain(LATER);
    },
  );

  test('one of a newer version is no obstacle for those who mean another', async () => {
    await put(places.first, LATER, newer);
    const bench = new FetchBench([places.first]);
    expect((await bench.selectSet(OLDEST)).manifest.id).toBe(OLDEST);
    expect((await bench.selectSet('before:2026-11-21')).manifest.id).toBe(MIDDLE);
  });

  test('a damaged one stops latest, and is passed over with a warning by latest-proven', async () => {
    await put(places.first, LATER, { metadata: '{"schemaVersion": 1, "id"' });
    const bench = new FetchBench([places.first]);
    const error = await failure(bench.select('latest'));
    expect(error).toMatchObject({ code: 'ERR_MANIFEST', message: expect.stringContaining(LATER) });
    const set = await bench.selectSet('latest-proven');
    expect(set.manifest.id).toBe(MIDDLE);
    expect(codes(set.findings)).toContain('manifest-unreadable');
  });

  test('an older set in the place of a newer one does not pass for it', async () => {
    const older = setObjects(OLDEST, {}).get(`shop/${OLDEST}/metadata.json`) ?? '';
    await put(places.first, LATER, { metadata: older });
    for (const selector of ['latest', LATER]) {
      const error = await failure(new FetchBench([places.first]).select(selector));
      expect(error).toMatchObject({ code: 'ERR_STORED_DIFFERS', message: expect.stringContaining(OLDEST) });
    }
  });

  test('nor does a set of another series, nor one whose time was changed', async () => {
    await put(places.first, LATER, { change: { name: 'crm' } });
    expect(await failure(new FetchBench([places.first]).select('latest'))).toMatchObject({
      code: 'ERR_STORED_DIFFERS',
    });
    await put(places.first, LATER, { change: { snapshotAt: '2026-11-29T02:00:00.000Z' } });
    expect(await failure(new FetchBench([places.first]).select('latest'))).toMatchObject({
      code: 'ERR_STORED_DIFFERS',
    });
  });
});

describe('of two places', () => {
  test('the first that is named leads, and the second follows', async () => {
    for (const place of [places.first, places.second]) await put(place, NEWEST);
    const { copies, findings } = await new FetchBench([places.second, places.first]).selectSet();
    expect(copies.map(({ target }) => target.storage.location)).toEqual([places.second, places.first]);
    expect(findings).toEqual([]);
  });

  test('the newest counts, though only the second place has it', async () => {
    await put(places.first, MIDDLE);
    for (const id of [MIDDLE, NEWEST]) await put(places.second, id);
    const { manifest: chosen, copies, findings } = await new FetchBench([places.first, places.second]).selectSet();
    expect(chosen.id).toBe(NEWEST);
    expect(copies.map(({ target }) => target.storage.location)).toEqual([places.second]);
    expect(codes(findings)).toEqual(['copy-missing']);
  });

  test('a copy without its marker is none; a damaged marker is passed over', async () => {
    await put(places.first, NEWEST, { unfinished: true });
    await put(places.second, NEWEST);
    const unfinished = await new FetchBench([places.first, places.second]).selectSet();
    expect(unfinished.copies.map(({ target }) => target.storage.location)).toEqual([places.second]);
    await put(places.first, NEWEST, { metadata: '{' });
    const damaged = await new FetchBench([places.first, places.second]).selectSet();
    expect(damaged.copies.map(({ target }) => target.storage.location)).toEqual([places.second]);
    expect(codes(damaged.findings)).toEqual(['copy-damaged']);
  });

  test('complete nowhere: both are named', async () => {
    for (const place of [places.first, places.second]) {
      await put(place, NEWEST);
      await rm(path.join(place, 'shop', NEWEST, 'contents.json.age'));
    }
    const error = await failure(new FetchBench([places.first, places.second]).select('latest'));
    expect(error.code).toBe('ERR_BACKUP_DAMAGED');
    for (const words of [places.first, places.second, 'contents.json.age', NEWEST])
      expect(error.message).toContain(words);
  });

  test('a place named by its path leads, wherever it stands in the list', async () => {
    for (const place of [places.first, places.second]) await put(place, NEWEST);
    const { copies } = await new FetchBench([places.first, places.second]).selectSet(
      path.join(places.second, 'shop', NEWEST),
    );
    expect(copies.map(({ target }) => target.storage.location)).toEqual([places.second, places.first]);
  });
});

describe('outside of the storage', () => {
  test('a set of another repository is found by its path; what is written next to it finds its place', async () => {
    await put(places.second, NEWEST, { series: 'crm' });
    for (const location of [
      path.join(places.second, 'crm', NEWEST),
      path.join(places.second, 'crm', NEWEST, 'metadata.json'),
    ]) {
      const set = await new FetchBench([places.first]).selectSet(location);
      expect(set).toMatchObject({ series: 'crm', manifest: { id: NEWEST } });
      expect(set.copies[0].folder).toBe(`crm/${NEWEST}`);
      expect(set.copies[0].target.storage.location).toBe(places.second);
    }
  });

  test('a set that was copied into a folder of another name is taken for what its manifest says', async () => {
    const bare = setObjects(NEWEST, {});
    await mkdir(path.join(places.second, 'rescued'));
    for (const [key, text] of bare) await writeFile(path.join(places.second, 'rescued', path.basename(key)), text);
    const set = await new FetchBench([places.first]).selectSet(path.join(places.second, 'rescued'));
    expect(set.manifest.id).toBe(NEWEST);
  });

  test('a name that says another series is noticed', async () => {
    await put(places.second, NEWEST, { series: 'crm' });
    const set = await new FetchBench([places.first]).selectSet(path.join(places.second, 'crm', NEWEST), {
      series: 'shop',
    });
    expect(codes(set.findings)).toEqual(['other-series']);
  });

  test('files and folders of pg_dump are dumps; an object of an unfinished set is one too', async () => {
    await writeFile(path.join(places.second, 'shop.sql'), '-- dump');
    await mkdir(path.join(places.second, 'shop.dir'));
    await writeFile(path.join(places.second, 'shop.dir', 'toc.dat'), 'PGDMP');
    await put(places.second, NEWEST, { unfinished: true });
    const bench = new FetchBench([places.first]);
    expect(await bench.select(path.join(places.second, 'shop.sql'))).toMatchObject({ kind: 'foreign', layout: 'file' });
    expect(await bench.select(path.join(places.second, 'shop.dir/'))).toMatchObject({
      kind: 'foreign',
      layout: 'directory',
    });
    const rescued = await bench.select(path.join(places.second, 'shop', NEWEST, 'database.backup.age'));
    expect(rescued).toMatchObject({ kind: 'foreign', name: 'database.backup.age' });
    expect(codes(rescued.findings)).toEqual(['foreign-dump']);
  });

  test('nothing there is said with every place that was looked at', async () => {
    const error = await failure(new FetchBench([places.first, places.second]).select('shop/nothing'));
    expect(error.code).toBe('ERR_BACKUP_NOT_FOUND');
    expect(error.message).toContain(path.join(places.first, 'shop/nothing'));
    expect(error.message).toContain(path.join(places.second, 'shop/nothing'));
    expect(error.hint).toContain('toc.dat');
  });

  test.each([
    ['backup-of-yesterday', 'Did you mean before:2026-11-21T02:00:00Z? Write latest, latest-proven'],
    ['2026-11-21', 'Did you mean 20261121 for one of that day or before:2026-11-21? Write latest'],
    ['2026-11-21 02:00', 'Did you mean before:2026-11-21T02:00:00Z? Write latest'],
    ['production', 'Write latest, latest-proven, latest-restored, before:'],
  ])('a word that is no file either, such as %s, is answered by the words that there are', async (text, advice) => {
    const error = await failure(new FetchBench([places.first]).select(text));
    expect(error.code).toBe('ERR_BACKUP_NOT_FOUND');
    expect(error.message).toMatch(/no word of `backup`$/);
    expect(error.hint).toContain(advice);
  });
});
