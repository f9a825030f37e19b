/** Choosing among sets of real storage. The sets are made up: only their manifests and sizes are looked at. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseBackupId } from '../../src/domain/backup-id.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { codes, FetchBench } from '../support/fetch-bench.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { type GatewayRequest, startGateway } from '../support/s3-gateway.ts';
import { availabilityOf, availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';
import { manifest } from '../support/set-documents.ts';
import { openLine } from '../support/storage-bench.ts';

const [NEWEST, MIDDLE, OLDEST] = [
  '20261121_020000_nightly_cccccc',
  '20261120_020000_nightly_bbbbbb',
  '20261119_020000_pre-migration_aaaaaa',
] as const;
const NAMES = ['database.backup.age', 'globals.sql.age', 'contents.json.age', 'RESTORE.md'];

interface Wish {
  series?: string;
  unproven?: boolean;
  /** Nothing but the archive. */
  unfinished?: boolean;
  /** The text of metadata.json instead of a good one. */
  metadata?: string;
  change?: Partial<Manifest>;
}

/** Every object of a set by its key, metadata.json included. */
function setObjects(
  id: string,
  { series = 'shop', unproven, unfinished, metadata, change }: Wish,
): Map<string, string> {
  const good = manifest();
  const document: Manifest = {
    ...good,
    id,
    name: series,
    label: parseBackupId(id)?.label ?? '',
    snapshotAt: (parseBackupId(id)?.at ?? new Date(0)).toISOString(),
    objects: good.objects.map((object) => ({ ...object, sizeBytes: object.name.length })),
    ...(unproven === true
      ? { verdict: 'unproven', checks: [{ id: 'archive', status: 'failed', reason: 'It ends too soon' }] }
      : {}),
    ...change,
  };
  const names = unfinished === true ? NAMES.slice(0, 1) : NAMES;
  const objects = new Map(names.map((name) => [`${series}/${id}/${name}`, name]));
  if (unfinished !== true) objects.set(`${series}/${id}/metadata.json`, metadata ?? JSON.stringify(document));
  return objects;
}

async function put(root: string, id: string, wish: Wish = {}): Promise<void> {
  for (const [key, text] of setObjects(id, wish)) {
    await mkdir(path.dirname(path.join(root, key)), { recursive: true });
    await writeFile(path.join(root, key), text);
  }
}

let folder: string;
let first: string;
let second: string;
let tests = 0;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'select-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  tests += 1;
  [first, second] = [path.join(folder, String(tests), 'first'), path.join(folder, String(tests), 'second')];
  await mkdir(first, { recursive: true });
  await mkdir(second, { recursive: true });
});

async function putAll(): Promise<void> {
  await put(first, OLDEST);
  await put(first, MIDDLE);
  await put(first, NEWEST, { unproven: true });
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
    const set = await new FetchBench([first]).selectSet(selector);
    expect(set.manifest.id).toBe(id);
    expect(set.series).toBe('shop');
    expect(set.copies[0].uri).toBe(path.join(first, 'shop', id));
  });

  test('one that is not proven comes with what its checks said', async () => {
    const set = await new FetchBench([first]).selectSet('latest');
    expect(codes(set.findings)).toEqual(['backup-unproven']);
    expect(set.findings[0]?.seen).toContain('It ends too soon');
  });

  test('latest-restored is the newest of those that drills name', async () => {
    const restoredIds = async () => new Set([OLDEST, 'something else']);
    expect((await new FetchBench([first]).selectSet('latest-restored', { restoredIds })).manifest.id).toBe(OLDEST);
    const error = await failure(new FetchBench([first]).selectSet('latest-restored'));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('no drill') });
  });

  test('what matches nothing lists what there is', async () => {
    const error = await failure(new FetchBench([first]).select('2025'));
    expect(error.code).toBe('ERR_BACKUP_NOT_FOUND');
    const lines = error.message.split('\n').slice(1);
    expect(lines.map((line) => line.split(/ {2}/))).toEqual([
      [`- ${NEWEST}`, 'unproven', '2026-11-21 02:00 UTC', '66.8 MiB', 'nightly'],
      [`- ${MIDDLE}`, 'proven', '2026-11-20 02:00 UTC', '66.8 MiB', 'nightly'],
      [`- ${OLDEST}`, 'proven', '2026-11-19 02:00 UTC', '66.8 MiB', 'pre-migration'],
    ]);
  });

  test('a beginning that several have lists them', async () => {
    const error = await failure(new FetchBench([first]).select('202611'));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('3 ids') });
    expect(error.message).toContain(OLDEST);
  });

  test('a series that is not there names those that are', async () => {
    const error = await failure(new FetchBench([first]).select('latest', { series: 'shpo' }));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('holds shop') });
  });

  test('of two series one must be named', async () => {
    await put(first, NEWEST, { series: 'crm' });
    await mkdir(path.join(first, 'notes', 'old'), { recursive: true });
    await writeFile(path.join(first, 'notes', 'old', 'x'), '');
    const bench = new FetchBench([first]);
    const error = await failure(bench.select('latest'));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND', message: expect.stringContaining('crm, shop') });
    expect(error.message).not.toContain('notes');
    expect(error.hint).toContain('`name`');
    expect((await bench.selectSet('latest', { series: 'crm' })).series).toBe('crm');
  });

  test('sets of one second are told apart by their snapshots', async () => {
    const [earlier, later] = ['20261122_020000_a_zzzzzz', '20261122_020000_a_000000'];
    await put(first, earlier, { change: { snapshotAt: '2026-11-22T02:00:00.100Z' } });
    await put(first, later, { change: { snapshotAt: '2026-11-22T02:00:00.900Z' } });
    expect((await new FetchBench([first]).selectSet('latest')).manifest.id).toBe(later);
  });
});

describe('of sets that cannot be judged', () => {
  beforeEach(putAll);
  const LATER = '20261122_020000_nightly_dddddd';
  const newer = { metadata: JSON.stringify({ schemaVersion: 2 }) };

  test('unfinished ones do not exist, and are counted', async () => {
    await put(first, LATER, { unfinished: true });
    await put(first, '20261123_020000_nightly_eeeeee', { unfinished: true });
    const set = await new FetchBench([first]).selectSet('latest-proven');
    expect(set.manifest.id).toBe(MIDDLE);
    expect(set.findings.find(({ code }) => code === 'unfinished-sets')?.seen).toContain('2 folders');
  });

  test('a whole id of an unfinished one is not found', async () => {
    await put(first, LATER, { unfinished: true });
    const error = await failure(new FetchBench([first]).select(LATER));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND' });
  });

  test.each(['latest', 'latest-proven', 'before:2027-01-01', LATER])(
    '%s refuses one of a newer version by name instead of taking an older one',
    async (selector) => {
      await put(first, LATER, newer);
      const error = await failure(new FetchBench([first]).select(selector));
      expect(error).toMatchObject({ code: 'ERR_MANIFEST', message: expect.stringContaining('schemaVersion 2') });
      expect(error.message).toContain(LATER);
    },
  );

  test('one of a newer version is no obstacle for those who mean another', async () => {
    await put(first, LATER, newer);
    const bench = new FetchBench([first]);
    expect((await bench.selectSet(OLDEST)).manifest.id).toBe(OLDEST);
    expect((await bench.selectSet('before:2026-11-21')).manifest.id).toBe(MIDDLE);
  });

  test('a damaged one stops latest, and is passed over with a warning by latest-proven', async () => {
    await put(first, LATER, { metadata: '{"schemaVersion": 1, "id"' });
    const bench = new FetchBench([first]);
    const error = await failure(bench.select('latest'));
    expect(error).toMatchObject({ code: 'ERR_MANIFEST', message: expect.stringContaining(LATER) });
    const set = await bench.selectSet('latest-proven');
    expect(set.manifest.id).toBe(MIDDLE);
    expect(codes(set.findings)).toContain('manifest-unreadable');
  });

  test('an older set in the place of a newer one does not pass for it', async () => {
    const older = setObjects(OLDEST, {}).get(`shop/${OLDEST}/metadata.json`) ?? '';
    await put(first, LATER, { metadata: older });
    for (const selector of ['latest', LATER]) {
      const error = await failure(new FetchBench([first]).select(selector));
      expect(error).toMatchObject({ code: 'ERR_STORED_DIFFERS', message: expect.stringContaining(OLDEST) });
    }
  });

  test('nor does a set of another series, nor one whose time was changed', async () => {
    await put(first, LATER, { change: { name: 'crm' } });
    expect(await failure(new FetchBench([first]).select('latest'))).toMatchObject({ code: 'ERR_STORED_DIFFERS' });
    await put(first, LATER, { change: { snapshotAt: '2026-11-29T02:00:00.000Z' } });
    expect(await failure(new FetchBench([first]).select('latest'))).toMatchObject({ code: 'ERR_STORED_DIFFERS' });
  });
});

describe('of two places', () => {
  test('the first that is named leads, and the second follows', async () => {
    for (const place of [first, second]) await put(place, NEWEST);
    const { copies, findings } = await new FetchBench([second, first]).selectSet();
    expect(copies.map(({ target }) => target.storage.location)).toEqual([second, first]);
    expect(findings).toEqual([]);
  });

  test('the newest counts, though only the second place has it', async () => {
    await put(first, MIDDLE);
    for (const id of [MIDDLE, NEWEST]) await put(second, id);
    const { manifest: chosen, copies, findings } = await new FetchBench([first, second]).selectSet();
    expect(chosen.id).toBe(NEWEST);
    expect(copies.map(({ target }) => target.storage.location)).toEqual([second]);
    expect(codes(findings)).toEqual(['copy-missing']);
  });

  test('a copy without its marker is none; a damaged marker is passed over', async () => {
    await put(first, NEWEST, { unfinished: true });
    await put(second, NEWEST);
    const unfinished = await new FetchBench([first, second]).selectSet();
    expect(unfinished.copies.map(({ target }) => target.storage.location)).toEqual([second]);
    await put(first, NEWEST, { metadata: '{' });
    const damaged = await new FetchBench([first, second]).selectSet();
    expect(damaged.copies.map(({ target }) => target.storage.location)).toEqual([second]);
    expect(codes(damaged.findings)).toEqual(['copy-damaged']);
  });

  test('complete nowhere: both are named', async () => {
    for (const place of [first, second]) {
      await put(place, NEWEST);
      await rm(path.join(place, 'shop', NEWEST, 'contents.json.age'));
    }
    const error = await failure(new FetchBench([first, second]).select('latest'));
    expect(error.code).toBe('ERR_BACKUP_DAMAGED');
    for (const words of [first, second, 'contents.json.age', NEWEST]) expect(error.message).toContain(words);
  });

  test('a place named by its path leads, wherever it stands in the list', async () => {
    for (const place of [first, second]) await put(place, NEWEST);
    const { copies } = await new FetchBench([first, second]).selectSet(path.join(second, 'shop', NEWEST));
    expect(copies.map(({ target }) => target.storage.location)).toEqual([second, first]);
  });
});

describe('outside of the storage', () => {
  test('a set of another repository is found by its path; what is written next to it finds its place', async () => {
    await put(second, NEWEST, { series: 'crm' });
    for (const location of [path.join(second, 'crm', NEWEST), path.join(second, 'crm', NEWEST, 'metadata.json')]) {
      const set = await new FetchBench([first]).selectSet(location);
      expect(set).toMatchObject({ series: 'crm', manifest: { id: NEWEST } });
      expect(set.copies[0].folder).toBe(`crm/${NEWEST}`);
      expect(set.copies[0].target.storage.location).toBe(second);
    }
  });

  test('a set that was copied into a folder of another name is taken for what its manifest says', async () => {
    const bare = setObjects(NEWEST, {});
    await mkdir(path.join(second, 'rescued'));
    for (const [key, text] of bare) await writeFile(path.join(second, 'rescued', path.basename(key)), text);
    const set = await new FetchBench([first]).selectSet(path.join(second, 'rescued'));
    expect(set.manifest.id).toBe(NEWEST);
  });

  test('a name that says another series is noticed', async () => {
    await put(second, NEWEST, { series: 'crm' });
    const set = await new FetchBench([first]).selectSet(path.join(second, 'crm', NEWEST), { series: 'shop' });
    expect(codes(set.findings)).toEqual(['other-series']);
  });

  test('files and folders of pg_dump are dumps; an object of an unfinished set is one too', async () => {
    await writeFile(path.join(second, 'shop.sql'), '-- dump');
    await mkdir(path.join(second, 'shop.dir'));
    await writeFile(path.join(second, 'shop.dir', 'toc.dat'), 'PGDMP');
    await put(second, NEWEST, { unfinished: true });
    const bench = new FetchBench([first]);
    expect(await bench.select(path.join(second, 'shop.sql'))).toMatchObject({ kind: 'foreign', layout: 'file' });
    expect(await bench.select(path.join(second, 'shop.dir/'))).toMatchObject({ kind: 'foreign', layout: 'directory' });
    const rescued = await bench.select(path.join(second, 'shop', NEWEST, 'database.backup.age'));
    expect(rescued).toMatchObject({ kind: 'foreign', name: 'database.backup.age' });
    expect(codes(rescued.findings)).toEqual(['foreign-dump']);
  });

  test('nothing there is said with every place that was looked at', async () => {
    const error = await failure(new FetchBench([first, second]).select('shop/nothing'));
    expect(error.code).toBe('ERR_BACKUP_NOT_FOUND');
    expect(error.message).toContain(path.join(first, 'shop/nothing'));
    expect(error.message).toContain(path.join(second, 'shop/nothing'));
  });
});

const [kind] = await availableS3Servers();
describeIf(availabilityOf(kind), 'of a bucket', () => {
  let server: S3Server;
  let buckets = 0;
  let bucket: string;
  beforeAll(async () => {
    server = await startVersitygw();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    bucket = `select-${++buckets}`;
    (await newBucket(server, bucket)).close();
  });

  async function upload(prefix: string, id: string, wish: Wish = {}): Promise<void> {
    const storage = openLine(server.storageUri(bucket, prefix), server.env);
    for (const [key, text] of setObjects(id, wish)) await writeBytes(storage, key, Buffer.from(text));
    await storage.close();
  }

  test('a URI outside of every prefix takes endpoint and keys from the line of the same bucket', async () => {
    await upload('other/team', NEWEST, { series: 'crm' });
    const bench = new FetchBench([server.storageUri(bucket, 'ours')], { env: server.env });
    const set = await bench.selectSet(`s3://${bucket}/other/team/crm/${NEWEST}`);
    expect(set.copies[0]).toMatchObject({
      uri: `s3://${bucket}/other/team/crm/${NEWEST}`,
      folder: `crm/${NEWEST}`,
      target: { destination: { prefix: 'other/team' } },
    });
    await bench.close();
  });

  test('with options of its own it needs no line', async () => {
    await upload('other/team', NEWEST, { series: 'crm' });
    const uri = server.storageUri(bucket, `other/team/crm/${NEWEST}/metadata.json`);
    const set = await new FetchBench([first], { env: server.env }).selectSet(uri);
    expect(set.series).toBe('crm');
  });

  test('a URI below a line is that destination, with its other copies behind it', async () => {
    await upload('ours', NEWEST);
    await put(first, NEWEST);
    const bench = new FetchBench([first, server.storageUri(bucket, 'ours')], { env: server.env });
    const { copies } = await bench.selectSet(`s3://${bucket}/ours/shop/${NEWEST}/`);
    expect(copies.map(({ target }) => target)).toEqual([bench.targets[1], bench.targets[0]]);
    await bench.close();
  });

  test('the first destination down: the second is taken, and what may be missed is said', async () => {
    await upload('ours', NEWEST);
    await put(second, MIDDLE);
    const gone = server.storageUri(bucket, 'ours').replace(/127\.0\.0\.1%3A\d+/, '127.0.0.1%3A1');
    const bench = new FetchBench([gone, second], { env: server.env });
    const set = await bench.selectSet('latest');
    expect(set.manifest.id).toBe(MIDDLE);
    expect(codes(set.findings)).toEqual(['destination-passed-over']);
    const nothing = await failure(bench.select('2025', { series: 'shop' }));
    expect(nothing.message).toContain('could not be asked and may hold it');
    const alone = await failure(new FetchBench([gone], { env: server.env }).select('latest'));
    expect(alone.code).toMatch(/^ERR_STORAGE/);
  });

  test('a role that may read objects and not list them reaches a set by its URI', async () => {
    await upload('ours', NEWEST);
    const judge = ({ query }: GatewayRequest) =>
      query.has('list-type') ? { status: 403, code: 'AccessDenied', message: 'Access Denied' } : undefined;
    const gateway = await startGateway(server, { judge });
    try {
      const bench = new FetchBench([throughGateway(gateway.port)], { env: server.env });
      const set = await bench.selectSet(`s3://${bucket}/ours/shop/${NEWEST}`);
      expect(set.manifest.id).toBe(NEWEST);
      expect(await failure(bench.select('latest'))).toMatchObject({ code: 'ERR_STORAGE_DENIED' });
      await bench.close();
    } finally {
      await gateway.close();
    }
  });

  const throughGateway = (port: number): string =>
    server.storageUri(bucket, 'ours', { endpoint: `http://127.0.0.1:${port}` });

  test('latest reads two manifests of a long series, not all of them', async () => {
    const ids = Array.from(
      { length: 30 },
      (_, day) => `202610${String(day + 1).padStart(2, '0')}_020000_nightly_aaaaaa`,
    );
    for (const id of ids) await upload('ours', id);
    const gateway = await startGateway(server);
    try {
      const bench = new FetchBench([throughGateway(gateway.port)], { env: server.env });
      expect((await bench.selectSet('latest', { series: 'shop' })).manifest.id).toBe(ids.at(-1));
      const reads = gateway.requests.filter(({ method, query }) => method === 'GET' && !query.has('list-type'));
      // Once to choose, once to look at the copy.
      expect(reads).toHaveLength(2);
      await bench.close();
    } finally {
      await gateway.close();
    }
  });
});
