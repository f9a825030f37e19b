/** Pruning a series in a directory and in buckets of a real S3 server: what goes, what stays, what is left behind. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PrunedDestination, PruneResult } from '../../src/command.ts';
import { parsePruneRecord } from '../../src/domain/prune-record.ts';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { setObjects } from '../support/made-up-sets.ts';
import { idOf, makeUpDrill, makeUpSet, type PruneBench, pruneBench } from '../support/prune-bench.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { type Gateway, type GatewayRequest, type Judge, startGateway } from '../support/s3-gateway.ts';
import { availabilityOf, availableS3Servers, startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { keysOf } from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
const DAY_MS = 86_400_000;
/** Of the machine: what a test stores carries its time. */
const NOW = new Date();
const daysAgo = (days: number): string =>
  `${new Date(NOW.getTime() - days * DAY_MS).toISOString().slice(0, 11)}02:00:00Z`;

function only({ destinations }: PruneResult): PrunedDestination {
  expect(destinations).toHaveLength(1);
  return destinations[0] as PrunedDestination;
}

function codes({ findings }: PruneResult): string[] {
  return findings.map(({ code }) => code);
}

/** Keys of sets, without records. */
async function setsIn(storage: Storage, series = 'shop'): Promise<string[]> {
  const keys = await keysOf(storage, `${series}/`);
  return [...new Set(keys.map((key) => key.split('/')[1] ?? '').filter((name) => !name.startsWith('_')))];
}

async function auditIn(storage: Storage, part: 'started' | 'finished'): Promise<unknown[]> {
  const keys = (await keysOf(storage, 'shop/_audit/')).filter((key) => key.endsWith(`.${part}.json`));
  return await Promise.all(keys.map(async (key) => JSON.parse((await readBytes(storage, key)).toString())));
}

/** A place for backups, and how to make what lies there older. */
interface Place {
  line: string;
  env: Record<string, string>;
  age(key: string, days: number): Promise<void>;
}

function describePrune(newPlace: () => Promise<Place>): void {
  let place: Place;
  let bench: PruneBench;
  let storage: Storage;
  beforeEach(async () => {
    place = await newPlace();
    bench = pruneBench([place.line], place.env);
    [storage] = bench.storages as [Storage];
    return () => storage.close();
  });

  test('removes what the policy lets go, whole and nothing else, and records it before and after', async () => {
    for (const days of [5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const drill = await makeUpDrill(storage, idOf({ at: daysAgo(5) }), daysAgo(4));
    const result = await bench.prune({ policy: { rules: { daily: 2 } } });
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

  test('twice removes no more than once, and records nothing when there was nothing to remove', async () => {
    for (const days of [5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    await bench.prune({ policy: { rules: { daily: 2 } } });
    const keys = await keysOf(storage);
    const again = await bench.prune({ policy: { rules: { daily: 2 } } });
    expect(only(again)).toMatchObject({ removed: [], auditUris: [] });
    expect(await keysOf(storage)).toEqual(keys);
  });

  test('as a dry run touches nothing and says what it would do', async () => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const before = await keysOf(storage);
    const result = await bench.prune({ dryRun: true });
    expect(only(result).plan?.remove.map(({ set }) => set.id)).toEqual(
      [2, 3].map((days) => idOf({ at: daysAgo(days) })),
    );
    expect(await keysOf(storage)).toEqual(before);
    expect(bench.log.lines).toContain(`info: remove  ${idOf({ at: daysAgo(3) })} (proven): not the newest`);
    expect(bench.log.lines).toContain(
      `info: keep    ${idOf({ at: daysAgo(1) })} (proven): the newest proven one; keep-last: 1 of 1`,
    );
  });

  test('stops before anything is deleted when it would remove more than max-prune-percent', async () => {
    for (const days of [4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const before = await keysOf(storage);
    const result = await bench.prune({ maxPrunePercent: 50 });
    expect(only(result).error).toMatchObject({
      code: 'ERR_PRUNE_TOO_MUCH',
      message: expect.stringContaining('3 of 4 backups, which is 75 %; max-prune-percent allows 50'),
      hint: expect.stringContaining('max-prune-percent: 75'),
    });
    expect(await keysOf(storage)).toEqual(before);
    expect(only(await bench.prune({ maxPrunePercent: 75 })).removed).toHaveLength(3);
  });

  test('stops when the clock of the runner is two days ahead: backups look older than they are', async () => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const now = new Date(Date.now() + 2 * DAY_MS + 3_600_000);
    const result = await bench.prune({ policy: { rules: { withinDays: 4 } }, now });
    expect(only(result).error).toMatchObject({ code: 'ERR_PRUNE_CLOCK', message: expect.stringContaining('2 days') });
    expect(await setsIn(storage)).toHaveLength(3);
    expect(await auditIn(storage, 'finished')).toMatchObject([
      { outcome: 'failed', removed: [], failure: { code: 'ERR_PRUNE_CLOCK' } },
    ]);
  });

  test('with a clock that is two days behind keeps and reports what seems to come from the future', async () => {
    for (const days of [5, 4, 3, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const now = new Date(NOW.getTime() - 2 * DAY_MS);
    const result = await bench.prune({ now });
    expect(codes(result)).toEqual(['from-the-future']);
    expect(await setsIn(storage)).toEqual([3, 1].map((days) => idOf({ at: daysAgo(days) })));
  });

  test('leaves a series alone whose name begins alike, and whatever else there is', async () => {
    for (const days of [3, 2, 1]) {
      await makeUpSet(storage, { at: daysAgo(days), series: 'prod' });
      await makeUpSet(storage, { at: daysAgo(days), series: 'prod-eu' });
      await makeUpSet(storage, { at: daysAgo(days), series: 'pro' });
    }
    const result = await bench.prune({ series: 'prod' });
    expect(only(result).removed).toHaveLength(2);
    for (const other of ['prod-eu', 'pro']) expect(await setsIn(storage, other)).toHaveLength(3);
  });

  test('reports foreign objects and leaves them alone, in the folder of a set too', async () => {
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
    const result = await bench.prune();
    expect(only(result).removed).toHaveLength(2);
    const keys = await keysOf(storage);
    for (const key of foreign) expect(keys).toContain(key);
    expect(keys.filter((key) => key.startsWith(`shop/${old}/`))).toEqual([`shop/${old}/notes.txt`]);
    expect(codes(result)).toEqual(['unknown-objects']);
    expect(result.findings[0]?.seen).toContain('7 objects');
    expect(codes(await bench.prune())).toEqual(['unknown-objects']);
  });

  test('leaves a set alone whose manifest it cannot judge, and says why', async () => {
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
    const result = await bench.prune();
    expect(only(result).removed).toEqual([idOf({ at: daysAgo(2) })]);
    expect(codes(result)).toEqual(Array.from({ length: 5 }, () => 'manifest-unreadable'));
    expect(result.findings.map(({ seen }) => seen).join('\n')).toMatch(/newer version/);
    expect(await setsIn(storage)).toHaveLength(6);
  });

  test('does not take a set for proven whose archive is gone or has another size', async () => {
    await makeUpSet(storage, { at: daysAgo(4) });
    const newest = await makeUpSet(storage, { at: daysAgo(1) }, ['database.backup.age']);
    const cut = await makeUpSet(storage, { at: daysAgo(2) }, ['database.backup.age']);
    await writeBytes(storage, `shop/${cut}/database.backup.age`, Buffer.from('cut'));
    const result = await bench.prune();
    expect(codes(result)).toEqual(['set-damaged', 'set-damaged']);
    expect(only(result).newestProven?.id).toBe(idOf({ at: daysAgo(4) }));
    expect(await setsIn(storage)).toEqual([4, 2, 1].map((days) => idOf({ at: daysAgo(days) })));
    expect(newest).toBe(idOf({ at: daysAgo(1) }));
  });

  test('clears a half-deleted or unfinished set away when it is older than a day, and none that is younger', async () => {
    const keeper = await makeUpSet(storage, { at: daysAgo(1) });
    const old = await makeUpSet(storage, { at: daysAgo(5) }, ['metadata.json']);
    const written = await makeUpSet(storage, { at: daysAgo(4) }, ['metadata.json']);
    const young = await makeUpSet(storage, { at: new Date(NOW.getTime() - 3_600_000).toISOString() }, [
      'metadata.json',
    ]);
    await writeBytes(storage, `shop/${old}/notes.txt`, Buffer.from('mine'));
    for (const name of ['database.backup.age', 'globals.sql.age', 'contents.json.age', 'RESTORE.md'])
      await place.age(`shop/${old}/${name}`, 3);
    const dry = await bench.prune({ dryRun: true });
    expect(only(dry).cleared).toEqual([old]);
    const result = await bench.prune();
    expect(only(result)).toMatchObject({ cleared: [old], removed: [] });
    expect(await keysOf(storage, `shop/${old}/`)).toEqual([`shop/${old}/notes.txt`]);
    expect((await setsIn(storage)).sort()).toEqual([old, written, keeper, young].sort());
    expect(await auditIn(storage, 'finished')).toMatchObject([{ clearing: [old], removed: [old] }]);
  });

  test('removes records older than two years, of drills only when the set is gone', async () => {
    const present = await makeUpSet(storage, { at: daysAgo(900) });
    await makeUpSet(storage, { at: daysAgo(1) });
    const gone = idOf({ at: daysAgo(1_000) });
    const old = [await makeUpDrill(storage, gone, daysAgo(740)), 'shop/_audit/20200101_020000_k3v9qa.started.json'];
    const kept = [
      await makeUpDrill(storage, gone, daysAgo(700)),
      await makeUpDrill(storage, present, daysAgo(800)),
      'shop/_audit/20200101_020000_k3v9qa.other.json',
    ];
    for (const key of [...old, ...kept].filter((key) => key.includes('_audit')))
      await writeBytes(storage, key, Buffer.from('{}'));
    expect(only(await bench.prune({ policy: { rules: { last: 2 } } }))).toMatchObject({ records: 0, auditUris: [] });
    await makeUpSet(storage, { at: daysAgo(2), unproven: true });
    const result = await bench.prune({ policy: { rules: { yearly: 5 } } });
    expect(only(result).records).toBe(2);
    const keys = await keysOf(storage);
    for (const key of old) expect(keys).not.toContain(key);
    for (const key of kept) expect(keys).toContain(key);
  });

  test('removes nothing where nothing is proven, and says so', async () => {
    for (const days of [3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days), unproven: true });
    const result = await bench.prune();
    expect(codes(result)).toEqual(['nothing-proven']);
    expect(await setsIn(storage)).toHaveLength(3);
  });

  test('refuses a series that has nothing at all: the name is wrong', async () => {
    await makeUpSet(storage, { at: daysAgo(1) });
    await expect(bench.prune({ series: 'shpo' })).rejects.toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND' });
  });

  test('by two runs at once ends as by one', async () => {
    for (const days of [9, 8, 7, 6, 5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const results = await Promise.all([1, 2, 3].map(() => bench.prune({ policy: { rules: { daily: 2 } } })));
    for (const result of results) expect(only(result)).not.toHaveProperty('error');
    expect(await setsIn(storage)).toEqual([2, 1].map((days) => idOf({ at: daysAgo(days) })));
  });

  test('ended in the middle leaves no half that looks like a backup, and the next one finishes', async () => {
    for (const days of [6, 5, 4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const run = new AbortController();
    const said = bench.log.info.bind(bench.log);
    bench.log.info = (line) => {
      said(line);
      if (line.startsWith('removed')) run.abort(new Error('cancelled'));
    };
    await expect(bench.prune({ signal: run.signal })).rejects.toThrow();
    bench.log.info = said;
    expect((await setsIn(storage)).length).toBeGreaterThan(1);
    expect(await auditIn(storage, 'finished')).toMatchObject([{ outcome: 'failed' }]);
    const result = await bench.prune();
    expect(only(result)).not.toHaveProperty('error');
    const finished = (await keysOf(storage)).filter((key) => key.endsWith('/metadata.json'));
    expect(finished).toEqual([`shop/${idOf({ at: daysAgo(1) })}/metadata.json`]);
  });
}

describe('A series in a directory that is pruned:', () => {
  let root: string;
  let count = 0;
  beforeAll(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'prune-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const newFolder = async (): Promise<string> => {
    const folder = path.join(root, `place-${++count}`);
    await mkdir(folder);
    return folder;
  };
  describePrune(async () => {
    const line = await newFolder();
    const age = async (key: string, days: number): Promise<void> => {
      const then = new Date(Date.now() - days * DAY_MS);
      await utimes(path.join(line, key), then, then);
    };
    return { line, env: {}, age };
  });

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
    await writeFile(path.join(second, 'shop'), 'a file where a folder should be');
    await rm(second, { recursive: true });
    await symlink('/proc/1/root', second);
    const bench = pruneBench([first, second]);
    const [one] = bench.storages as [Storage];
    for (const days of [2, 1]) await makeUpSet(one, { at: daysAgo(days) });
    const result = await bench.prune();
    expect(result.destinations[0]?.removed).toHaveLength(1);
    if (process.getuid?.() !== 0) expect(result.destinations[1]?.error).toBeDefined();
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
});

test('A series of 10,000 backups is pruned in a minute', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'prune-large-'));
  try {
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
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 180_000);

describeIf(availabilityOf(versitygw), 'A series in a bucket that is pruned:', () => {
  let server: Versitygw;
  let gateway: Gateway;
  let client: S3Client;
  let judge: Judge | undefined;
  /** What others do before a request arrives. */
  let meanwhile: ((request: GatewayRequest) => Promise<unknown>) | undefined;
  let buckets = 0;
  beforeAll(async () => {
    server = await startVersitygw();
    gateway = await startGateway(server, {
      judge: (request) => judge?.(request),
      rewrite: async (request) => {
        await meanwhile?.(request);
        return request.headers;
      },
    });
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  });
  afterAll(async () => {
    client?.destroy();
    await gateway?.close();
    await server?.stop();
  });
  beforeEach(() => {
    judge = undefined;
    meanwhile = undefined;
  });
  async function newBucket({ lock = false } = {}): Promise<{ bucket: string; line: string }> {
    const bucket = `prune-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: lock }));
    return { bucket, line: server.storageUri(bucket, 'team', { endpoint: gateway.endpoint }) };
  }
  describePrune(async () => {
    const { bucket, line } = await newBucket();
    const age = async (key: string, days: number): Promise<void> => {
      const then = new Date(Date.now() - days * DAY_MS);
      await utimes(path.join(server.dataFolder, bucket, 'team', key), then, then);
    };
    return { line, env: server.env, age };
  });

  async function filled(line: string, days = [3, 2, 1]): Promise<{ bench: PruneBench; storage: Storage }> {
    const bench = pruneBench([line], server.env);
    const [storage] = bench.storages as [Storage];
    for (const each of days) await makeUpSet(storage, { at: daysAgo(each) });
    return { bench, storage };
  }

  test('hostile keys are reported as they are and never touched', async () => {
    const { bucket, line } = await newBucket();
    const { bench, storage } = await filled(line);
    const old = idOf({ at: daysAgo(3) });
    const hostile = [
      `team/shop/${old}/..\\x`,
      'team/shop/a\u202eb',
      `team/shop/::error::x`,
      `team/shop/${old}`,
      `team/shop/x`.padEnd(900, '/y'),
    ].filter((key) => key.length < 800);
    for (const Key of hostile)
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'mine' })).catch(() => undefined);
    const there = (await keysOf(storage)).filter((key) => hostile.includes(`team/${key}`));
    expect(there.length).toBeGreaterThan(0);
    const result = await bench.prune();
    expect(only(result)).not.toHaveProperty('error');
    const after = await keysOf(storage);
    for (const key of there) expect(after).toContain(key);
    expect(codes(result)).toEqual(['unknown-objects']);
  });

  test('in a bucket with versions hides what it removes, and claims no room', async () => {
    const { bucket, line } = await newBucket();
    await client.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const { bench, storage } = await filled(line);
    const result = await bench.prune();
    expect(await setsIn(storage)).toEqual([idOf({ at: daysAgo(1) })]);
    expect(codes(result)).toEqual(['versions-stay']);
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    expect(DeleteMarkers).toHaveLength(10);
    expect(Versions.filter(({ Key }) => Key?.includes(idOf({ at: daysAgo(3) })))).toHaveLength(5);
    expect(only(await bench.prune())).toMatchObject({ removed: [], auditUris: [] });
  });

  test('under Object Lock or a legal hold leaves the whole set with a note, and removes it when its time is over', async () => {
    const { bucket, line } = await newBucket({ lock: true });
    const { bench, storage } = await filled(line, [5, 4, 3, 1]);
    const at = (days: number, name: string) => ({
      Bucket: bucket,
      Key: `team/shop/${idOf({ at: daysAgo(days) })}/${name}`,
    });
    const soon = new Date(Date.now() + 4_000);
    await client.send(
      new PutObjectRetentionCommand({
        ...at(5, 'database.backup.age'),
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: soon },
      }),
    );
    await client.send(new PutObjectLegalHoldCommand({ ...at(4, 'contents.json.age'), LegalHold: { Status: 'ON' } }));
    const result = await bench.prune();
    expect(only(result).removed).toEqual([idOf({ at: daysAgo(3) })]);
    expect(only(result).left).toEqual([
      { id: idOf({ at: daysAgo(5) }), why: expect.stringMatching(/database\.backup\.age is locked until \d{4}-/) },
      { id: idOf({ at: daysAgo(4) }), why: expect.stringContaining('contents.json.age is under a legal hold') },
    ]);
    expect(only(result)).not.toHaveProperty('error');
    expect(codes(result)).toEqual(['set-held', 'versions-stay']);
    for (const days of [5, 4]) expect(await keysOf(storage, `shop/${idOf({ at: daysAgo(days) })}/`)).toHaveLength(5);
    const later = await bench.prune({ now: new Date(Date.now() + 10_000) });
    expect(only(later).removed).toEqual([idOf({ at: daysAgo(5) })]);
    expect(only(later).left).toHaveLength(1);
  });

  test('without the right to look at locks removes nothing', async () => {
    const { line } = await newBucket({ lock: true });
    const { bench, storage } = await filled(line);
    judge = ({ query }) => (query.has('retention') ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined);
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({
      code: 'ERR_STORAGE_DENIED',
      message: expect.stringContaining('s3:GetObjectRetention'),
    });
    expect(await setsIn(storage)).toHaveLength(3);
  });

  test('on a server that knows no Object Lock and no versions goes on without', async () => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line);
    judge = ({ query }) =>
      query.has('object-lock') || query.has('versioning')
        ? { status: 501, code: 'NotImplemented', message: 'no' }
        : undefined;
    const result = await bench.prune();
    expect(only(result)).not.toHaveProperty('error');
    expect(await setsIn(storage)).toHaveLength(1);
  });

  test('without the right to delete is an error, nothing is gone, and it is tried once', async () => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let tries = 0;
    judge = ({ method }) => {
      if (method !== 'DELETE') return undefined;
      tries += 1;
      return { status: 403, code: 'AccessDenied', message: 'no' };
    };
    const result = await bench.prune();
    expect(only(result)).toMatchObject({ removed: [], error: { code: 'ERR_STORAGE_DENIED' } });
    expect(only(result).left[0]?.why).toContain('it is untouched');
    expect(tries).toBeLessThanOrEqual(4);
    expect(await setsIn(storage)).toHaveLength(9);
    expect(await auditIn(storage, 'finished')).toMatchObject([
      { outcome: 'failed', removed: [], failure: { code: 'ERR_STORAGE_DENIED' } },
    ]);
  });

  test('when a deletion fails in the middle of a set leaves no backup of it, says so, and later clears the rest away', async () => {
    const { bucket, line } = await newBucket();
    const { bench, storage } = await filled(line);
    const doomed = idOf({ at: daysAgo(3) });
    judge = ({ method, path: key }) =>
      method === 'DELETE' && key.includes(`${doomed}/database`)
        ? { status: 500, code: 'InternalError', message: 'no' }
        : undefined;
    const result = await bench.prune();
    expect(only(result).removed).toEqual([idOf({ at: daysAgo(2) })]);
    expect(only(result).left).toEqual([
      { id: doomed, why: expect.stringContaining('its metadata.json is gone, so it is no backup any more') },
    ]);
    expect(only(result).error).toMatchObject({ message: expect.stringContaining('1 backup could not be removed') });
    expect(await keysOf(storage, `shop/${doomed}/`)).toEqual([`shop/${doomed}/database.backup.age`]);
    judge = undefined;
    const then = new Date(Date.now() - 3 * DAY_MS);
    await utimes(path.join(server.dataFolder, bucket, 'team/shop', doomed, 'database.backup.age'), then, then);
    expect(only(await bench.prune()).cleared).toEqual([doomed]);
    expect(await setsIn(storage)).toEqual([idOf({ at: daysAgo(1) })]);
  });

  test('deletes metadata.json first', async () => {
    const { line } = await newBucket();
    const { bench } = await filled(line, [2, 1]);
    gateway.requests.length = 0;
    await bench.prune();
    const deletions = gateway.requests
      .filter(({ method }) => method === 'DELETE')
      .map(({ path: key }) => key.split('/').at(-1));
    expect(deletions).toHaveLength(5);
    expect(deletions[0]).toBe('metadata.json');
  });

  test('does not begin without the right to record what it deletes', async () => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line);
    judge = ({ method, path: key }) =>
      method === 'PUT' && key.includes('_audit') ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({ code: 'ERR_STORAGE_DENIED', hint: expect.stringContaining('_audit/') });
    expect(await setsIn(storage)).toHaveLength(3);
  });

  test('when a page of the listing fails removes nothing at all', async () => {
    const { bucket, line } = await newBucket();
    const { bench, storage } = await filled(line);
    const folder = path.join(server.dataFolder, bucket, 'team/shop/aa');
    await mkdir(folder);
    for (let number = 0; number < 1_100; number += 1) await writeFile(path.join(folder, String(number)), 'x');
    judge = ({ query }) =>
      query.has('continuation-token') ? { status: 500, code: 'InternalError', message: 'no' } : undefined;
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({ code: 'ERR_STORAGE' });
    expect(only(result)).not.toHaveProperty('plan');
    judge = undefined;
    expect((await setsIn(storage)).filter((name) => name !== 'aa')).toHaveLength(3);
  });

  test('without the right to read a manifest, or records of drills, removes nothing', async () => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line);
    await makeUpDrill(storage, idOf({ at: daysAgo(3) }), daysAgo(2));
    for (const what of ['metadata.json', '_drills']) {
      judge = ({ method, path: key }) =>
        method === 'GET' && key.includes(what) ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
      expect(only(await bench.prune()).error).toMatchObject({ code: 'ERR_STORAGE_DENIED' });
    }
    expect(await setsIn(storage)).toHaveLength(3);
  });

  test('when the newest proven one vanishes after the listing removes nothing', async () => {
    const { bucket, line } = await newBucket();
    const { bench, storage } = await filled(line);
    const Key = `team/shop/${idOf({ at: daysAgo(1) })}/metadata.json`;
    meanwhile = async ({ query }) => {
      if (query.get('prefix') === Key) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    };
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({ code: 'ERR_PRUNE_LAST_PROVEN' });
    expect(await setsIn(storage)).toHaveLength(3);
  });
});
