/** docs/setup/aws.md, typed as it stands, into moto's S3, IAM and STS, which then enforce what it made. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { GetBucketLifecycleConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith, programAvailable } from '../support/availability.ts';
import type { ScenarioRun } from '../support/backup-scenario.ts';
import { RIGHTS, rightsOf } from '../support/bucket-rights.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { type DrillBench, startDrillBench } from '../support/drill-bench.ts';
import { fences, namedFile, readDocument, section } from '../support/markdown.ts';
import { clientOf } from '../support/s3-client.ts';
import { enforceRights, motoKind, startMoto } from '../support/s3-moto.ts';
import type { S3Server } from '../support/s3-servers.ts';
import { runScript, saveFiles, type Typing, typeCommands } from '../support/setup-pages.ts';

const PAGE = 'docs/setup/aws.md';
const BUCKET = 'acme-backups';
const REGION = 'eu-central-1';
const JOBS = ['backup', 'drill', 'restore', 'prune', 'status'] as const;
type Job = (typeof JOBS)[number];

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

async function needs(): Promise<Clients | { skipped: string }> {
  const aws = programAvailable('aws', ['--version'], 'pip install awscli');
  if (aws !== true) return aws;
  const moto = await motoKind();
  return moto.available ? clientTools(17) : { skipped: moto.reason };
}

describeWith(await needs(), 'docs/setup/aws.md', (clients) => {
  let bench: DrillBench;
  let server: S3Server;
  let folder: string;
  let admin: Keys;
  let owner: S3Client;
  /** Of the roles, taken as the workflow of a job takes them. */
  const sessions = new Map<Job, Keys>();
  /** Of the users. */
  const users = new Map<string, Keys>();

  beforeAll(async () => {
    bench = await startDrillBench(clients);
    server = await startMoto();
    folder = await mkdtemp(path.join(os.tmpdir(), 'setup-aws-'));
    await saveFiles(PAGE, folder);
    const root = typing({ accessKeyId: 'test', secretAccessKey: 'test-secret' });
    await typeCommands(PAGE, 'The bucket', root);
    await typeCommands(PAGE, 'GitHub as an identity provider', root);
    await typeCommands(PAGE, 'Who may be which role', root);
    await typeCommands(PAGE, 'The roles', root, 0);
    const printed = await typeCommands(PAGE, 'With stored keys instead', root, 0);
    for (const [index, keys] of keysIn(printed).entries())
      users.set(['backup', 'drill', 'restore', 'status'][index] ?? '', keys);
    admin = await makeAdministrator(root);
    for (const job of JOBS) sessions.set(job, await assume(job));
    await enforceRights(server);
    owner = clientOf(server, admin);
  });
  afterAll(async () => {
    owner?.destroy();
    await server?.stop();
    await bench?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function typing({ accessKeyId, secretAccessKey }: Keys): Typing {
    const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return { folder, env: { ...keys, AWS_ENDPOINT_URL: server.endpoint, AWS_DEFAULT_REGION: REGION } };
  }

  async function makeAdministrator(root: Typing): Promise<Keys> {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    const [keys] = keysIn(
      await runScript(
        `aws iam create-user --user-name admin
         aws iam put-user-policy --user-name admin --policy-name all --policy-document '${JSON.stringify(policy)}'
         aws iam create-access-key --user-name admin --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text`,
        root,
      ),
    );
    return keys as Keys;
  }

  async function assume(job: Job): Promise<Keys> {
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: `arn:aws:iam::123456789012:role/${job}`,
      RoleSessionName: job,
      WebIdentityToken: 'a.b.c',
    });
    const answer = await (await fetch(server.endpoint, { method: 'POST', body })).text();
    const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(
      (name) => new RegExp(`<${name}>([^<]+)<`).exec(answer)?.[1],
    );
    return { accessKeyId, secretAccessKey, sessionToken } as Keys;
  }

  function environment(keys: Keys | undefined): Record<string, string> {
    const { accessKeyId = '', secretAccessKey = '', sessionToken } = keys ?? {};
    const pair = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: REGION };
    return sessionToken === undefined ? pair : { ...pair, AWS_SESSION_TOKEN: sessionToken };
  }

  const storage = (): string => server.storageUri(BUCKET, 'postgres');

  async function backUp(keys: Keys | undefined, inputs: Record<string, string> = {}): Promise<ScenarioRun> {
    return bench.scenario.run({
      inputs: { storage: storage(), encryption: '', 'age-recipients': bench.recipient, ...inputs },
      env: environment(keys),
    });
  }

  function restore(inputs: Record<string, string>, keys = sessions.get('restore')): Promise<ScenarioRun> {
    return bench.scenario.run({
      inputs: {
        command: 'restore',
        'database-url': '',
        encryption: '',
        storage: storage(),
        'age-identity': bench.identity,
        'target-database-url': bench.scenario.server.uri('shop'),
        reason: 'to see whether it can be done',
        ...inputs,
      },
      env: environment(keys),
    });
  }

  /** Refused for want of a safety backup, until `block` of the page's commands below `heading` is typed. */
  async function expectSwapAfter(heading: string, block: number, keys?: Keys): Promise<void> {
    const swap = { strategy: 'swap', backup: 'latest-proven', 'age-recipients': bench.recipient };
    const refused = await restore(swap, keys);
    expect(refused.exitCode).toBe(1);
    expect(refused.maskedLog).toContain('There is no safety backup');
    expect(titles(refused)).toContainEqual(expect.stringContaining('ERR_SAFETY_BACKUP'));
    await typeCommands(PAGE, heading, typing(admin), block);
    expectPassed(await restore(swap, keys), 'passed');
  }

  function expectPassed(run: ScenarioRun, verdict: 'proven' | 'passed'): void {
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe(verdict);
  }

  const titles = (run: ScenarioRun): string[] => run.annotations.map(({ title }) => title);

  test('the role that backs up takes proven backups, compares them, and finds nothing to complain of', async () => {
    const dry = await backUp(sessions.get('backup'), { 'dry-run': 'true' });
    expect(dry.exitCode, dry.maskedLog).toBe(0);
    expect(dry.annotations).toEqual([]);
    expectPassed(await backUp(sessions.get('backup')), 'proven');
    const run = await backUp(sessions.get('backup'));
    expectPassed(run, 'proven');
    expect(run.annotations).toEqual([]);
    expect(run.maskedLog).toMatch(/newest backup \d{8}_\d{6}_\w+, proven/);
  });

  test('the role that drills brings a backup back, and records it', async () => {
    const target = await bench.emptyDatabase();
    const run = await bench.drill({ target, inputs: { storage: storage() }, env: environment(sessions.get('drill')) });
    expectPassed(run, 'passed');
    expect(titles(run)).not.toContain('drill-unrecorded');
  });

  test('the role that restores brings a backup back beside the database, and records it', async () => {
    const run = await restore({ strategy: 'new-database' });
    expectPassed(run, 'passed');
    expect(titles(run)).not.toContain('audit-not-written');
  });

  function look(keys: Keys | undefined): Promise<ScenarioRun> {
    const unused = { 'database-url': '', encryption: '', 'lock-timeout-seconds': '', 'connect-window-seconds': '' };
    return bench.scenario.run({
      inputs: { command: 'status', storage: storage(), 'cache-manifests': 'false', ...unused },
      env: environment(keys),
    });
  }

  test.each([
    ['role', () => sessions.get('status')],
    ['user', () => users.get('status')],
  ])('the %s that looks at the status sees what is proven and drilled, and misses no right', async (_, keys) => {
    expectPassed(await backUp(sessions.get('backup')), 'proven');
    const run = await look(keys());
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs['backup-id']).toMatch(/^\d{8}_\d{6}_/);
    const codes = (JSON.parse(run.outputs.findings ?? '[]') as { code: string }[]).map(({ code }) => code);
    for (const code of [
      'destination-unreadable',
      'drill-record-unreadable',
      'check-record-unreadable',
      'manifest-unreadable',
    ])
      expect(codes).not.toContain(code);
  });

  test('its policy is that of docs/permissions.md', () => {
    const [explained = ''] = fences(section(readDocument('docs/permissions.md'), 'To look at the status'), 'json');
    const statements = (text: string) =>
      (JSON.parse(text) as { Statement: Record<string, unknown>[] }).Statement.map(({ Condition: _, ...rest }) => rest);
    expect(statements(namedFile(PAGE, 'policy-status.json'))).toEqual(statements(explained));
  });

  test.each<Job>(['backup', 'drill', 'restore', 'prune', 'status'])(
    'the role %s may do its part and nothing else',
    async (job) => {
      const client = clientOf(server, sessions.get(job) as Keys);
      expect(await rightsOf(client, owner, BUCKET)).toEqual(RIGHTS[job]);
      client.destroy();
    },
  );

  test('the statement of docs/permissions.md keeps the key that backs up from false verdicts and records', async () => {
    const policy = JSON.parse(namedFile(PAGE, 'policy-backup.json')) as { Statement: unknown[] };
    const [more = ''] = fences(section(readDocument('docs/permissions.md'), 'To drill'), 'json');
    policy.Statement.push(JSON.parse(more));
    const put = (document: string) =>
      runScript(
        `aws iam put-role-policy --role-name backup --policy-name backup --policy-document '${document}'`,
        typing(admin),
      );
    await put(JSON.stringify(policy));
    const client = clientOf(server, sessions.get('backup') as Keys);
    expect(await rightsOf(client, owner, BUCKET)).toEqual([
      'list',
      'read metadata.json',
      'write an archive',
      'write metadata.json',
    ]);
    client.destroy();
    expectPassed(await backUp(sessions.get('backup')), 'proven');
    await put(namedFile(PAGE, 'policy-backup.json'));
  });

  test('the role that restores swaps after the last command below the roles, and not before', () =>
    expectSwapAfter('The roles', 1));

  test('the rules of the bucket are those of the page', async () => {
    const { Rules = [] } = await owner.send(new GetBucketLifecycleConfigurationCommand({ Bucket: BUCKET }));
    expect(Rules.map(({ ID }) => ID)).toEqual(['remove-unfinished-uploads', 'remove-what-was-deleted']);
    expect(Rules.find(({ Expiration }) => Expiration?.Days !== undefined)).toBeUndefined();
  });

  describe('with stored keys', () => {
    test('the user that backs up does, and its secret is checked', async () => {
      const keys = users.get('backup') as Keys;
      expectPassed(await backUp(keys), 'proven');
      const wrong = await backUp({ ...keys, secretAccessKey: 'not-the-secret-of-this-key' });
      expect(wrong.exitCode).toBe(1);
      expect(titles(wrong)).toContainEqual(expect.stringContaining('ERR_STORAGE_AUTH'));
    });

    test.each(['drill', 'restore'])('the user %s can read and not delete', async (name) => {
      const client = clientOf(server, users.get(name) as Keys);
      const rights = await rightsOf(client, owner, BUCKET);
      expect(rights).toContain('read an archive');
      expect(rights.filter((right) => /delete|destroy|change|metadata/.test(right))).toEqual(['read metadata.json']);
      client.destroy();
    });

    test('the user that restores swaps after the last command of the page, and not before', () =>
      expectSwapAfter('With stored keys instead', 1, users.get('restore')));
  });
});

/** Pairs as `--output text` prints them. */
function keysIn(printed: string): Keys[] {
  return [...printed.matchAll(/^(AKIA\w+)\t(\S+)$/gm)].map(([, accessKeyId = '', secretAccessKey = '']) => ({
    accessKeyId,
    secretAccessKey,
  }));
}
