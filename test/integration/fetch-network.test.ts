/** Fetching a large set over a network that breaks. The server is real; a proxy in front of it breaks the way. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchArchive } from '../../src/restore/fetch-archive.ts';
import type { FetchParts } from '../../src/restore/fetched.ts';
import { describeIf } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { codes, FetchBench, measured } from '../support/fetch-bench.ts';
import { LARGE_SET, type LargeSet, writeLargeSet } from '../support/large-set.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { availabilityOf, availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';
import { flipByte } from '../support/spoil.ts';
import { MIB, openLine } from '../support/storage-bench.ts';

const [kind] = await availableS3Servers();
const SIZE_MIB = 24;
/** For connections that are open as well as for new ones. */
const DOWN = { refuse: true, resetAfter: 0 };

describeIf(availabilityOf(kind), 'a large set behind a bad network', () => {
  let server: S3Server;
  let folder: string;
  let directory: string;
  let set: LargeSet;
  let keys: { identities: string[] };
  let proxy: FaultProxy;
  let bench: FetchBench;
  let tests = 0;

  beforeAll(async () => {
    server = await startVersitygw();
    folder = await mkdtemp(path.join(os.tmpdir(), 'fetch-'));
    directory = path.join(folder, 'backups');
    (await newBucket(server, 'large')).close();
    const identity = await generateX25519Identity();
    keys = { identities: [identity] };
    const storages = [openLine(server.storageUri('large', 'team'), server.env), openLine(directory, {})];
    set = await writeLargeSet(storages, await identityToRecipient(identity), SIZE_MIB);
    await Promise.all(storages.map((storage) => storage.close()));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(server);
    bench = new FetchBench([lineOf(proxy), directory], { env: server.env, s3: { stallTimeoutMs: 400 } });
    tests += 1;
  });
  afterEach(async () => {
    proxy.set({});
    await bench.close();
    await proxy.close();
  });

  const lineOf = ({ host, port }: FaultProxy): string =>
    server.storageUri('large', 'team', { endpoint: `http://${host}:${port}` });
  const parts = (over: Partial<FetchParts> = {}): FetchParts => bench.parts(path.join(folder, `work-${tests}`), over);
  const archive = () => path.join(directory, LARGE_SET, 'database.backup.age');

  async function fetched(over: Partial<FetchParts> = {}) {
    const selected = await bench.selectSet();
    return { selected, fetch: () => fetchArchive(selected, set.contents, keys, parts(over)) };
  }

  test.each([
    ['a reset', { resetAfter: 7 * MIB }],
    ['an early end', { finAfter: 7 * MIB }],
    ['a stalled socket', { blackholeAfter: 7 * MIB }],
  ])('%s in mid-object: it goes on at the same byte, of the same destination', async (_what, fault) => {
    const { selected, fetch } = await fetched();
    const heads: string[] = [];
    const spy = (head: string): boolean => head.includes('database.backup.age') && heads.push(head) < 0;
    proxy.set({ direction: 'to-client', strikes: 2, ...fault, loseAnswerTo: { request: spy, times: 1 } });
    const result = await fetch();
    if (result.archive.kind !== 'file') throw new Error('it is not a file');
    expect((await measured(result.archive.path)).sha256).toBe(set.sha256);
    expect(proxy.counts.struck).toBe(2);
    expect(result.from).toBe(selected.copies[0].uri);
    expect(result.findings).toEqual([]);
    const starts = heads.map((head) => Number(/^range: bytes=(\d+)-/im.exec(head)?.[1] ?? 0));
    expect(starts[0]).toBe(0);
    expect(starts.slice(1).every((start, index) => start > (starts[index] ?? 0))).toBe(true);
    expect(heads.slice(1).every((head) => /^if-match: /im.test(head))).toBe(true);
  });

  test('a byte that changes on the way: the next destination is taken, from the start', async () => {
    const { selected, fetch } = await fetched();
    proxy.set({ direction: 'to-client', flipAt: 9 * MIB, strikes: 1 });
    const result = await fetch();
    expect(result.from).toBe(selected.copies[1]?.uri);
    expect(codes(result.findings)).toEqual(['copy-damaged']);
    if (result.archive.kind !== 'file') throw new Error('it is not a file');
    expect((await measured(result.archive.path)).sha256).toBe(set.sha256);
  });

  test('a destination that dies in the middle is told, and the next one is taken', async () => {
    const { selected, fetch } = await fetched();
    proxy.set({ direction: 'to-client', resetAfter: 5 * MIB, strikes: 1 });
    const dying = fetch();
    while (proxy.counts.struck === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.set(DOWN);
    const result = await dying;
    expect(result.from).toBe(selected.copies[1]?.uri);
    expect(codes(result.findings)).toEqual(['destination-passed-over']);
    expect(result.findings[0]?.seen).toContain('s3://large/team');
  });

  test('one that says nothing for ever is given up after the limit', async () => {
    bench = new FetchBench([lineOf(proxy), directory], { env: server.env, s3: { stallTimeoutMs: 60_000 } });
    const { selected, fetch } = await fetched({ stallSeconds: 1 });
    proxy.set({ direction: 'to-client', blackholeAfter: 6 * MIB });
    const started = performance.now();
    const result = await fetch();
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(result.from).toBe(selected.copies[1]?.uri);
    expect(result.findings[0]?.seen).toContain('for 1 second');
  });

  test('the last one out of reach: the storage’s own error, with the object’s name', async () => {
    bench = new FetchBench([lineOf(proxy)], { env: server.env });
    const { fetch } = await fetched();
    proxy.set(DOWN);
    const error = await failure(fetch());
    expect(error.code).toMatch(/^ERR_STORAGE/);
    expect(error.message).toContain('database.backup.age');
    expect(error.message).toContain('s3://large/team');
  });

  test('one out of reach and one damaged: both are named', async () => {
    const { fetch } = await fetched();
    proxy.set(DOWN);
    await flipByte(archive());
    try {
      const error = await failure(fetch());
      expect(error.code).toBe('ERR_BACKUP_DAMAGED');
      expect(error.message).toContain('s3://large/team');
      expect(error.message).toContain(directory);
    } finally {
      await flipByte(archive());
    }
  });

  test('a stream over a connection that breaks ends as the archive that was checked', async () => {
    const { fetch } = await fetched({ freeBytes: async () => 0 });
    const result = await fetch();
    if (result.archive.kind !== 'stream') throw new Error('it is no stream');
    proxy.set({ direction: 'to-client', resetAfter: 7 * MIB, strikes: 2 });
    expect((await measured(await result.archive.open())).sha256).toBe(set.sha256);
    expect(proxy.counts.struck).toBe(2);
  });

  test('a stream that is no longer wanted ends its connection', async () => {
    const { fetch } = await fetched({ freeBytes: async () => 0 });
    const result = await fetch();
    if (result.archive.kind !== 'stream') throw new Error('it is no stream');
    const before = proxy.counts.toClientBytes;
    const stream = await result.archive.open();
    await stream.take(1).toArray();
    stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(proxy.counts.toClientBytes - before).toBeLessThan((SIZE_MIB / 2) * MIB);
  });

  test('cancelled in the middle it ends at once with the run’s own reason', async () => {
    const controller = new AbortController();
    bench = new FetchBench([lineOf(proxy)], { env: server.env, signal: controller.signal });
    const { fetch } = await fetched();
    proxy.set({ direction: 'to-client', bytesPerSecond: 4 * MIB });
    const running = fetch();
    running.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const started = performance.now();
    controller.abort(new Error('cancelled by hand'));
    await expect(running).rejects.toThrow('by hand');
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

test('memory does not grow with the archive', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fetch-memory-'));
  try {
    const identity = await generateX25519Identity();
    const storage = openLine(path.join(folder, 'backups'), {});
    const large = await writeLargeSet([storage], await identityToRecipient(identity), 200);
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const bench = new FetchBench([path.join(folder, 'backups')]);
    const selected = await bench.selectSet();
    collectGarbage();
    const before = process.memoryUsage().rss;
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }, 20);
    const keys = { identities: [identity] };
    const fetched = await fetchArchive(selected, large.contents, keys, bench.parts(path.join(folder, 'work')));
    clearInterval(timer);
    expect(fetched.archive.kind).toBe('file');
    // Batches, chunks, and what the collector has not come to.
    expect(peak).toBeLessThan(80 * MIB);
    await flipByte(path.join(folder, 'backups', LARGE_SET, 'database.backup.age'));
    await expect(
      fetchArchive(selected, large.contents, keys, bench.parts(path.join(folder, 'work'))),
    ).rejects.toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
