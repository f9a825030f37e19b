/** `aws-role-to-assume` and Object Lock in whole runs: credentials that end, rights that are refused, locks that hold. */
import { CreateBucketCommand, PutObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import {
  type FolderState,
  type Scenario,
  type ScenarioRun,
  type ScenarioRunOptions,
  startScenario,
  until,
} from '../support/backup-scenario.ts';
import { type Bucket, newBucket, openBucket } from '../support/bucket.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { type BucketBefore, expectNothingNew, expectOneNewSet } from '../support/expect-bucket.ts';
import { type ExpectedFailure, expectNoSecret } from '../support/expect-run.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { clientOf } from '../support/s3-client.ts';
import { startGateway } from '../support/s3-gateway.ts';
import { lockedBucket } from '../support/s3-profiles.ts';
import { ROLE_ARN, type RoleRig, SUBJECT, startRoleRig } from '../support/s3-role.ts';
import { availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';

const MIB = 1024 * 1024;
/** About 28 MiB of rows: six parts of the smallest size. */
const LARGE = `CREATE TABLE t AS SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 380000) g`;
const REFUSED = {
  status: 403,
  code: 'AccessDenied',
  message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
};

async function needs(): Promise<{ clients: Clients } | { skipped: string }> {
  const clients = await clientTools(17);
  if ('skipped' in clients) return clients;
  const [versitygw] = await availableS3Servers();
  return versitygw?.available === true ? { clients } : { skipped: versitygw?.reason ?? 'no versitygw' };
}

describeWith(await needs(), 'A backup', ({ clients }) => {
  let scenario: Scenario;
  let server: S3Server;
  let rig: RoleRig;
  let proxy: FaultProxy;
  let bucket: Bucket;
  /** Of the bucket, which holds an older set at least. */
  let before: FolderState;
  /** Uploads in it that nobody could discard. */
  let unfinished: number;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await scenario.query('CREATE DATABASE large', 'postgres');
    await scenario.query(LARGE, 'large');
    server = await startVersitygw();
    bucket = await newBucket(server, 'roles');
    const older = await backUp({ inputs: { storage: server.storageUri(bucket.name, 'team') }, env: server.env });
    await expectOneNewSet({ scenario, server, bucket, before: new Map() }, older);
  });
  afterAll(async () => {
    bucket?.close();
    await server?.stop();
    await scenario?.stop();
  });
  beforeEach(async () => {
    rig = await startRoleRig(server);
    proxy = await startFaultProxy(rig.gateway);
    before = await bucket.state();
    expect(before.size).toBeGreaterThan(0);
    unfinished = await bucket.unfinishedUploads();
  });
  afterEach(async () => {
    await proxy.close();
    await rig.close();
  });

  const at = (): BucketBefore => ({ scenario, server, bucket, before, unfinished });

  function backUp({ inputs, ...options }: ScenarioRunOptions): Promise<ScenarioRun> {
    const large = { name: 'large', compression: 'none' };
    return scenario.run({ ...options, url: scenario.url({ database: 'large' }), inputs: { ...large, ...inputs } });
  }

  /** Through the proxy. */
  function backUpByRole(env: Record<string, string> = {}): Promise<ScenarioRun> {
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const storage = server.storageUri(bucket.name, 'team', { endpoint, 'part-size-mib': '5' });
    return backUp({ inputs: { storage, 'aws-role-to-assume': ROLE_ARN }, env: { ...rig.env, ...env } });
  }

  async function expectNothing(run: ScenarioRun, expected: ExpectedFailure): Promise<void> {
    await expectNothingNew(at(), run, expected);
    expectSecretsKept(run);
  }

  function expectSecretsKept(run: ScenarioRun): void {
    const sessions = rig.sessions.flatMap(({ secretAccessKey, sessionToken }) => [secretAccessKey, sessionToken]);
    expectNoSecret(run, [...sessions, ...rig.oidcTokens, rig.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? '']);
  }

  test('that outlives its credentials renews them and is proven (OIDC expires at 1 h)', async () => {
    rig.lifetimeMs = 2_500;
    proxy.set({ bytesPerSecond: 6 * MIB });
    const run = await backUpByRole();
    await expectOneNewSet(at(), run);
    expect(rig.sessions.length).toBeGreaterThan(1);
    expectSecretsKept(run);
  });

  test('whose credentials end and may not be renewed says so, and nothing of it becomes visible', async () => {
    rig.lifetimeMs = 2_500;
    proxy.set({ bytesPerSecond: 3 * MIB });
    const running = backUpByRole();
    expect(await until(bucket.unfinishedUploads, (uploads) => uploads > 0, 60_000)).toBe(1);
    rig.refusal = REFUSED;
    const run = await running;
    // Nobody was left who may discard it.
    unfinished += 1;
    await expectNothing(run, {
      code: 'ERR_CREDENTIALS_EXPIRED',
      happened: ['could not be assumed again', 'Its trust policy refuses this workflow', SUBJECT],
      action: ['trust policy', 'repo:owner@ID/repo@ID'],
      safety: 'Nothing of this backup became visible',
    });
  });

  test('of a workflow that the trust policy does not know is refused before anything is dumped', async () => {
    rig.refusal = REFUSED;
    const run = await backUpByRole();
    await expectNothing(run, {
      code: 'ERR_STORAGE_AUTH',
      happened: [ROLE_ARN, 'Its trust policy refuses this workflow', SUBJECT],
      action: ['sts:AssumeRoleWithWebIdentity', 'sts.amazonaws.com'],
      safety: 'Nothing was written',
    });
    expect(run.groups).toEqual(['Preflight']);
  });

  test('in a job without `id-token: write` is refused before anything is asked', async () => {
    const run = await backUpByRole({ ACTIONS_ID_TOKEN_REQUEST_URL: '' });
    await expectNothing(run, {
      code: 'ERR_INPUT',
      happened: ['id-token: write', 'pull requests from forks'],
      action: [],
      safety: 'Nothing was read from the database and nothing was written.',
    });
    expect(proxy.counts.connections).toBe(0);
  });

  async function lockedDestination(): Promise<Bucket> {
    const name = 'locked';
    const client = clientOf(server);
    await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
    const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } } as const;
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const;
    await client.send(new PutObjectLockConfigurationCommand({ Bucket: name, ObjectLockConfiguration }));
    client.destroy();
    return openBucket(server, name);
  }

  test('into a bucket with Object Lock is proven, and a failed one there leaves nothing visible', async () => {
    const locked = await lockedDestination();
    let fails = false;
    const gateway = await startGateway(server, {
      judge: (request) =>
        fails && request.method === 'PUT' && request.path.endsWith('contents.json')
          ? { status: 403, code: 'AccessDenied', message: 'Access Denied' }
          : lockedBucket(request),
    });
    const storage = server.storageUri(locked.name, 'team', { endpoint: gateway.endpoint, 'part-size-mib': '5' });
    const options = { inputs: { storage }, env: server.env };
    await expectOneNewSet({ scenario, server, bucket: locked, before: new Map() }, await backUp(options));
    const older = await locked.state();
    expect(older.size).toBe(5);
    fails = true;
    await expectNothingNew({ scenario, server, bucket: locked, before: older }, await backUp(options), {
      code: 'ERR_STORAGE_DENIED',
      happened: ['contents.json'],
      action: ['Allow s3:PutObject'],
      safety: 'Nothing of this backup became visible',
    });
    locked.close();
    await gateway.close();
  });
});
