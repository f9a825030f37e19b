/** Providers that are overloaded, elsewhere, not to be trusted, or full of what dead runs left: whole runs against them. */

import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import {
  type FolderState,
  type Scenario,
  type ScenarioRun,
  type ScenarioRunOptions,
  startScenario,
} from '../support/backup-scenario.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { BUSY, clientsAndVersitygw, EXPIRED, loadLarge } from '../support/bucket-scenario.ts';
import { expectNothingNew, expectOneNewSet } from '../support/expect-bucket.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { clientOf } from '../support/s3-client.ts';
import { startGateway } from '../support/s3-gateway.ts';
import { startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';

const REGION = 'eu-central-1';
const NOTHING_WRITTEN = 'Nothing was written';
const DEAD = '20261001_020000_nightly_k3v9qa';
const LONG_AGO = new Date('2026-10-01T02:00:00Z');

describeWith(await clientsAndVersitygw(), 'A provider', ({ clients }) => {
  let scenario: Scenario;
  let server: Versitygw;
  let bucket: Bucket;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await loadLarge(scenario);
    server = await startVersitygw({ region: REGION });
    bucket = await newBucket(server, 'backups');
    const first = await backUp();
    expect(first.exitCode, first.maskedLog).toBe(0);
  });
  beforeEach(async () => {
    before = await bucket.state();
  });
  afterAll(async () => {
    bucket?.close();
    await server?.stop();
    await scenario?.stop();
  });

  function backUp(options: ScenarioRunOptions & { query?: Record<string, string> } = {}): Promise<ScenarioRun> {
    const storage = server.storageUri('backups', 'team', { 'part-size-mib': '5', ...options.query });
    return scenario.run({ ...options, inputs: { storage, ...options.inputs }, env: { ...server.env, ...options.env } });
  }

  test('that answers 503 in a storm is asked again, part by part, until it has all of them', async () => {
    const part = (head: string): boolean => /^PUT \S*partNumber=/.test(head);
    const proxy = await startFaultProxy(server, { answerTo: { request: part, times: 5, response: BUSY } });
    try {
      const run = await backUp({
        query: { endpoint: `http://${proxy.host}:${proxy.port}` },
        url: scenario.url({ database: 'large' }),
        inputs: { name: 'large', compression: 'none' },
      });
      await expectOneNewSet({ scenario, server, bucket, before }, run);
      expect(proxy.counts.struck).toBe(5);
    } finally {
      await proxy.close();
    }
  });

  test('in another region says which one it is, and what to type, before anything is dumped', async () => {
    const run = await backUp({ query: { region: 'us-west-2' } });
    await expectNothingNew({ scenario, server, bucket, before }, run, {
      code: 'ERR_STORAGE',
      happened: [`the bucket is not in region us-west-2 but in ${REGION}`, 'backups'],
      action: [`?region=${REGION}`],
      safety: NOTHING_WRITTEN,
    });
    expect(run.groups).toEqual(['Preflight']);
  });

  test('with a certificate that is not trusted gets nothing, until ca-file vouches for it', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'certificates-'));
    const { cert, key } = await makeSelfSignedCertificate(folder, ['localhost']);
    const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    const gateway = await startGateway(server, { tls });
    const endpoint = `https://localhost:${gateway.port}`;
    try {
      const refused = await backUp({ query: { endpoint } });
      await expectNothingNew({ scenario, server, bucket, before }, refused, {
        code: 'ERR_STORAGE',
        happened: ['bucket backups', 'the endpoint’s certificate is signed by itself'],
        action: ['?ca-file='],
        safety: NOTHING_WRITTEN,
      });
      expect(gateway.requests).toEqual([]);
      const trusted = await backUp({ query: { endpoint, 'ca-file': cert } });
      await expectOneNewSet({ scenario, server, bucket, before }, trusted);
    } finally {
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  /** As a run that was killed long ago leaves it: one part, and no end. */
  async function leaveUploads(keys: readonly string[]): Promise<void> {
    const client = clientOf(server);
    for (const Key of keys) {
      const at = { Bucket: bucket.name, Key };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
      await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'half' }));
    }
    client.destroy();
    // An upload began when its folder was made.
    const uploads = path.join(server.dataFolder, bucket.name, '.sgwtmp');
    for (const entry of readdirSync(uploads, { recursive: true, withFileTypes: true })) {
      await utimes(path.join(entry.parentPath, entry.name), LONG_AGO, LONG_AGO);
    }
  }

  test('is rid of our own stale uploads and keeps those of others (partial objects, billed for ever)', async () => {
    const own = `team/shop/${DEAD}/database.backup`;
    const others = [`team/shop2/${DEAD}/database.backup`, 'team/shop/holiday/video.mp4', 'somebody/else.bin'];
    await leaveUploads([own, ...others]);
    const run = await backUp();
    await expectOneNewSet({ scenario, server, bucket, before, unfinished: others.length }, run);
    expect(run.maskedLog).toContain(`Removed what a dead run had left of shop/${DEAD}/database.backup`);
    expect(run.annotations).toEqual([]);
  });

  test('whose session token ends in mid-upload says what renews it; what it keeps of the upload is invisible', async () => {
    let ended = false;
    const request = (head: string): boolean => {
      ended ||= /^PUT \S*partNumber=2/.test(head);
      return ended;
    };
    const proxy = await startFaultProxy(server, { answerTo: { request, times: 1000, response: EXPIRED } });
    const uploads = await bucket.unfinishedUploads();
    try {
      const run = await backUp({
        query: { endpoint: `http://${proxy.host}:${proxy.port}` },
        url: scenario.url({ database: 'large' }),
        inputs: { name: 'large', compression: 'none' },
      });
      await expectNothingNew({ scenario, server, bucket, before, unfinished: uploads + 1 }, run, {
        code: 'ERR_CREDENTIALS_EXPIRED',
        happened: ['expired'],
        action: ['aws-role-to-assume'],
        safety: 'Nothing of this backup became visible',
      });
      expect(run.maskedLog).toMatch(/^##\[warning\].*invisible but billed.*AbortIncompleteMultipartUpload/m);
    } finally {
      await proxy.close();
    }
  });
});
