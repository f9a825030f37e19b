/** docs/setup/ceph.md, typed as it stands, and the policy of docs/setup/hetzner.md, whose storage is Ceph's too. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Availability, allOf, describeWith, programAvailable } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { RIGHTS, type Right, rightsOf } from '../support/bucket-rights.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { namedFile } from '../support/markdown.ts';
import { clientOf } from '../support/s3-client.ts';
import { type Rgw, rgwAvailable, startRgw } from '../support/s3-rgw.ts';
import type { S3Server } from '../support/s3-servers.ts';
import { saveFiles, typeCommands } from '../support/setup-pages.ts';

const BUCKET = 'acme-backups';

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

async function clientsWith(...needs: Availability[]): Promise<Clients | { skipped: string }> {
  const available = allOf(...needs);
  return available === true ? clientTools(17) : available;
}

async function backUp(scenario: Scenario, server: S3Server, keys: Keys): Promise<ScenarioRun> {
  return scenario.run({
    inputs: { storage: server.storageUri(BUCKET, 'postgres') },
    env: {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_REGION: server.region,
    },
  });
}

function expectProven(run: ScenarioRun): void {
  expect(run.exitCode, run.maskedLog).toBe(0);
  expect(run.outputs.verdict).toBe('proven');
  expect(run.annotations).toEqual([]);
}

const aws = programAvailable('aws', ['--version'], 'pip install awscli');

const PAGE = 'docs/setup/ceph.md';

describeWith(await clientsWith(rgwAvailable(), aws), 'Ceph RGW, set up by docs/setup/ceph.md,', (clients) => {
  let scenario: Scenario;
  let server: Rgw;
  let folder: string;
  let owner: S3Client;
  const keys = new Map<string, Keys>();

  beforeAll(async () => {
    scenario = await startScenario(clients);
    server = await startRgw();
    folder = await mkdtemp(path.join(os.tmpdir(), 'setup-ceph-'));
    await saveFiles('docs/setup/aws.md', folder);
    await saveFiles(PAGE, folder);
    const users = await typeCommands(PAGE, 'The users', { folder, env: { CEPH_CONF: server.configuration } });
    for (const [, user = '', accessKeyId = '', secretAccessKey = ''] of users.matchAll(
      /"user": "([\w-]+)",\s+"access_key": "([^"]+)",\s+"secret_key": "([^"]+)"/g,
    )) {
      keys.set(user, { accessKeyId, secretAccessKey });
    }
    const { accessKeyId = '', secretAccessKey = '' } = keys.get('backup-owner') ?? {};
    await typeCommands(PAGE, 'The bucket', {
      folder,
      env: {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_ENDPOINT_URL: server.endpoint,
        AWS_DEFAULT_REGION: server.region,
      },
    });
    owner = clientOf(server, { accessKeyId, secretAccessKey });
  });
  afterAll(async () => {
    owner?.destroy();
    await server?.stop();
    await scenario?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('has a user who takes proven backups and compares them', async () => {
    const user = keys.get('backup') as Keys;
    expectProven(await backUp(scenario, server, user));
    expectProven(await backUp(scenario, server, user));
  });

  test.each(['backup', 'drill', 'restore'] as const)(
    'has a user %s who may do their part and nothing else',
    async (name) => {
      const client = clientOf(server, keys.get(name) as Keys);
      expect(await rightsOf(client, owner, BUCKET)).toEqual(RIGHTS[name]);
      client.destroy();
    },
  );

  const written: Right[] = ['write a verdict', 'write an audit record', 'write elsewhere'];
  test.each<[string, string, Right[]]>([
    [
      'BACKUP_KEY',
      'backup',
      ['list', 'read metadata.json', 'read a verdict', 'write an archive', 'write metadata.json', ...written],
    ],
    ['DRILL_KEY', 'drill', ['list', 'read an archive', 'read metadata.json', 'read a verdict', ...written]],
    ['RESTORE_KEY', 'restore', ['list', 'read an archive', 'read metadata.json', 'read a verdict', ...written]],
  ])('with the policy of docs/setup/hetzner.md takes from %s what it must not do', async (key, user, allowed) => {
    await allowAllBut(key, user);
    const client = clientOf(server, keys.get(user) as Keys);
    expect(await rightsOf(client, owner, BUCKET)).toEqual(allowed);
    client.destroy();
    if (user === 'backup') expectProven(await backUp(scenario, server, keys.get(user) as Keys));
  });

  test('without that policy a key of Hetzner may read, delete, and change the policy itself', async () => {
    await allow('backup', []);
    const client = clientOf(server, keys.get('backup') as Keys);
    const forbidden: Right[] = ['read an archive', 'read what it wrote', 'delete a verdict', 'delete an archive'];
    expect(await rightsOf(client, owner, BUCKET)).toEqual(
      expect.arrayContaining([...forbidden, 'change rules', 'change the policy']),
    );
    client.destroy();
  });

  /** What that page denies to a key, for a user who otherwise may do everything, as keys there may. */
  async function allowAllBut(key: string, user: string): Promise<void> {
    const { Statement } = JSON.parse(namedFile('docs/setup/hetzner.md', 'policy.json')) as {
      Statement: { Principal: { AWS: string | string[] } }[];
    };
    const denied = Statement.filter((each) => [each.Principal.AWS].flat().some((arn) => arn.endsWith(`:${key}`)));
    expect(denied.length).toBe(2);
    await allow(user, denied);
  }

  /** Everything but what is denied. */
  async function allow(user: string, denied: readonly object[]): Promise<void> {
    const Resource = [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`];
    const statements = [{ Effect: 'Allow', Action: 's3:*', Resource }, ...denied];
    const Principal = { AWS: [`arn:aws:iam:::user/${user}`] };
    const policy = { Version: '2012-10-17', Statement: statements.map((each) => ({ ...each, Principal })) };
    await owner.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify(policy) }));
  }
});
