/** The bucket policy of docs/permissions.md on a server that enforces policies, and what each right in it is for. */
import { DeleteObjectCommand, GetObjectCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { expectFailureWords, expectTidy } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { fences, readDocument, section, tableRows } from '../support/markdown.ts';
import { availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';

const USER = { accessKeyId: 'BACKUPROLEKEY', secretAccessKey: 'secret-of-the-backup-role' };
const BUCKET = 'acme-backups';
const REFUSAL =
  '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>1</RequestId></Error>';
const DENIED = `HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: ${REFUSAL.length}\r\nConnection: close\r\n\r\n${REFUSAL}`;

interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: string;
}

const amazon = section(readDocument('docs/permissions.md'), 'Amazon S3');
const { Statement: STATEMENTS } = JSON.parse(fences(amazon, 'json')[0] ?? '') as { Statement: Statement[] };
const RIGHTS = tableRows(amazon).map(([right = '']) => /`(s3:\w+)`/.exec(right)?.[1] ?? '');

async function needs(): Promise<Clients | { skipped: string }> {
  const versitygw = (await availableS3Servers()).find(({ name }) => name === 'versitygw');
  return versitygw?.available === false ? { skipped: versitygw.reason } : clientTools(17);
}

test('the table explains every right of the policy, and one that is not in it', () => {
  const granted = STATEMENTS.flatMap(({ Action }) => Action);
  expect(RIGHTS.toSorted()).toEqual([...granted, 's3:DeleteObject'].sort());
});

describeWith(await needs(), 'The bucket policy of docs/permissions.md', (clients) => {
  let scenario: Scenario;
  let server: S3Server;
  let bucket: Bucket;
  let owner: S3Client;

  beforeAll(async () => {
    const sql = `CREATE TABLE large AS SELECT md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 180000) g`;
    scenario = await startScenario(clients, { sql });
    server = await startVersitygw({ user: USER });
    bucket = await newBucket(server, BUCKET);
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    owner = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  });
  afterAll(async () => {
    owner?.destroy();
    bucket?.close();
    await server?.stop();
    await scenario?.stop();
  });
  beforeEach(() => allow());

  /** The document's policy for the one user, less some rights or with more statements. */
  async function allow({ without = '', more = [] as Statement[] } = {}): Promise<void> {
    const statements = STATEMENTS.map((each) => ({
      ...each,
      Action: [each.Action].flat().filter((action) => action !== without),
    })).filter(({ Action }) => Action.length > 0);
    const Principal = { AWS: [USER.accessKeyId] };
    const policy = {
      Version: '2012-10-17',
      Statement: [...statements, ...more].map((each) => ({ ...each, Principal })),
    };
    await owner.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify(policy) }));
  }

  async function backup(options: Record<string, string> = {}): Promise<ScenarioRun> {
    const env = { AWS_ACCESS_KEY_ID: USER.accessKeyId, AWS_SECRET_ACCESS_KEY: USER.secretAccessKey };
    const storage = server.storageUri(BUCKET, 'postgres', { 'part-size-mib': '5', ...options });
    const run = await scenario.run({ inputs: { storage, compression: 'none' }, env });
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
    expect(await bucket.unfinishedUploads()).toBe(0);
  });

  test('is not enough to read or remove what is stored', async () => {
    const key = (await bucket.keys()).find((each) => each.endsWith('/database.backup'));
    expect(key).toBeDefined();
    const { endpoint } = server;
    const client = new S3Client({ endpoint, region: server.region, forcePathStyle: true, credentials: USER });
    const at = { Bucket: BUCKET, Key: key };
    try {
      await expect(client.send(new GetObjectCommand(at))).rejects.toThrow(/denied/i);
      await expect(client.send(new DeleteObjectCommand(at))).rejects.toThrow(/denied/i);
    } finally {
      client.destroy();
    }
  });

  test('fails without s3:PutObject, names it, and leaves nothing visible', async () => {
    const before = await bucket.keys();
    await allow({ without: 's3:PutObject' });
    const run = await backup();
    const words = { happened: ['s3:PutObject'], action: ['Allow s3:PutObject'] };
    expectFailureWords(run, { code: 'ERR_STORAGE_DENIED', ...words });
    expect(await bucket.keys()).toEqual(before);
    expect(await bucket.unfinishedUploads()).toBe(0);
  });

  test.each(['s3:ListBucket', 's3:GetObject'])('is proven without %s, with a notice', async (right) => {
    await allow({ without: right });
    const run = await backup();
    expectProven(run);
    expect(titles(run)).toEqual(['history-unreadable']);
  });

  test('is proven without s3:ListBucketMultipartUploads', async () => {
    await allow({ without: 's3:ListBucketMultipartUploads' });
    expectProven(await backup());
  });

  test('warns without s3:AbortMultipartUpload of parts that stay behind', async () => {
    await allow({ without: 's3:AbortMultipartUpload' });
    const secondPart = (head: string) => /^PUT \S*partNumber=2/.test(head);
    const proxy = await startFaultProxy(server, {
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
      expect(await bucket.unfinishedUploads()).toBe(1);
    } finally {
      await proxy.close();
    }
  });

  test('leaves objects without a metadata.json behind when a run fails late, because it may not delete', async () => {
    const before = await bucket.keys();
    const Resource = `arn:aws:s3:::${BUCKET}/postgres/*/metadata.json`;
    await allow({ more: [{ Sid: 'Late', Effect: 'Deny', Action: ['s3:PutObject'], Resource }] });
    const run = await backup();
    expectFailureWords(run, { code: 'ERR_STORAGE_DENIED', happened: ['metadata.json'], action: ['s3:PutObject'] });
    expect(run.maskedLog).toContain('this role may not delete');
    const left = (await bucket.keys()).filter((key) => !before.includes(key)).map((key) => key.split('/').at(-1));
    expect(left.sort()).toEqual(['RESTORE.md', 'contents.json', 'database.backup', 'globals.sql']);
  });
});
