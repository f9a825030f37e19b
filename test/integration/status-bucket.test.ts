/** The status of a bucket: what it asks for, and what it needs to be allowed. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { describeIf } from '../support/availability.ts';
import type { JudgedServer } from '../support/judged-server.ts';
import { fences, readDocument, section } from '../support/markdown.ts';
import { BUCKET, type PolicyServer, type Statement, startPolicyServer, USER_ENV } from '../support/policy-server.ts';
import { idOf, pruneBench } from '../support/prune-bench.ts';
import { availabilityOf, availableS3Servers, type Versitygw } from '../support/s3-servers.ts';
import { statusBench } from '../support/status-bench.ts';
import { isList, type StatusBucket, type StatusBuckets, startStatusBuckets } from '../support/status-bucket.ts';
import { codes, daysAgo, fill, placeSet } from '../support/status-storages.ts';
import { openLine } from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();

describeIf(availabilityOf(versitygw), 'The status of a bucket', () => {
  let buckets: StatusBuckets;
  let judged: JudgedServer;
  let server: Versitygw;
  let bucket: StatusBucket;
  let storage: Storage;
  let line: string;
  beforeAll(async () => {
    buckets = await startStatusBuckets();
    ({ judged, server } = buckets);
  });
  beforeEach(async () => {
    bucket = await buckets.next();
    ({ storage, line } = bucket);
    return () => storage.close();
  });
  afterAll(() => buckets?.stop());

  test('reads listings and documents alone, each once', async () => {
    await fill(storage);
    expect((await statusBench([line], server.env).status()).report.level).toBe('info');
    const { requests } = judged.gateway;
    expect([...new Set(requests.map(({ method }) => method))]).toEqual(['GET']);
    expect(requests.filter(isList)).toHaveLength(1);
    expect(requests.filter((request) => !isList(request))).toHaveLength(6);
  });

  test('of which page 3 of 12 cannot be listed is no status; beside another destination that one is not looked at', async () => {
    const ids = Array.from({ length: 2_400 }, (_, hours) => idOf({ at: daysAgo(hours / 24) }));
    for (const id of ids) placeSet(path.join(server.dataFolder, bucket.name, 'team'), id);
    const root = await mkdtemp(path.join(os.tmpdir(), 'status-'));
    const [good] = pruneBench([root]).storages as [Storage];
    await fill(good);
    let pages = 0;
    judged.judge = (request) => {
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
    judged.judge = undefined;
    judged.gateway.requests.length = 0;
    const whole = await statusBench([line], server.env).status();
    expect(whole.report.destinations).toMatchObject([{ sets: 2_400 }]);
    expect(judged.gateway.requests.filter(isList)).toHaveLength(12);
    await rm(root, { recursive: true, force: true });
  }, 120_000);

  test('of which a manifest may not be read is not looked at', async () => {
    await fill(storage);
    judged.judge = ({ path: key }) =>
      key.endsWith('/metadata.json') ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
    await expect(statusBench([line], server.env).status()).rejects.toMatchObject({
      code: 'ERR_STORAGE_DENIED',
      message: expect.stringContaining('s3:GetObject'),
    });
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
