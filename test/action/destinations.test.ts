/** Two destinations in one pass: each holds the whole set, and one that fails costs its copy alone. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import type { FolderState, Scenario, ScenarioRun, ScenarioRunOptions } from '../support/backup-scenario.ts';
import type { Bucket } from '../support/bucket.ts';
import {
  BUSY,
  type BucketScenario,
  clientsAndVersitygw,
  DENIED,
  isManifestWrite,
  isWrite,
  NO_ROOM,
  startBucketScenario,
} from '../support/bucket-scenario.ts';
import {
  type ExpectedFailure,
  expectFailureWords,
  expectNoResult,
  expectNoSecret,
  expectTidy,
  readable,
} from '../support/expect-run.ts';
import type { FaultProxy, Faults } from '../support/fault-proxy.ts';
import type { S3Server } from '../support/s3-servers.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';

const MIB = 1024 * 1024;

describeWith(await clientsAndVersitygw(), 'Of two destinations', ({ clients }) => {
  let started: BucketScenario;
  let scenario: Scenario;
  let server: S3Server;
  let bucket: Bucket;
  let proxy: FaultProxy;
  let bucketBefore: FolderState;
  let folderBefore: FolderState;

  beforeAll(async () => {
    started = await startBucketScenario(clients);
    ({ scenario, server, bucket, proxy } = started);
    expect((await backUp('first')).exitCode).toBe(0);
  });
  beforeEach(async () => {
    bucketBefore = await bucket.state();
    folderBefore = scenario.state();
  });
  afterEach(() => proxy.set({}));
  afterAll(async () => {
    await started?.stop();
  });

  type Place = 'first' | 'second';

  /** Backs up 14 MiB to the bucket behind the proxy, as the first or second destination, and to the directory. */
  function backUp(
    place: Place,
    options: ScenarioRunOptions & { query?: Record<string, string>; bucket?: string } = {},
  ) {
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const uri = server.storageUri(options.bucket ?? 'backups', 'team', {
      endpoint,
      'part-size-mib': '5',
      ...options.query,
    });
    const lines = place === 'first' ? [uri, scenario.storage] : [scenario.storage, uri];
    return scenario.run({
      ...options,
      url: scenario.url({ database: 'large' }),
      inputs: { name: 'large', compression: 'none', storage: lines.join('\n'), ...options.inputs },
      env: { ...server.env, ...options.env },
    });
  }

  function newKeys(after: FolderState, before: FolderState): string[] {
    for (const [key, sha256] of before) expect(after.get(key)).toBe(sha256);
    return [...after.keys()].filter((key) => !before.has(key) && after.get(key) !== '');
  }

  /** The directory's new set, whose bytes are what its manifest says. */
  function newSetInDirectory(): Manifest {
    const fresh = newKeys(scenario.state(), folderBefore);
    const marker = fresh.find((key) => key.endsWith('/metadata.json')) ?? '';
    const manifest: Manifest = JSON.parse(readFileSync(path.join(scenario.storage, marker), 'utf8'));
    expect(fresh).toHaveLength(manifest.objects.length + 1);
    for (const { name, sha256 } of manifest.objects) {
      expect(scenario.state().get(path.join(path.dirname(marker), name))).toBe(sha256);
    }
    return manifest;
  }

  /** Red, names the bucket, and the directory holds a proven set all the same. */
  async function expectBucketLost(run: ScenarioRun, expected: Omit<ExpectedFailure, 'safety'>): Promise<Manifest> {
    expectFailureWords(run, { ...expected, safety: 'The backup is complete and proven here' });
    expect(run.summary).toContain('Incomplete backup');
    const [issue] = run.github.issues;
    expect(issue?.title).toContain('is missing at 1 of several destinations');
    expect(readable(issue?.body ?? '')).toContain(` old: ${run.outputs['backup-id']}, in ${scenario.storage}`);
    expect(run.outputs.verdict).toBe('unproven');
    expect(run.outputs['backup-uri']?.startsWith(scenario.storage)).toBe(true);
    expect(JSON.parse(run.outputs.findings ?? '[]')[0]).toMatchObject({ code: 'destination-lost', severity: 'error' });
    const manifest = newSetInDirectory();
    expect(manifest.verdict).toBe('proven');
    await expectTidy(scenario, run);
    expectNoSecret(run, [server.secretAccessKey]);
    return manifest;
  }

  async function expectNothingInBucket(): Promise<void> {
    expect(newKeys(await bucket.state(), bucketBefore)).toEqual([]);
    expect(await bucket.unfinishedUploads()).toBe(0);
  }

  test('each holds the same bytes, a guide of its own, and a manifest that is true of it', async () => {
    const run = await backUp('second', {
      inputs: { 'age-passphrase': 'seven words of a long phrase', encryption: 'age' },
    });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('proven');
    expect(run.outputs['backup-uri']?.startsWith(scenario.storage)).toBe(true);
    const here = newSetInDirectory();
    const bucketState = await bucket.state();
    const fresh = newKeys(bucketState, bucketBefore);
    const marker = fresh.find((key) => key.endsWith('/metadata.json')) ?? '';
    const there: Manifest = JSON.parse((await bucket.read(marker)).toString('utf8'));
    for (const { name, sha256 } of there.objects)
      expect(bucketState.get(path.join(path.dirname(marker), name))).toBe(sha256);
    const shared = (manifest: Manifest) =>
      manifest.objects.filter(({ role }) => role !== 'restore-guide').map(({ name, sha256 }) => ({ name, sha256 }));
    expect(shared(there)).toEqual(shared(here));
    expect({ ...there, objects: [], totals: 0 }).toEqual({ ...here, objects: [], totals: 0 });
    const guide = (await bucket.read(marker.replace('metadata.json', 'RESTORE.md'))).toString('utf8');
    expect(guide).toContain('s3://backups/team');
    expect(guide).not.toContain(scenario.storage);
    for (const words of [scenario.storage, 's3://backups/team']) expect(readable(run.summary)).toContain(words);
    await expectTidy(scenario, run);
  });

  describe.each(['first', 'second'] as const)('the %s', (place) => {
    test('is down: the other holds the backup, and the run is red and names it', async () => {
      proxy.set({ refuse: true });
      const run = await backUp(place, { inputs: { 'stall-timeout-seconds': '5' } });
      await expectBucketLost(run, {
        code: ['ERR_STORAGE', 'ERR_STORAGE_STALLED'],
        happened: ['s3://backups/team'],
        action: ['endpoint'],
      });
      await expectNothingInBucket();
    });

    test('is full: its quota is used up', async () => {
      proxy.set({ answerTo: { request: isWrite, times: 1000, response: NO_ROOM } });
      const run = await backUp(place);
      await expectBucketLost(run, {
        code: 'ERR_STORAGE_FULL',
        happened: ['s3://backups/team', 'the provider has no room left (QuotaExceeded)'],
        action: ['Free or buy space'],
      });
      await expectNothingInBucket();
    });

    test('is wrong: no such bucket', async () => {
      const run = await backUp(place, { bucket: 'no-such-bucket' });
      await expectBucketLost(run, {
        code: 'ERR_STORAGE_MISSING',
        happened: ['s3://no-such-bucket/team', 'there is no such bucket'],
        action: ['Create the bucket'],
      });
    });

    test('is wrong: not its secret', async () => {
      const run = await backUp(place, { env: { AWS_SECRET_ACCESS_KEY: 'wr0ng/secret+key=0123456789' } });
      await expectBucketLost(run, {
        code: 'ERR_STORAGE_AUTH',
        happened: ['s3://backups/team', 'the secret access key is wrong'],
        action: ['AWS_SECRET_ACCESS_KEY'],
      });
      await expectNothingInBucket();
    });

    test.each<[string, Faults]>([
      ['breaks off in mid-upload', { direction: 'to-server', resetAfter: 3 * MIB }],
      ['stalls in mid-upload', { direction: 'to-server', blackholeAfter: 3 * MIB }],
    ])('%s and is given up', async (_what, faults) => {
      proxy.set(faults);
      const run = await backUp(place, { inputs: { 'stall-timeout-seconds': '3' } });
      await expectBucketLost(run, {
        code: ['ERR_STORAGE', 'ERR_STORAGE_STALLED'],
        happened: ['s3://backups/team'],
        action: [/run( the backup)? again/],
      });
      proxy.set({});
      expect(newKeys(await bucket.state(), bucketBefore)).toEqual([]);
    });

    test('refuses the last object: what it held already is taken back', async () => {
      proxy.set({
        answerTo: { request: isManifestWrite, times: 1000, response: DENIED },
      });
      const run = await backUp(place);
      await expectBucketLost(run, {
        code: 'ERR_STORAGE_DENIED',
        happened: ['s3://backups/team', 'metadata.json'],
        action: ['Allow s3:PutObject'],
      });
      await expectNothingInBucket();
    });

    test('may have taken the manifest: its objects stay, and the words say that it is not certain', async () => {
      proxy.set({
        answerTo: { request: isManifestWrite, times: 1000, response: BUSY },
      });
      const run = await backUp(place);
      await expectBucketLost(run, { code: 'ERR_STORAGE', happened: ['s3://backups/team', 'not certain'], action: [] });
      proxy.set({});
      const kept = newKeys(await bucket.state(), bucketBefore).map((key) => path.basename(key));
      expect(kept.sort()).toEqual(['RESTORE.md', 'contents.json', 'database.backup', 'globals.sql']);
    });
  });

  test('the second lost before its manifest is told of in the manifest of the first, without its name', async () => {
    const run = await backUp('second', { bucket: 'no-such-bucket' });
    const manifest = newSetInDirectory();
    expect(manifest.warnings).toEqual([
      { code: 'destination-lost', message: '1 of the 2 destinations of this run failed before it was done' },
    ]);
    expect(run.exitCode).toBe(1);
  });

  test('both fail: nothing is visible anywhere, and the words name both', async () => {
    proxy.set({ refuse: true });
    const blocked = path.join(scenario.folder, 'blocked');
    writeFileSync(blocked, 'a file, not a folder');
    const uri = server.storageUri('backups', 'team', { endpoint: `http://${proxy.host}:${proxy.port}` });
    const storage = [uri, path.join(blocked, 'backups')].join('\n');
    const run = await backUp('first', { inputs: { storage, 'stall-timeout-seconds': '5' } });
    expectFailureWords(run, {
      code: ['ERR_STORAGE', 'ERR_STORAGE_STALLED'],
      happened: ['No destination could be written', path.join(blocked, 'backups')],
      action: [],
    });
    expectNoResult(run);
    await expectTidy(scenario, run);
    proxy.set({});
    await expectNothingInBucket();
  });

  test('the first lost and the manifest of the second uncertain: the words say where to look for it', async () => {
    proxy.set({ answerTo: { request: isManifestWrite, times: 1000, response: BUSY } });
    const blocked = path.join(scenario.folder, 'blocked');
    writeFileSync(blocked, 'a file, not a folder');
    const uri = server.storageUri('backups', 'team', { endpoint: `http://${proxy.host}:${proxy.port}` });
    const run = await backUp('second', { inputs: { storage: [path.join(blocked, 'backups'), uri].join('\n') } });
    expectFailureWords(run, {
      code: 'ERR_STORAGE',
      happened: ['No destination could be written'],
      safety: 'look whether s3://backups/team/large/',
      action: [],
    });
  });

  test('another database in the second is refused like one in the first', async () => {
    const other = path.join(scenario.folder, 'other');
    mkdirSync(other);
    const alone = await scenario.run({ inputs: { name: 'large', storage: other } });
    expect(alone.exitCode, alone.maskedLog).toBe(0);
    const run = await backUp('first', { inputs: { storage: [scenario.storage, other].join('\n') } });
    expectFailureWords(run, {
      code: 'ERR_SOURCE_CHANGED',
      happened: ['holds backups of another database'],
      action: ['accept-new-source'],
    });
    expect(scenario.state()).toEqual(folderBefore);
    await expectTidy(scenario, run);
  });

  describeIf(canMount(), 'one', () => {
    test.each(['first', 'second'])('that runs full as the %s is given up, and left empty', async (place) => {
      const small = path.join(scenario.folder, `small-${place}`);
      mkdirSync(small);
      const unmount = mountSmall(small, 6);
      try {
        const lines = place === 'first' ? [small, scenario.storage] : [scenario.storage, small];
        const run = await backUp('first', { inputs: { storage: lines.join('\n') } });
        await expectBucketLost(run, { code: 'ERR_STORAGE_FULL', happened: [small, 'full'], action: ['Free space'] });
      } finally {
        unmount();
      }
    });
  });
});
