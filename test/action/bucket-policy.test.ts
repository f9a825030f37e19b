/** The policy for backups of docs/setup/aws.md on a server that enforces policies, and what each right in it is for. */
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { DENIED } from '../support/bucket-scenario.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { expectFailureWords, expectTidy } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { namedFile, readDocument, section, tableRows } from '../support/markdown.ts';
import {
  BUCKET,
  type PolicyServer,
  type Statement,
  startPolicyServer,
  USER,
  USER_ENV,
} from '../support/policy-server.ts';
import { clientOf } from '../support/s3-client.ts';
import { availableS3Servers } from '../support/s3-servers.ts';

const { Statement: STATEMENTS } = JSON.parse(namedFile('docs/setup/aws.md', 'policy-backup.json')) as {
  Statement: Statement[];
};
const RIGHTS = tableRows(section(readDocument('docs/permissions.md'), 'To back up')).map(
  ([right = '']) => /`(s3:\w+)`/.exec(right)?.[1] ?? '',
);

async function needs(): Promise<Clients | { skipped: string }> {
  const versitygw = (await availableS3Servers()).find(({ name }) => name === 'versitygw');
  return versitygw?.available === false ? { skipped: versitygw.reason } : clientTools(17);
}

test('the table explains every right of the policy, and one that is not in it', () => {
  const granted = STATEMENTS.flatMap(({ Action }) => Action);
  expect(RIGHTS.toSorted()).toEqual([...granted, 's3:DeleteObject'].sort());
});

describeWith(await needs(), 'The policy for backups of docs/setup/aws.md', (clients) => {
  let scenario: Scenario;
  let s3: PolicyServer;

  beforeAll(async () => {
    const sql = `CREATE TABLE large AS SELECT md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 180000) g`;
    scenario = await startScenario(clients, { sql });
    s3 = await startPolicyServer();
  });
  afterAll(async () => {
    await s3?.stop();
    await scenario?.stop();
  });
  beforeEach(() => allow());

  /** The document's policy for the one user, less some rights or with more statements. */
  async function allow({ without = '', more = [] as Statement[] } = {}): Promise<void> {
    const statements = STATEMENTS.map((each) => ({
      ...each,
      Action: [each.Action].flat().filter((action) => action !== without),
    })).filter(({ Action }) => Action.length > 0);
    await s3.allow([...statements, ...more]);
  }

  async function backup(options: Record<string, string> = {}): Promise<ScenarioRun> {
    const storage = s3.server.storageUri(BUCKET, 'postgres', { 'part-size-mib': '5', ...options });
    const run = await scenario.run({ inputs: { storage, compression: 'none' }, env: USER_ENV });
    await expectTidy(scenario, run);
    return run;
  }

  function expectProven(run: ScenarioRun): void {
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('proven');
  }

  const titles = (run: ScenarioRun): string[] => run.annotations.map(({ title }) => title);

  test('is enough for a proven backup of several parts, and for comparing it with the one before', async () => {
    expectProven(await backup());
    const run = await backup();
    expectProven(run);
    expect(titles(run)).toEqual([]);
    expect(run.maskedLog).toMatch(/newest backup \d{8}_\d{6}_\w+, proven/);
    expect(await s3.bucket.unfinishedUploads()).toBe(0);
  });

  test('is not enough to read or remove what is stored', async () => {
    const key = (await s3.bucket.keys()).find((each) => each.endsWith('/database.backup'));
    expect(key).toBeDefined();
    const client = clientOf(s3.server, USER);
    const at = { Bucket: BUCKET, Key: key };
    try {
      await expect(client.send(new GetObjectCommand(at))).rejects.toThrow(/denied/i);
      await expect(client.send(new DeleteObjectCommand(at))).rejects.toThrow(/denied/i);
    } finally {
      client.destroy();
    }
  });

  test('fails without s3:PutObject, names it, and leaves nothing visible', async () => {
    const before = await s3.bucket.state();
    await allow({ without: 's3:PutObject' });
    const run = await backup();
    expectFailureWords(run, {
      code: 'ERR_STORAGE_DENIED',
      happened: ['s3:PutObject'],
      action: ['Allow s3:PutObject'],
      safety: 'Nothing of this backup became visible',
    });
    expect(await s3.bucket.state()).toEqual(before);
    expect(await s3.bucket.unfinishedUploads()).toBe(0);
  });

  test.each(['s3:ListBucket', 's3:GetObject'])('is proven without %s, with a notice', async (right) => {
    const before = await s3.bucket.state();
    await allow({ without: right });
    const run = await backup();
    expectProven(run);
    expect(titles(run)).toEqual(['history-unreadable']);
    expect(run.annotations[0]?.message).toContain(`Grant ${right}`);
    const after = await s3.bucket.state();
    for (const [key, sha256] of before) expect(after.get(key)).toBe(sha256);
    expect(after.size).toBe(before.size + 5);
  });

  test('is proven without s3:ListBucketMultipartUploads', async () => {
    await allow({ without: 's3:ListBucketMultipartUploads' });
    expectProven(await backup());
  });

  test('warns without s3:AbortMultipartUpload of parts that stay behind', async () => {
    await allow({ without: 's3:AbortMultipartUpload' });
    const secondPart = (head: string) => /^PUT \S*partNumber=2/.test(head);
    const proxy = await startFaultProxy(s3.server, {
      answerTo: { request: secondPart, times: 1, response: DENIED },
    });
    try {
      const run = await backup({ endpoint: `http://${proxy.host}:${proxy.port}` });
      expectFailureWords(run, {
        code: 'ERR_STORAGE_DENIED',
        happened: ['s3:PutObject'],
        action: ['Allow s3:PutObject'],
      });
      expect(run.maskedLog).toMatch(/^##\[warning\].*invisible but billed.*AbortIncompleteMultipartUpload/m);
      expect(await s3.bucket.unfinishedUploads()).toBe(1);
    } finally {
      await proxy.close();
    }
  });

  test('leaves objects without a metadata.json behind when a run fails late, because it may not delete', async () => {
    const before = await s3.bucket.keys();
    const Resource = `arn:aws:s3:::${BUCKET}/postgres/*/metadata.json`;
    await allow({ more: [{ Sid: 'Late', Effect: 'Deny', Action: ['s3:PutObject'], Resource }] });
    const run = await backup();
    expectFailureWords(run, { code: 'ERR_STORAGE_DENIED', happened: ['metadata.json'], action: ['s3:PutObject'] });
    expect(run.maskedLog).toContain('this role may not delete');
    const left = (await s3.bucket.keys()).filter((key) => !before.includes(key)).map((key) => key.split('/').at(-1));
    expect(left.sort()).toEqual(['RESTORE.md', 'contents.json', 'database.backup', 'globals.sql']);
  });
});
