/** What a status keeps between runs: manifests, records of drills, and what was damaged. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isDueToday } from '../../src/domain/status/verify-share.ts';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { type ActionsCache, startActionsCache } from '../support/actions-cache.ts';
import { describeIf } from '../support/availability.ts';
import type { JudgedServer } from '../support/judged-server.ts';
import { availabilityOf, availableS3Servers, type Versitygw } from '../support/s3-servers.ts';
import { type StatusCall, statusBench } from '../support/status-bench.ts';
import { isList, type StatusBuckets, startStatusBuckets } from '../support/status-bucket.ts';
import { DAY_MS, fill, makeTrueSet, NOW } from '../support/status-storages.ts';

const [versitygw] = await availableS3Servers();

describeIf(availabilityOf(versitygw), 'The status of a bucket with a cache of manifests', () => {
  let buckets: StatusBuckets;
  let judged: JudgedServer;
  let server: Versitygw;
  let storage: Storage;
  let line: string;
  beforeAll(async () => {
    buckets = await startStatusBuckets();
    ({ judged, server } = buckets);
  });
  beforeEach(async () => {
    ({ storage, line } = await buckets.next());
    return () => storage.close();
  });
  afterAll(() => buckets?.stop());

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
    const keys = judged.gateway.requests.filter((request) => !isList(request)).map(({ path: key }) => key);
    judged.gateway.requests.length = 0;
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

  test('remembers when stored bytes were read again, so that weekly runs read all of them within 7 days', async () => {
    const ids: string[] = [];
    for (const days of [0, 1, 2, 3, 4, 5, 6, 7]) ids.push(await makeTrueSet(storage, days));
    const ownDay = ids.filter((id) => isDueToday(id, 7, NOW));
    const look = async (week: number, call: StatusCall = {}) => {
      const now = new Date(NOW.getTime() + week * 7 * DAY_MS);
      const { report } = await statusBench([line], env).status({ verifyStoredDays: 7, now, ...call });
      const paths = new Set(reads());
      const read = ids.filter((id) => paths.has(`${id}/database.backup.age`));
      return { read, codes: report.findings.map(({ code }) => code) };
    };
    expect((await look(0)).read).toEqual(ownDay);
    for (const week of [1, 2]) {
      const { read, codes } = await look(week);
      expect(read).toEqual(ids);
      expect(codes).not.toContain('stored-reading-unknown');
    }
    cache.entries.clear();
    const forgotten = await look(3);
    expect(forgotten.read).toEqual(ownDay);
    expect(forgotten.codes).toContain('stored-reading-unknown');
    expect((await look(4, { cacheManifests: false })).codes).toContain('stored-reading-unknown');
    expect((await look(4)).read).toEqual(ids);
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
