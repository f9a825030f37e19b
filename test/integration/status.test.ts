/** The status of storages on a real S3 server: what it needs, what it reads, and what it makes of what is wrong there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StatusResult } from '../../src/command.ts';
import { serializeManifest } from '../../src/domain/manifest.ts';
import { isDueToday } from '../../src/domain/status/verify-share.ts';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { type ActionsCache, startActionsCache } from '../support/actions-cache.ts';
import { describeIf } from '../support/availability.ts';
import { setObjects } from '../support/made-up-sets.ts';
import { fences, readDocument, section } from '../support/markdown.ts';
import { BUCKET, type PolicyServer, type Statement, startPolicyServer, USER_ENV } from '../support/policy-server.ts';
import { idOf, makeUpDrill, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { type Gateway, type GatewayRequest, type Judge, startGateway } from '../support/s3-gateway.ts';
import { availabilityOf, availableS3Servers, startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { manifest } from '../support/set-documents.ts';
import { type StatusBench, statusBench } from '../support/status-bench.ts';
import { keysOf, openLine, sha256 } from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
const DAY_MS = 86_400_000;
const NOW = new Date();
/** A few hours ago, and the same some days before. */
const daysAgo = (days: number): string => new Date(NOW.getTime() - days * DAY_MS - 3 * 3_600_000).toISOString();

function codes({ report }: StatusResult, ...levels: string[]): string[] {
  const wanted = levels.length === 0 ? ['critical', 'warning'] : levels;
  return report.findings.filter(({ level }) => wanted.includes(level)).map(({ level, code }) => `${level} ${code}`);
}

/** A set whose manifest says what is really stored. */
async function makeTrueSet(to: Storage, days: number): Promise<string> {
  const id = idOf({ at: daysAgo(days) });
  const objects = manifest().objects.map((object) => {
    const bytes = Buffer.from(`${object.name} of ${id}`);
    return { ...object, sizeBytes: bytes.length, sha256: sha256(bytes) };
  });
  for (const { name } of objects) await writeBytes(to, `shop/${id}/${name}`, Buffer.from(`${name} of ${id}`));
  const snapshotAt = `${daysAgo(days).slice(0, 19)}.000Z`;
  const document = serializeManifest(manifest({ id, objects, snapshotAt }));
  await writeBytes(to, `shop/${id}/metadata.json`, Buffer.from(document));
  return id;
}

/** Written past every interface, because there are many. */
function placeSet(root: string, id: string): void {
  mkdirSync(path.join(root, 'shop', id), { recursive: true });
  for (const [key, text] of setObjects(id, {})) writeFileSync(path.join(root, key), text);
}

/** Five nights and a drill: all is well. */
async function fill(storage: Storage, series = 'shop'): Promise<string[]> {
  const ids: string[] = [];
  for (const days of [4, 3, 2, 1, 0]) ids.push(await makeUpSet(storage, { at: daysAgo(days), series }));
  await makeUpDrill(storage, ids[3] as string, daysAgo(0.5), series);
  return ids;
}

describe('The status of a directory', () => {
  let root: string;
  let storage: Storage;
  let bench: StatusBench;
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'status-'));
    [storage] = pruneBench([root]).storages as [Storage];
    bench = statusBench([root]);
    return () => rm(root, { recursive: true, force: true });
  });

  test('is well, and writes nothing', async () => {
    const ids = await fill(storage);
    const before = await keysOf(storage);
    const { report } = await bench.status();
    expect(report).toMatchObject({ level: 'info', destinations: [{ location: root, sets: 5 }] });
    expect(report.series[0]).toMatchObject({
      name: 'shop',
      newestProven: { id: ids[4], locations: [root] },
      newestRestored: { id: ids[3] },
      lastDrill: { verdict: 'passed', backupId: ids[3] },
      drillSuccessPercent: 100,
      cadenceHours: 24,
    });
    expect(await keysOf(storage)).toEqual(before);
  });

  test('tells series of similar names apart, and looks at one alone when it is named', async () => {
    await fill(storage, 'prod');
    await makeUpSet(storage, { at: daysAgo(9), series: 'prod-eu' });
    const all = await bench.status();
    expect(all.report.series.map(({ name, level }) => `${name} ${level}`)).toEqual(['prod info', 'prod-eu critical']);
    const one = await bench.status({ name: 'prod' });
    expect(one.report.series.map(({ name, backups }) => `${name} ${backups.length}`)).toEqual(['prod 5']);
    expect(codes(await bench.status({ name: 'pro' }))).toEqual(['critical series-missing']);
  });

  test('is not misled by manifests that are broken, truncated, too new, foreign, those of another set, or 100 MB', async () => {
    const ids = await fill(storage);
    const other = await makeUpSet(storage, { at: daysAgo(20), series: 'other' });
    const stolen = await readBytes(storage, `other/${other}/metadata.json`);
    const texts = ['not JSON', '{"schemaVersion":1,"id":', '{"schemaVersion":99}', '{"Version":"2012-10-17"}', stolen];
    for (const [index, text] of [...texts, Buffer.alloc(100 * 1024 * 1024, ' ')].entries()) {
      const id = await makeUpSet(storage, { at: daysAgo(0), random: `zzzzz${index}` }, ['metadata.json']);
      await writeBytes(storage, `shop/${id}/metadata.json`, Buffer.from(text));
    }
    const { report } = await bench.status({ name: 'shop' });
    expect(report.series[0]?.newestProven?.id).toBe(ids[4]);
    const told = report.findings.filter(({ level }) => level === 'warning');
    expect(told.map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => 'manifest-unreadable'));
    expect(told.map(({ seen }) => seen).join('\n')).toContain('newer version');
    expect(told.map(({ seen }) => seen).join('\n')).toContain('100 MiB');
  });

  test('takes a proven set that is not whole for unproven', async () => {
    const ids = await fill(storage);
    await makeUpSet(storage, { at: new Date(NOW.getTime() - 60_000).toISOString() }, ['database.backup.age']);
    const result = await bench.status();
    expect(codes(result)).toEqual(['critical copy-damaged', 'warning failed-since-proven']);
    expect(result.report.series[0]?.newestProven?.id).toBe(ids[4]);
  });

  test('with keys that are hostile shows none of them as it is', async () => {
    await fill(storage);
    const hostile = [
      'shop/%2e%2e',
      'shop/a b',
      'shop/x%0ainjected::error::',
      'shop/<script>alert(1)',
      `shop/${'x'.repeat(200)}`,
    ];
    for (const key of hostile) await writeBytes(storage, key, Buffer.from('mine'));
    const result = await bench.status();
    expect(result.report.level).toBe('info');
    const [finding] = result.report.findings.filter(({ code }) => code === 'unknown-objects');
    expect(finding?.seen).toContain('5 objects');
    expect(finding?.seen.length).toBeLessThan(800);
  });

  test('with a clock two days wrong says so, and counts nothing that seems to come from the future', async () => {
    await fill(storage);
    const late = await bench.status({ now: new Date(NOW.getTime() + 2 * DAY_MS) });
    expect(codes(late)).toEqual(['critical backup-too-old', 'warning runs-missed']);
    const early = await bench.status({ now: new Date(NOW.getTime() - 2 * DAY_MS) });
    expect(codes(early)).toContain('warning from-the-future');
    expect(early.report.series[0]?.newestProven?.id).toBe(idOf({ at: daysAgo(2) }));
  });

  test('with a second destination that is behind names it', async () => {
    const second = await mkdtemp(path.join(os.tmpdir(), 'status-second-'));
    const [copy] = pruneBench([second]).storages as [Storage];
    await fill(storage);
    for (const days of [4, 3]) await makeUpSet(copy, { at: daysAgo(days) });
    const result = await statusBench([root, second]).status();
    expect(codes(result)).toEqual(['warning copy-behind']);
    expect(result.report.findings[0]?.seen).toContain(`${second} lacks the newest 3 proven backups`);
    expect(result.report.findings.map(({ code }) => code)).toContain('copies-share');
    await rm(second, { recursive: true, force: true });
  });

  test('that is not there at all is no status', async () => {
    await expect(statusBench([path.join(root, 'none')]).status()).resolves.toMatchObject({
      report: { level: 'critical', findings: [{ code: 'nothing-there' }] },
    });
  });

  describe('with verify-stored-days', () => {
    test('reads all of it within so many days, and names what has changed and where it is good', async () => {
      const second = await mkdtemp(path.join(os.tmpdir(), 'status-second-'));
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
      await rm(second, { recursive: true, force: true });
    });
  });
});

describeIf(availabilityOf(versitygw), 'The status of a bucket', () => {
  let server: Versitygw;
  let gateway: Gateway;
  let judge: Judge;
  let storage: Storage;
  let line: string;
  let count = 0;
  beforeAll(async () => {
    server = await startVersitygw();
    gateway = await startGateway(server, { judge: (request) => judge(request) });
  });
  beforeEach(async () => {
    judge = () => undefined;
    const bucket = `status-${++count}`;
    await server.createBucket(bucket);
    line = server.storageUri(bucket, 'team', { endpoint: gateway.endpoint });
    storage = openLine(server.storageUri(bucket, 'team'), server.env);
    gateway.requests.length = 0;
    return () => storage.close();
  });
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
  });
  const isList = ({ query }: GatewayRequest): boolean => query.has('list-type');

  test('reads listings and documents alone, each once', async () => {
    await fill(storage);
    expect((await statusBench([line], server.env).status()).report.level).toBe('info');
    const { requests } = gateway;
    expect([...new Set(requests.map(({ method }) => method))]).toEqual(['GET']);
    expect(requests.filter(isList)).toHaveLength(1);
    expect(requests.filter((request) => !isList(request))).toHaveLength(6);
  });

  test('of which page 3 of 12 cannot be listed is no status; beside another destination that one is not looked at', async () => {
    const ids = Array.from({ length: 2_400 }, (_, hours) => idOf({ at: daysAgo(hours / 24) }));
    for (const id of ids) placeSet(path.join(server.dataFolder, `status-${count}`, 'team'), id);
    const root = await mkdtemp(path.join(os.tmpdir(), 'status-'));
    const [good] = pruneBench([root]).storages as [Storage];
    await fill(good);
    let pages = 0;
    judge = (request) => {
      if (!isList(request)) return undefined;
      pages += 1;
      return pages > 2 ? { status: 503, code: 'SlowDown', message: 'no' } : undefined;
    };
    const result = await statusBench([root, line], server.env).status();
    expect(codes(result)).toEqual(['critical destination-unreadable']);
    expect(result.report.destinations).toMatchObject([{ sets: 5 }, { error: expect.stringContaining('list objects') }]);
    expect(result.report.destinations[1]).not.toHaveProperty('sets');
    pages = 0;
    await expect(statusBench([line], server.env).status()).rejects.toMatchObject({ code: 'ERR_STORAGE' });
    judge = () => undefined;
    gateway.requests.length = 0;
    const whole = await statusBench([line], server.env).status();
    expect(whole.report.destinations).toMatchObject([{ sets: 2_400 }]);
    expect(gateway.requests.filter(isList)).toHaveLength(12);
    await rm(root, { recursive: true, force: true });
  }, 120_000);

  test('of which a manifest may not be read is not looked at', async () => {
    await fill(storage);
    judge = ({ path: key }) =>
      key.endsWith('/metadata.json') ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
    await expect(statusBench([line], server.env).status()).rejects.toMatchObject({
      code: 'ERR_STORAGE_DENIED',
      message: expect.stringContaining('s3:GetObject'),
    });
  });

  describe('with a cache of manifests', () => {
    let cache: ActionsCache;
    let env: Record<string, string>;
    let temp: string;
    beforeEach(async () => {
      cache = await startActionsCache();
      temp = await mkdtemp(path.join(os.tmpdir(), 'status-runner-'));
      env = { ...server.env, ...cache.env, PATH: process.env.PATH ?? '', RUNNER_TEMP: temp };
      return async () => {
        await cache.stop();
        await rm(temp, { recursive: true, force: true });
      };
    });
    const reads = (): string[] => {
      const keys = gateway.requests.filter((request) => !isList(request)).map(({ path: key }) => key);
      gateway.requests.length = 0;
      return keys.map((key) => key.split('/').slice(-2).join('/'));
    };

    test('reads each manifest and each drill once, and again what has changed', async () => {
      const ids = await fill(storage);
      const bench = statusBench([line], env);
      const cold = await bench.status();
      expect(reads()).toHaveLength(6);
      expect(cache.entries.size).toBe(1);
      const warm = await bench.status();
      expect(reads()).toEqual([]);
      expect(warm.report.findings).toEqual(cold.report.findings);
      expect(warm.report.series[0]?.backups).toEqual(cold.report.series[0]?.backups);
      expect(cache.calls.filter((call) => call === 'CreateCacheEntry')).toHaveLength(1);

      const key = `shop/${ids[4]}/metadata.json`;
      const text = (await readBytes(storage, key)).toString().replace('"keepForever":false', '"keepForever":true');
      await storage.delete(key);
      await writeBytes(storage, key, Buffer.from(text));
      await storage.delete(`shop/${ids[0]}/metadata.json`);
      const changed = await bench.status();
      expect(reads()).toEqual([`${ids[4]}/metadata.json`]);
      expect(changed.report.series[0]?.backups.map(({ id, keepForever }) => `${id} ${keepForever}`)).toEqual([
        ...ids.slice(1, 4).map((id) => `${id} false`),
        `${ids[4]} true`,
      ]);
    });

    test('remembers what was damaged, and reads it again until it is good', async () => {
      const id = await makeTrueSet(storage, 0);
      const key = `shop/${id}/database.backup.age`;
      const good = await readBytes(storage, key);
      const put = async (bytes: Buffer): Promise<void> => {
        await storage.delete(key);
        await writeBytes(storage, key, bytes);
      };
      const days = [0, 1, 2, 3].map((day) => new Date(NOW.getTime() + day * DAY_MS));
      const due = days.findIndex((day) => isDueToday(id, 4, day));
      const look = async (day: number) =>
        (await statusBench([line], env).status({ verifyStoredDays: 4, now: days[day % 4] as Date })).report.verified;
      await put(Buffer.from(good.map((byte) => byte ^ 1)));
      expect(await look(due)).toMatchObject({ sets: 1, damaged: [id] });
      expect(await look(due + 1)).toMatchObject({ sets: 1, damaged: [id] });
      await put(good);
      expect(await look(due + 2)).toMatchObject({ sets: 1, damaged: [] });
      expect(await look(due + 3)).toMatchObject({ sets: 0, damaged: [] });
    });

    test('that is broken, of another version, refused, silent or switched off goes on without', async () => {
      await fill(storage);
      const bench = statusBench([line], env);
      await bench.status();
      const [entry] = cache.entries.values();
      const good = entry?.blob as Buffer;
      (entry as { blob: Buffer }).blob = good.subarray(0, good.length / 2);
      reads();
      expect((await bench.status()).report.level).toBe('info');
      expect(reads()).toHaveLength(6);
      cache.mood = 'down';
      expect((await bench.status()).report.level).toBe('info');
      expect(reads()).toHaveLength(6);
      cache.mood = 'well';
      (entry as { blob: Buffer }).blob = good;
      expect((await bench.status({ cacheManifests: false })).report.level).toBe('info');
      expect(reads()).toHaveLength(6);
      expect((await bench.status()).report.level).toBe('info');
      expect(reads()).toEqual([]);
    }, 120_000);
  });
});

/** This server does not know conditions. */
function unconditional(statements: readonly (Statement & { Condition?: unknown })[]): Statement[] {
  return statements.map(({ Condition: _, ...statement }) => statement);
}

describeIf(availabilityOf(versitygw), 'The status of a bucket with policies', () => {
  let policies: PolicyServer;
  beforeAll(async () => {
    policies = await startPolicyServer();
  });
  afterAll(() => policies?.stop());

  test('needs what docs/permissions.md grants, all of it, and no other right', async () => {
    const { server } = policies;
    const owner = openLine(server.storageUri(BUCKET, 'postgres'), server.env);
    await fill(owner);
    const [text = ''] = fences(section(readDocument('docs/permissions.md'), 'To look at the status'), 'json');
    const { Statement: statements } = JSON.parse(text) as { Statement: (Statement & { Condition?: unknown })[] };
    const line = server.storageUri(BUCKET, 'postgres');
    for (const { Sid } of statements) {
      await policies.allow(unconditional(statements.filter((each) => each.Sid !== Sid)));
      await expect(statusBench([line], USER_ENV).status(), Sid).rejects.toMatchObject({ code: 'ERR_STORAGE_DENIED' });
    }
    await policies.allow(unconditional(statements));
    expect((await statusBench([line], USER_ENV).status()).report.level).toBe('info');
    expect(codes(await statusBench([line], USER_ENV).status({ verifyStoredDays: 1 }))).toContain(
      'warning stored-unverified',
    );
    await owner.close();
  });
});

test('10,000 sets are looked at in half a minute', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'status-large-'));
  try {
    for (let hours = 0; hours < 10_000; hours += 1) placeSet(root, idOf({ at: daysAgo(hours / 24) }));
    const started = performance.now();
    const { report } = await statusBench([root]).status();
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(report).toMatchObject({ level: 'warning', destinations: [{ sets: 10_000 }] });
    expect(report.series[0]).toMatchObject({ cadenceHours: 1 });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 180_000);
