/** What failed runs leave in a bucket, and what may be taken away: stale uploads, and objects under Object Lock. */
import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { type JudgedServer, startJudgedServer } from '../support/judged-server.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { denying, lockedBucket } from '../support/s3-profiles.ts';
import { rgwKind } from '../support/s3-rgw.ts';
import { availabilityOf, availableS3Servers, type S3Server } from '../support/s3-servers.ts';
import { keysOf, MIB, openLine, sha256, writeChunked } from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
const DEAD = '20261001_020000_nightly_k3v9qa';
/** Everything on the server was begun before this; ids decide. */
const SOON = new Date(Date.now() + 3_600_000);

for (const kind of [versitygw, rgwKind()]) {
  describeIf(availabilityOf(kind), `A bucket of ${kind?.name} after failed runs`, () => {
    if (kind?.available === true) describeLeftovers(kind.start);
  });
}

function describeLeftovers(start: () => Promise<S3Server>): void {
  let judged: JudgedServer;
  let server: S3Server;
  let client: S3Client;
  let bucket: string;
  let storage: Storage;
  let buckets = 0;

  beforeAll(async () => {
    judged = await startJudgedServer(start);
    ({ server, client } = judged);
  });
  afterAll(() => judged?.stop());
  beforeEach(() => {
    judged.judge = undefined;
    bucket = `bucket-${++buckets}`;
  });

  /** As a run that was killed leaves it: one part, and no end. */
  async function leaveUpload(key: string): Promise<void> {
    const at = { Bucket: bucket, Key: key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
    await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: randomBytes(1_000) }));
  }

  async function unfinished(): Promise<string[]> {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.flatMap(({ Key }) => Key ?? []).sort();
  }

  const open = (options: Record<string, string> = {}): Storage =>
    openLine(
      server.storageUri(bucket, 'team', { 'part-size-mib': '5', endpoint: judged.gateway.endpoint, ...options }),
      server.env,
    );

  describe('with unfinished uploads (partial objects that are billed for ever)', () => {
    beforeEach(async () => {
      await server.createBucket(bucket);
      storage = open();
      return () => storage.close();
    });

    it('is swept of this series’ own stale ones, two of one key as well, and of nobody else’s', async () => {
      const own = [`team/shop/${DEAD}/database.backup.age`, `team/shop/${DEAD}/database.dir/42.dat`];
      const others = [
        `team/shop/${DEAD.replace('k3v9qa', 'illo!u')}/database.backup`,
        `team/shop/holiday/video.mp4`,
        `team/shop2/${DEAD}/database.backup`,
        `shop/${DEAD}/database.backup`,
        'team/shop/20991231_235959_nightly_k3v9qa/database.backup',
      ];
      for (const key of [...own, own[0] ?? '', ...others]) await leaveUpload(key);
      await writeBytes(storage, `shop/${DEAD}/metadata.json`, Buffer.from('{}'));
      const report = await storage.sweep('shop', SOON);
      expect(report.left).toEqual([]);
      expect([...report.removed].sort()).toEqual([...own, own[0] ?? ''].map((key) => key.slice('team/'.length)).sort());
      expect(await unfinished()).toEqual([...others].sort());
      expect(await keysOf(storage)).toEqual([`shop/${DEAD}/metadata.json`]);
    });

    it('keeps those that a concurrent run may still be writing', async () => {
      await leaveUpload(`team/shop/${DEAD}/database.backup`);
      expect(await storage.sweep('shop', new Date(Date.now() - 60_000))).toEqual({ removed: [], left: [] });
      expect(await unfinished()).toHaveLength(1);
    });

    it('is swept beyond the first thousand of somebody else’s', async () => {
      const others = Array.from({ length: 1_002 }, (_, index) => ({ Bucket: bucket, Key: `team/shop/0/${index}` }));
      for (let start = 0; start < others.length; start += 50) {
        const some = others.slice(start, start + 50);
        await Promise.all(some.map((upload) => client.send(new CreateMultipartUploadCommand(upload))));
      }
      await leaveUpload(`team/shop/${DEAD}/database.backup`);
      const report = await storage.sweep('shop', SOON);
      expect(report).toEqual({ removed: [`shop/${DEAD}/database.backup`], left: [] });
    });

    it.each([
      ['look for them', 's3:ListBucketMultipartUploads', denying(({ query }) => query.has('uploads')), 1],
      ['remove them', 's3:AbortMultipartUpload', denying(({ method }) => method === 'DELETE'), 2],
    ])('keeps them when the role may not %s, and says which right is missing', async (_what, right, denied, lines) => {
      for (const name of ['one', 'two']) await leaveUpload(`team/shop/${DEAD}/${name}`);
      judged.judge = denied;
      const report = await storage.sweep('shop', SOON);
      expect(report.removed).toEqual([]);
      expect(report.left).toHaveLength(lines);
      for (const words of report.left) expect(words).toContain(right);
      expect(await unfinished()).toHaveLength(2);
    });
  });

  describe('with Object Lock and a default retention', () => {
    const written = ['database.backup', 'metadata.json'].map((name) => `shop/${DEAD}/${name}`);
    const [archive = '', marker = ''] = written;

    beforeEach(async () => {
      await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
      const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } } as const;
      const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const;
      await client.send(new PutObjectLockConfigurationCommand({ Bucket: bucket, ObjectLockConfiguration }));
    });

    it.each(['md5', 'crc32'])('takes every part and object with a digest (%s)', async (checksum) => {
      judged.judge = lockedBucket;
      const bytes = randomBytes(12 * MIB);
      const locked = open({ checksum });
      await writeChunked(locked, archive, bytes, { onlyIfAbsent: true });
      await writeBytes(locked, marker, Buffer.from('{}'), { onlyIfAbsent: true });
      expect(sha256(await readBytes(locked, archive))).toBe(sha256(bytes));
      await locked.close();
    });

    it('hides what is discarded, and keeps it until its time is over', async () => {
      const locked = open();
      await writeBytes(locked, archive, Buffer.from('1'));
      await locked.delete(archive);
      expect(await keysOf(locked)).toEqual([]);
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
      expect(Versions.map(({ Key }) => Key)).toEqual([`team/${archive}`]);
      await locked.close();
    });

    it('that refuses deletion itself says so by a code that discarding takes for a notice', async () => {
      const locked = open();
      await writeBytes(locked, archive, Buffer.from('1'));
      const message = 'Access Denied because object protected by object lock.';
      judged.judge = ({ method }) => (method === 'DELETE' ? { status: 403, code: 'AccessDenied', message } : undefined);
      expect(await failure(locked.delete(archive))).toMatchObject({ code: 'ERR_STORAGE_DENIED' });
      await locked.close();
    });
  });
}
