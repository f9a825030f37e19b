/** `aws-role-to-assume`: credentials that the action gets for itself, and that end while it is at work. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseDestination, withRole } from '../../src/domain/destination.ts';
import type { Storage } from '../../src/ports.ts';
import { openStorage } from '../../src/storage/open.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { motoKind } from '../support/s3-moto.ts';
import { ROLE_ARN, type RoleRig, SUBJECT, startRoleRig } from '../support/s3-role.ts';
import { availabilityOf, availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';
import {
  MIB,
  quickRetry,
  type RecordingLog,
  realClock,
  recordingLog,
  sha256,
  writeChunked,
} from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
let log: RecordingLog;
/** How far the clock of the storage is ahead. */
let aheadMs = 0;

function openWithRole(line: string, env: Record<string, string>): Storage {
  const clock = { ...realClock, now: () => new Date(Date.now() + aheadMs) };
  const context = { env, log, clock, signal: new AbortController().signal, s3: quickRetry };
  return openStorage(withRole(parseDestination(line), ROLE_ARN), context);
}

describeIf(availabilityOf(versitygw), 'A role assumed with the runner’s token', () => {
  let server: S3Server;
  let rig: RoleRig;
  let bucket: Bucket;
  let storage: Storage;
  let buckets = 0;

  beforeAll(async () => {
    server = await startVersitygw();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    log = recordingLog();
    aheadMs = 0;
    rig = await startRoleRig(server);
    bucket = await newBucket(server, `roles-${++buckets}`);
    const { endpoint } = rig.gateway;
    storage = openWithRole(server.storageUri(bucket.name, 'team', { 'part-size-mib': '5', endpoint }), rig.env);
  });
  afterEach(async () => {
    rig.refusal = undefined;
    await storage.close();
    await rig.close();
    bucket.close();
  });

  /** Five MiB, a pause, and again, until `enough`; several lifetimes of a session, if need be. */
  async function writeSlowly(enough: () => boolean): Promise<string> {
    const writer = await storage.create('archive', { onlyIfAbsent: true });
    const hash = createHash('sha256');
    try {
      while (!enough()) {
        const chunk = randomBytes(5 * MIB);
        hash.update(chunk);
        await writer.write(chunk);
        await sleep(100);
      }
      await writer.commit();
      return hash.digest('hex');
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  it('is asked for once and used by everything while it lasts', async () => {
    const bytes = randomBytes(13 * MIB);
    await writeChunked(storage, 'archive', bytes);
    expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(bytes));
    expect(rig.sessions).toHaveLength(1);
  });

  it('is renewed in mid-upload with a new token each time (OIDC expires at 1 h)', async () => {
    rig.lifetimeMs = 1_500;
    const sent = await writeSlowly(() => rig.sessions.length > 3);
    expect(sha256(await bucket.read('team/archive'))).toBe(sent);
    expect(new Set(rig.oidcTokens).size).toBe(rig.oidcTokens.length);
    expect(await bucket.unfinishedUploads()).toBe(0);
  });

  it('is replaced when the provider calls it expired before its time', async () => {
    await writeBytes(storage, 'first', Buffer.from('1'));
    for (const session of rig.sessions) session.expiresAt = 0;
    await writeBytes(storage, 'second', Buffer.from('2'));
    expect(rig.sessions).toHaveLength(2);
    expect(rig.expired).toHaveLength(1);
  });

  it('ends the upload with a clear error when its renewal is refused, and nothing becomes visible', async () => {
    rig.lifetimeMs = 1_500;
    const written = failure(writeSlowly(() => false));
    await expect.poll(bucket.unfinishedUploads, { timeout: 20_000 }).toBe(1);
    rig.refusal = {
      status: 403,
      code: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    };
    expect(await written).toMatchObject({
      code: 'ERR_CREDENTIALS_EXPIRED',
      message: expect.stringMatching(
        /backup could not be assumed again\. Its credentials end at 20\S+: Its trust policy refuses/,
      ),
    });
    expect(await bucket.keys()).toEqual([]);
    expect(log.lines).toEqual(
      expect.arrayContaining([expect.stringMatching(/^warning: .*AbortIncompleteMultipartUpload/)]),
    );
  });

  it.each([
    ['waited for when little is left', 30_000, 21_000],
    ['not waited for when much is left', 60_000, 41_000],
  ])('is used to its end while it cannot be renewed, which is %s', async (_what, lifetimeMs, laterMs) => {
    rig.lifetimeMs = lifetimeMs;
    await writeBytes(storage, 'first', Buffer.from('1'));
    rig.refusal = { status: 503, code: 'ServiceUnavailable', message: 'later' };
    // From two thirds of its life on a new one is asked for.
    aheadMs = laterMs;
    await writeBytes(storage, 'second', Buffer.from('2'));
    expect(await bucket.keys()).toEqual(['team/first', 'team/second']);
    const words = expect.stringMatching(/^debug: The credentials could not be renewed yet/);
    await expect.poll(() => log.lines).toContainEqual(words);
  });

  it('asks no oftener than its tries when the token service is down', async () => {
    rig.oidcStatus = 503;
    await failure(storage.stat('a'));
    expect(rig.oidcRequests).toBe(quickRetry.retry?.attempts);
  });

  it('says what the trust policy must allow when it refuses', async () => {
    rig.refusal = {
      status: 403,
      code: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    };
    expect(await failure(writeBytes(storage, 'a', Buffer.from('1')))).toMatchObject({
      code: 'ERR_STORAGE_AUTH',
      message: expect.stringContaining(`The token’s subject is "${SUBJECT}"`),
      hint: expect.stringMatching(/trust policy.*repo:owner@ID\/repo@ID/),
    });
  });

  it('says that the account does not know GitHub', async () => {
    rig.refusal = {
      status: 400,
      code: 'InvalidIdentityToken',
      message: 'No OpenIDConnect provider found in your account',
    };
    expect(await failure(writeBytes(storage, 'a', Buffer.from('1')))).toMatchObject({
      code: 'ERR_STORAGE_AUTH',
      hint: expect.stringContaining('to account 123456789012'),
    });
  });

  it.each([
    [403, 'ERR_STORAGE_AUTH', 'HTTP 403'],
    [503, 'ERR_STORAGE', 'HTTP 503'],
  ])('says that GitHub gave no token when its service answers %i', async (status, code, words) => {
    rig.oidcStatus = status;
    expect(await failure(writeBytes(storage, 'a', Buffer.from('1')))).toMatchObject({
      code,
      message: expect.stringContaining(words),
      hint: expect.stringContaining('id-token: write'),
    });
    expect(rig.sessions).toEqual([]);
  });

  it('rides out a token service that fails for a moment', async () => {
    rig.oidcStatus = 500;
    const writing = writeBytes(storage, 'a', Buffer.from('1'));
    setTimeout(() => {
      rig.oidcStatus = undefined;
    }, 5);
    await writing;
    expect(await bucket.keys()).toEqual(['team/a']);
  });

  it('masks every token and secret before it can be printed', async () => {
    await writeBytes(storage, 'a', Buffer.from('1'));
    const [session] = rig.sessions;
    const secrets = [
      session?.secretAccessKey,
      session?.sessionToken,
      rig.oidcTokens[0],
      rig.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
    ];
    for (const secret of secrets) {
      expect(log.masked).toContain(secret);
      expect(log.lines.join('\n')).not.toContain(secret);
    }
  });
});

const moto = await motoKind();
describeIf(availabilityOf(moto), 'A role of moto’s token service', () => {
  it('gives credentials that write and read', async () => {
    if (!moto.available) return;
    log = recordingLog();
    const server = await moto.start();
    await server.createBucket('roles');
    const rig = await startRoleRig(server);
    const storage = openWithRole(server.storageUri('roles'), { ...rig.env, AWS_ENDPOINT_URL_STS: server.endpoint });
    await writeBytes(storage, 'a', Buffer.from('1'));
    expect((await readBytes(storage, 'a')).toString()).toBe('1');
    expect(log.lines).toContainEqual(expect.stringMatching(/^debug: Credentials of arn:.* got, valid until 20/));
    await storage.close();
    await rig.close();
    await server.stop();
  });
});
