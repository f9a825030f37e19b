/** Pruning in a bucket: what only object storage has, and what it may refuse. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { describeIf } from '../support/availability.ts';
import { type JudgedServer, startJudgedServer } from '../support/judged-server.ts';
import { idOf, makeUpDrill, makeUpSet, type PruneBench, pruneBench } from '../support/prune-bench.ts';
import { ageFile, auditIn, codes, daysAgo, only, setsIn, versitygw } from '../support/prune-places.ts';
import { availabilityOf, startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { keysOf } from '../support/storage-bench.ts';

describeIf(availabilityOf(versitygw), 'A series in a bucket that is pruned:', () => {
  let judged: JudgedServer<Versitygw>;
  let server: Versitygw;
  let client: S3Client;
  let buckets = 0;
  beforeAll(async () => {
    judged = await startJudgedServer(() => startVersitygw());
    ({ server, client } = judged);
  });
  afterAll(() => judged?.stop());
  beforeEach(() => {
    judged.judge = undefined;
    judged.meanwhile = undefined;
    judged.retell = undefined;
  });

  async function newBucket({ lock = false } = {}): Promise<{ bucket: string; line: string }> {
    const bucket = `prune-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: lock }));
    return { bucket, line: server.storageUri(bucket, 'team', { endpoint: judged.gateway.endpoint }) };
  }

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

  test.each([
    ['says that it goes on, and not where', '<IsTruncated>true</IsTruncated>', /goes on, and not where/],
    ['leaves the rest out without a word', '<IsTruncated>false</IsTruncated>', /that the listing does not name/],
  ])('a listing that ends in the midst of a set and %s costs nothing', async (_what, truncated, words) => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line);
    const before = await keysOf(storage);
    const last = before.findLast((key) => key.endsWith('/metadata.json')) ?? '';
    judged.retell = ({ query }) =>
      query.get('list-type') === '2' && query.get('prefix') === 'team/shop/'
        ? (body) =>
            body
              .replace(new RegExp(`<Contents>(?:(?!</Contents>).)*${last}.*</Contents>`, 's'), '')
              .replace(/<IsTruncated>\w+<\/IsTruncated>/, truncated)
        : undefined;
    const now = new Date(Date.now() + 2 * 86_400_000);
    const result = await bench.prune({ now, policy: { rules: { last: 9 } } });
    expect(only(result).error?.message).toMatch(words);
    expect(await keysOf(storage)).toEqual(before);
  });

  test('a page of another kind is no empty bucket', async () => {
    const { line } = await newBucket();
    const { bench } = await filled(line);
    judged.retell = ({ query }) => (query.has('list-type') ? () => '<html>Please log in</html>' : undefined);
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({
      code: 'ERR_STORAGE',
      message: expect.stringMatching(/listing of .* is no listing/),
    });
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
    judged.judge = ({ query }) =>
      query.has('retention') ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
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
    judged.judge = ({ query }) =>
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
    judged.judge = ({ method }) => {
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
    judged.judge = ({ method, path: key }) =>
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
    judged.judge = undefined;
    await ageFile(path.join(server.dataFolder, bucket, 'team/shop', doomed, 'database.backup.age'), 3);
    expect(only(await bench.prune()).cleared).toEqual([doomed]);
    expect(await setsIn(storage)).toEqual([idOf({ at: daysAgo(1) })]);
  });

  test('deletes metadata.json first', async () => {
    const { line } = await newBucket();
    const { bench } = await filled(line, [2, 1]);
    judged.gateway.requests.length = 0;
    await bench.prune();
    const deletions = judged.gateway.requests
      .filter(({ method }) => method === 'DELETE')
      .map(({ path: key }) => key.split('/').at(-1));
    expect(deletions).toHaveLength(5);
    expect(deletions[0]).toBe('metadata.json');
  });

  test('does not begin without the right to record what it deletes', async () => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line);
    judged.judge = ({ method, path: key }) =>
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
    judged.judge = ({ query }) =>
      query.has('continuation-token') ? { status: 500, code: 'InternalError', message: 'no' } : undefined;
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({ code: 'ERR_STORAGE' });
    expect(only(result)).not.toHaveProperty('plan');
    judged.judge = undefined;
    expect((await setsIn(storage)).filter((name) => name !== 'aa')).toHaveLength(3);
  });

  test('without the right to read a manifest, or records of drills, removes nothing', async () => {
    const { line } = await newBucket();
    const { bench, storage } = await filled(line);
    await makeUpDrill(storage, idOf({ at: daysAgo(3) }), daysAgo(2));
    for (const what of ['metadata.json', '_drills']) {
      judged.judge = ({ method, path: key }) =>
        method === 'GET' && key.includes(what) ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
      expect(only(await bench.prune()).error).toMatchObject({ code: 'ERR_STORAGE_DENIED' });
    }
    expect(await setsIn(storage)).toHaveLength(3);
  });

  test('when the newest proven one vanishes after the listing removes nothing', async () => {
    const { bucket, line } = await newBucket();
    const { bench, storage } = await filled(line);
    const Key = `team/shop/${idOf({ at: daysAgo(1) })}/metadata.json`;
    judged.meanwhile = async ({ query }) => {
      if (query.get('prefix') === Key) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    };
    const result = await bench.prune();
    expect(only(result).error).toMatchObject({ code: 'ERR_PRUNE_LAST_PROVEN' });
    expect(await setsIn(storage)).toHaveLength(3);
  });
});
