/** `lifecycle` of `command: prune`: rules of a bucket as its server keeps them, and those that the action proposes, set as printed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { allOf, describeIf, programAvailable } from '../support/availability.ts';
import { readable } from '../support/expect-run.ts';
import { type JudgedServer, startJudgedServer } from '../support/judged-server.ts';
import { makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { daysAgo } from '../support/prune-places.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { runTool } from '../support/run-tool.ts';
import { motoKind, startMoto } from '../support/s3-moto.ts';
import { availabilityOf } from '../support/s3-servers.ts';

const BUCKET = 'acme-backups';
const aws = programAvailable('aws', ['--version'], 'pip install awscli');
const TIDY: LifecycleRule = {
  ...{ ID: 'tidy', Status: 'Enabled', Filter: { Prefix: '' } },
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
};

describeIf(allOf(availabilityOf(await motoKind()), aws), 'The rules of a bucket', () => {
  let judged: JudgedServer;
  let client: S3Client;
  let line: string;
  beforeAll(async () => {
    judged = await startJudgedServer(startMoto);
    ({ client } = judged);
    await judged.server.createBucket(BUCKET);
    line = judged.server.storageUri(BUCKET, 'postgres', { endpoint: judged.gateway.endpoint });
    const [storage] = pruneBench([line], judged.server.env).storages as [Storage];
    for (const days of [2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    await storage.close();
  });
  afterAll(() => judged?.stop());
  beforeEach(async () => {
    judged.judge = undefined;
    judged.gateway.requests.length = 0;
    await client.send(new DeleteBucketLifecycleCommand({ Bucket: BUCKET }));
  });

  const run = (lifecycle: string): Promise<ActionResult> =>
    runAction({
      inputs: { command: 'prune', name: 'shop', storage: line, 'keep-daily': '30', lifecycle },
      env: judged.server.env,
    });
  const setRules = (...Rules: LifecycleRule[]) =>
    client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: BUCKET,
        LifecycleConfiguration: { Rules: [TIDY, ...Rules] },
      }),
    );

  test('that fit the policy are green', async () => {
    await setRules();
    const done = await run('check');
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.maskedLog).toContain('1 rule, 0 of them against the policy');
    expect(done.outputs.findings).toBe('[]');
  });

  test('that delete what the policy keeps are red, and the prune is done all the same', async () => {
    await setRules({ ID: 'old files', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 29 } });
    const done = await run('check');
    expect(done.exitCode).toBe(1);
    const [error] = done.annotations.filter(({ title }) => title?.includes('ERR_LIFECYCLE'));
    expect(error?.title).toBe('The prune of "shop" is done, but the bucket has rules of its own (ERR_LIFECYCLE)');
    expect(error?.message).toContain('"old files"');
    expect(error?.message).toContain('deletes backups after 29 days, and the policy keeps them up to 30 days');
    expect(error?.message).toContain('Remove the expiration from that rule');
    expect(done.outputs).toMatchObject({ kept: '2', removed: '0' });
    expect(done.outputs.findings).toContain('lifecycle-too-short');
  });

  test('that delete later than the policy, but also what is kept for ever, are a warning', async () => {
    await setRules({ ID: 'old', Status: 'Enabled', Filter: { Prefix: 'postgres/' }, Expiration: { Days: 30 } });
    const done = await run('check');
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs.findings).toContain('lifecycle-deletes-all');
  });

  test('that cannot be read are red: what was not checked has not passed', async () => {
    judged.judge = ({ query }) =>
      query.has('lifecycle') ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined;
    const done = await run('check');
    expect(done.exitCode).toBe(1);
    expect(done.maskedLog).toContain('s3:GetLifecycleConfiguration');
    expect(done.outputs.findings).toContain('lifecycle-not-checked');
  });

  test('are not looked at unless that is asked for', async () => {
    await setRules({ ID: 'old', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } });
    const done = await run('');
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(judged.gateway.requests.filter(({ query }) => query.has('lifecycle'))).toEqual([]);
  });

  test('are proposed, can be set by the line that is shown, and then pass the check', async () => {
    const done = await run('print');
    expect(done.exitCode, done.maskedLog).toBe(0);
    const [, command = '', configuration = ''] =
      /```sh\n(.*)\n```\s+```json\n([\s\S]*?)\n```/.exec(readable(done.summary)) ?? [];
    expect(done.maskedLog).toContain(command);
    const folder = await mkdtemp(path.join(os.tmpdir(), 'lifecycle-'));
    try {
      await writeFile(path.join(folder, 'lifecycle.json'), configuration);
      await runTool('bash', ['-c', command], judged.server.env, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: BUCKET }));
    expect(Rules).toHaveLength(1);
    expect((await run('check')).outputs.findings).toBe('[]');
  });
});
