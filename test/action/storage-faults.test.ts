/** Buckets that refuse, break off, damage or vanish: nothing becomes visible that is not whole, and the words say so. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import type { FolderState, Scenario, ScenarioRun, ScenarioRunOptions } from '../support/backup-scenario.ts';
import { type Bucket, newBucket, openBucket } from '../support/bucket.ts';
import {
  BUSY,
  type BucketScenario,
  clientsAndVersitygw,
  DENIED,
  isContentsWrite,
  isManifestWrite,
  isWrite,
  startBucketScenario,
} from '../support/bucket-scenario.ts';
import * as inBucket from '../support/expect-bucket.ts';
import {
  type ExpectedFailure,
  expectFailureWords,
  expectNoResult,
  expectNoSecret,
  expectTidy,
} from '../support/expect-run.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { RunningAction } from '../support/run-action.ts';
import { type S3Server, startVersitygw } from '../support/s3-servers.ts';

const MIB = 1024 * 1024;

describeWith(await clientsAndVersitygw(), 'A bucket', ({ clients }) => {
  let started: BucketScenario;
  let scenario: Scenario;
  let server: S3Server;
  let bucket: Bucket;
  let proxy: FaultProxy;
  let before: FolderState;

  beforeAll(async () => {
    started = await startBucketScenario(clients);
    ({ scenario, server, bucket, proxy } = started);
    for (const run of [await backUp(), await backUpLarge()]) expect(run.exitCode, run.maskedLog).toBe(0);
  });
  beforeEach(async () => {
    proxy.set({});
    Object.assign(proxy.counts, { struck: 0, toServerBytes: 0 });
    before = await bucket.state();
  });
  afterEach(() => proxy.set({}));
  afterAll(async () => {
    await started?.stop();
  });

  function backUp(options: ScenarioRunOptions = {}, name = 'backups'): Promise<ScenarioRun> {
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const storage = server.storageUri(name, 'team', { endpoint, 'part-size-mib': '5' });
    return scenario.run({ ...options, inputs: { storage, ...options.inputs }, env: { ...server.env, ...options.env } });
  }

  /** In several parts. */
  function backUpLarge(options: ScenarioRunOptions = {}): Promise<ScenarioRun> {
    const url = scenario.url({ database: 'large' });
    return backUp({ ...options, url, inputs: { name: 'large', compression: 'none', ...options.inputs } });
  }

  const expectNothingNew = (run: ScenarioRun, expected: ExpectedFailure): Promise<void> =>
    inBucket.expectNothingNew({ scenario, server, bucket, before }, run, expected);
  const expectOneNewSet = (run: ScenarioRun): Promise<void> =>
    inBucket.expectOneNewSet({ scenario, server, bucket, before }, run);

  const NOTHING_WRITTEN = 'Nothing was written';
  const NOTHING_VISIBLE = 'Nothing of this backup became visible';

  test('that does not know the access key says so before anything is dumped', async () => {
    const run = await backUp({ env: { AWS_ACCESS_KEY_ID: 'AKIAWRONGWRONGWRONG0' } });
    await expectNothingNew(run, {
      code: 'ERR_STORAGE_AUTH',
      happened: ['the access key id is unknown there', 'bucket backups'],
      action: ['Check AWS_ACCESS_KEY_ID'],
      safety: NOTHING_WRITTEN,
    });
    expect(run.groups).toEqual(['Preflight']);
  });

  test('that is given a wrong secret says so before anything is dumped', async () => {
    const run = await backUp({ env: { AWS_SECRET_ACCESS_KEY: 'wr0ng/secret+key=0123456789' } });
    await expectNothingNew(run, {
      code: 'ERR_STORAGE_AUTH',
      happened: ['the secret access key is wrong'],
      action: ['AWS_SECRET_ACCESS_KEY'],
      safety: NOTHING_WRITTEN,
    });
    expectNoSecret(run, ['wr0ng/secret+key=0123456789']);
    expect(run.groups).toEqual(['Preflight']);
  });

  test('that does not exist is named before anything is dumped', async () => {
    const run = await backUp({}, 'no-such-bucket');
    await expectNothingNew(run, {
      code: 'ERR_STORAGE_MISSING',
      happened: ['bucket no-such-bucket', 'there is no such bucket'],
      action: ['Create the bucket', 'correct its name'],
      safety: NOTHING_WRITTEN,
    });
    expect(run.groups).toEqual(['Preflight']);
  });

  test('of a server that takes no writes names the right that is missing', async () => {
    const readOnly = await startVersitygw({ readOnlyWith: ['locked'] });
    const locked = openBucket(readOnly, 'locked');
    try {
      const run = await scenario.run({ inputs: { storage: readOnly.storageUri('locked', 'team') }, env: readOnly.env });
      await expectNothingNew(run, {
        code: 'ERR_STORAGE_DENIED',
        happened: ['s3:PutObject on arn:aws:s3:::locked/team/*'],
        action: ['Allow s3:PutObject on arn:aws:s3:::locked/team/*'],
        safety: NOTHING_VISIBLE,
      });
      expect(await locked.keys()).toEqual([]);
    } finally {
      locked.close();
      await readOnly.stop();
    }
  });

  test('into which this role may not write keeps what it has', async () => {
    proxy.set({ answerTo: { request: isWrite, times: 1000, response: DENIED } });
    await expectNothingNew(await backUpLarge(), {
      code: 'ERR_STORAGE_DENIED',
      happened: ['s3:PutObject', 'is not allowed for these credentials'],
      action: ['Allow s3:PutObject'],
      safety: NOTHING_VISIBLE,
    });
  });

  test('whose connections are reset in mid-part gets every part in the end', async () => {
    proxy.set({ direction: 'to-server', resetAfter: 3 * MIB, strikes: 3 });
    await expectOneNewSet(await backUpLarge());
    expect(proxy.counts.struck).toBe(3);
  });

  test('that stands still once is tried again on another connection', async () => {
    proxy.set({ direction: 'to-server', blackholeAfter: 3 * MIB, strikes: 1 });
    await expectOneNewSet(await backUpLarge({ inputs: { 'stall-timeout-seconds': '2' } }));
    expect(proxy.counts.struck).toBe(1);
  });

  test('that stands still at every try ends the run', async () => {
    proxy.set({ direction: 'to-server', blackholeAfter: 3 * MIB });
    await expectNothingNew(await backUpLarge({ inputs: { 'stall-timeout-seconds': '2' } }), {
      code: 'ERR_STORAGE_STALLED',
      happened: ['the connection stood still, and did so again at every retry'],
      action: ['Check the way to the endpoint'],
      safety: NOTHING_VISIBLE,
    });
  });

  test('that a byte reaches damaged refuses it, and gets it whole in the end', async () => {
    proxy.set({ direction: 'to-server', flipAt: 3 * MIB, strikes: 1 });
    await expectOneNewSet(await backUpLarge());
    expect(proxy.counts.struck).toBe(1);
  });

  test('that bytes reach damaged at every try holds none of them', async () => {
    proxy.set({ direction: 'to-server', flipAt: 3 * MIB });
    await expectNothingNew(await backUpLarge(), {
      code: 'ERR_STORAGE',
      happened: ['the bytes arrived damaged at every try'],
      action: ['Something between here and the provider changes data', 'https://'],
      safety: NOTHING_VISIBLE,
    });
    expect(proxy.counts.struck).toBeGreaterThan(3);
  });

  test('that takes the manifest but loses its answer holds a complete backup', async () => {
    proxy.set({ loseAnswerTo: { request: isManifestWrite, times: 1 } });
    await expectOneNewSet(await backUp());
    expect(proxy.counts.struck).toBe(1);
  });

  test('that refuses one object of a set is left without the others too', async () => {
    proxy.set({ answerTo: { request: isContentsWrite, times: 1000, response: DENIED } });
    await expectNothingNew(await backUpLarge(), {
      code: 'ERR_STORAGE_DENIED',
      happened: ['contents.json', 's3:PutObject'],
      action: ['Allow s3:PutObject'],
      safety: NOTHING_VISIBLE,
    });
  });

  /** Keys of the new set, which has no manifest and so is no backup. */
  async function expectNoManifest(run: ScenarioRun): Promise<string[]> {
    expectNoResult(run);
    await expectTidy(scenario, run);
    const after = await bucket.state();
    for (const [key, sha256] of before) expect(after.get(key)).toBe(sha256);
    const left = [...after.keys()].filter((key) => !before.has(key));
    expect(left.filter((key) => key.endsWith('metadata.json'))).toEqual([]);
    proxy.set({});
    before = after;
    await expectOneNewSet(await backUp());
    return left.map((key) => key.split('/').at(-1) ?? '');
  }

  const notices = (run: ScenarioRun): string[] =>
    run.annotations.filter(({ kind }) => kind === 'notice').map(({ message }) => message);

  test('from which this role may not delete keeps objects without a manifest, which are no backup', async () => {
    const request = (head: string): boolean => isContentsWrite(head) || head.startsWith('DELETE ');
    proxy.set({ answerTo: { request, times: 1000, response: DENIED } });
    const run = await backUp();
    expectFailureWords(run, {
      code: 'ERR_STORAGE_DENIED',
      happened: ['contents.json'],
      action: ['Allow s3:PutObject'],
      safety: NOTHING_VISIBLE,
    });
    const kept = notices(run);
    expect(await expectNoManifest(run)).toEqual(['database.backup', 'globals.sql']);
    for (const words of kept) expect(words).toMatch(/may stay behind \(this role may not delete\)/);
    expect(kept).toHaveLength(2);
  });

  test('that refuses the manifest for certain is left without the other objects too', async () => {
    proxy.set({ answerTo: { request: isManifestWrite, times: 1000, response: DENIED } });
    await expectNothingNew(await backUp(), {
      code: 'ERR_STORAGE_DENIED',
      happened: ['metadata.json', 's3:PutObject'],
      action: ['Allow s3:PutObject'],
      safety: NOTHING_VISIBLE,
    });
  });

  test('that may have taken the manifest keeps all objects, and the run says that it is not certain', async () => {
    proxy.set({ answerTo: { request: isManifestWrite, times: 1000, response: BUSY } });
    const run = await backUp();
    expectFailureWords(run, {
      code: 'ERR_STORAGE',
      happened: ['metadata.json'],
      action: [],
      safety: 'It is not certain whether this backup became visible',
    });
    expect(notices(run).join()).toContain('is left as it is');
    expect(await expectNoManifest(run)).toEqual(['RESTORE.md', 'contents.json', 'database.backup', 'globals.sql']);
  });

  test('that vanishes before the manifest is written ends the run', async () => {
    const doomed = await newBucket(server, 'doomed');
    let gone: Promise<void> | undefined;
    let isGone = false;
    const request = (head: string): boolean => {
      if (!isManifestWrite(head) && gone === undefined) return false;
      gone ??= doomed.destroy().then(() => {
        isGone = true;
      });
      return !isGone;
    };
    proxy.set({ answerTo: { request, times: 1000, response: BUSY } });
    const run = await backUp({}, 'doomed');
    await gone;
    doomed.close();
    await expectNothingNew(run, {
      code: 'ERR_STORAGE_MISSING',
      happened: ['bucket doomed', 'there is no such bucket'],
      action: ['Create the bucket'],
    });
  });

  test('is left without anything visible when the run is killed in mid-upload', async () => {
    proxy.set({ bytesPerSecond: 4 * MIB });
    let action: RunningAction | undefined;
    const timer = setInterval(() => {
      if (proxy.counts.toServerBytes > 7 * MIB) action?.signal('SIGKILL');
    }, 20);
    const run = await backUpLarge({
      onStart: (running) => {
        action = running;
      },
    }).finally(() => clearInterval(timer));
    expect(run).toMatchObject({ exitCode: null, signal: 'SIGKILL', outputs: {}, summary: '' });
    expect(Object.fromEntries(await bucket.state())).toEqual(Object.fromEntries(before));
    await expectTidy(scenario, run);
    proxy.set({});
    const next = await backUpLarge();
    expect(next.exitCode, next.maskedLog).toBe(0);
  });
});
