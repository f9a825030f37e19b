/** policy-prune.json of docs/setup/aws.md, on a server that enforces policies and locks. */
import { CreateBucketCommand, PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { namedFile, readDocument, section, tableRows } from '../support/markdown.ts';
import { makeUpDrill, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { clientOf } from '../support/s3-client.ts';
import { availabilityOf, availableS3Servers, startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { keysOf } from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
const USER = { accessKeyId: 'PRUNEROLEKEY', secretAccessKey: 'secret-of-the-prune-role' };
const BUCKET = 'acme-backups';

interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
}

const { Statement: STATEMENTS } = JSON.parse(namedFile('docs/setup/aws.md', 'policy-prune.json')) as {
  Statement: Statement[];
};
const GRANTED = STATEMENTS.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
const EXPLAINED = tableRows(section(readDocument('docs/permissions.md'), 'To prune'));
/** Without these nothing is removed; the others are missed with a word at most. */
const NEEDED = [
  's3:ListBucket',
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:GetObjectRetention',
  's3:GetObjectLegalHold',
];

test('docs/permissions.md explains every right of the policy', () => {
  const explained = EXPLAINED.flatMap(([right = '']) => [...right.matchAll(/`(s3:\w+)`/g)].map(([, name]) => name));
  expect([...new Set(explained)].sort()).toEqual([...new Set(GRANTED)].sort());
});

describeIf(availabilityOf(versitygw), 'policy-prune.json', () => {
  let server: Versitygw;
  let owner: S3Client;
  let storage: Storage;
  beforeAll(async () => {
    server = await startVersitygw({ user: USER });
    owner = clientOf(server);
    await owner.send(new CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
    [storage] = pruneBench([server.storageUri(BUCKET, 'postgres')], server.env).storages as [Storage];
  });
  afterAll(async () => {
    await storage?.close();
    owner?.destroy();
    await server?.stop();
  });

  async function allow(without = ''): Promise<void> {
    const Statement = STATEMENTS.map((each) => ({
      ...each,
      Action: [each.Action].flat().filter((action) => each.Effect === 'Deny' || action !== without),
      Principal: { AWS: [USER.accessKeyId] },
    })).filter(({ Action }) => Action.length > 0);
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await owner.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
  }

  const finished = async (): Promise<number> =>
    (await keysOf(storage)).filter((key) => key.endsWith('/metadata.json')).length;

  /** Three sets, of which one was brought back; the policy keeps the newest and that one. */
  async function prune(series: string) {
    const at = (day: number): string => `2026-01-0${day}T02:00:00Z`;
    for (const day of [1, 2, 3]) {
      const id = await makeUpSet(storage, { at: at(day), series });
      if (day === 1) await makeUpDrill(storage, id, at(day), series);
    }
    const env = {
      AWS_ACCESS_KEY_ID: USER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: USER.secretAccessKey,
      AWS_REGION: server.region,
    };
    const { destinations, findings } = await pruneBench([server.storageUri(BUCKET, 'postgres')], env).prune({ series });
    return { findings, destination: destinations[0] };
  }

  test('is enough to prune a bucket with Object Lock', async () => {
    await allow();
    const { destination: done } = await prune('enough');
    expect(done?.error).toBeUndefined();
    expect(done).toMatchObject({ removed: [expect.stringContaining('20260102')], left: [] });
  });

  test.each(NEEDED)('without %s removes nothing and names the right', async (right) => {
    await allow(right);
    const before = await finished();
    const { destination: done } = await prune(`without-${right.slice(3).toLowerCase()}`);
    expect(done?.error).toMatchObject({ code: 'ERR_STORAGE_DENIED', message: expect.stringContaining(right) });
    expect(done?.removed).toEqual([]);
    expect(await finished()).toBe(before + 3);
  });

  test.each(GRANTED.filter((right) => !NEEDED.includes(right)))('without %s prunes all the same', async (right) => {
    await allow(right);
    const { destination: done } = await prune(`although-${right.slice(3).toLowerCase()}`);
    expect(done?.error).toBeUndefined();
    expect(done?.removed).toHaveLength(1);
  });

  test('keeps old records that it may not delete, with a notice, and removes the others', async () => {
    await allow();
    const old = 'records/_audit/20200101_020000_k3v9qa.started.json';
    const check = 'records/_checks/20200101_020000_k3v9qa.json';
    for (const key of [old, check]) await writeBytes(storage, key, Buffer.from('{}'));
    const { findings, destination } = await prune('records');
    expect(destination?.error).toBeUndefined();
    expect(destination).toMatchObject({ removed: [expect.any(String)], records: 1 });
    expect(findings.find(({ code }) => code === 'records-stay')?.seen).toMatch(
      /^1 record older than two years stays in /,
    );
    const keys = await keysOf(storage);
    expect(keys).toContain(old);
    expect(keys).not.toContain(check);
  });
});
