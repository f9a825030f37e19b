/** `command: prune` as a runner starts it: log, summary, outputs, issue, and what is there afterwards. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import { type Scenario, startScenario } from '../support/backup-scenario.ts';
import { newBucket } from '../support/bucket.ts';
import { clientTools } from '../support/clients.ts';
import { readable } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub } from '../support/github-api.ts';
import { idOf, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { type Gateway, startGateway } from '../support/s3-gateway.ts';
import { availabilityOf, availableS3Servers, startVersitygw, type Versitygw } from '../support/s3-servers.ts';
import { keysOf } from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
const daysAgo = (days: number): string =>
  `${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 11)}02:00:00Z`;

function titles(run: ActionResult, kind: 'error' | 'warning' | 'notice'): (string | undefined)[] {
  return run.annotations.filter((each) => each.kind === kind).map(({ title }) => title);
}

describe('A prune of a directory', () => {
  let root: string;
  let storage: Storage;
  let github: FakeGitHub;
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'prune-action-'));
    [storage] = pruneBench([root]).storages as [Storage];
    for (const days of [4, 3, 2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    github = await startGitHub();
  });
  afterEach(async () => {
    await github.close();
    await rm(root, { recursive: true, force: true });
  });
  const run = (inputs: Record<string, string>): Promise<ActionResult> =>
    runAction({ inputs: { command: 'prune', name: 'shop', storage: root, ...inputs }, github });
  const sets = async (): Promise<string[]> =>
    (await readdir(path.join(root, 'shop'))).filter((name) => !name.startsWith('_')).sort();

  test('removes what the policy lets go and says it in log, summary and outputs', async () => {
    const done = await run({ 'keep-daily': '2' });
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(await sets()).toEqual([2, 1].map((days) => idOf({ at: daysAgo(days) })));
    expect(done.outputs).toMatchObject({ removed: '2', kept: '2', findings: '[]' });
    expect(done.maskedLog).toContain('Policy: keep-daily=2; time-zone=UTC');
    expect(done.maskedLog).toContain(
      `remove  ${idOf({ at: daysAgo(4) })} (proven): older than the newest 2 days with a backup`,
    );
    expect(done.maskedLog).toContain(`${root}: 2 backups removed, 2 kept`);
    const summary = readable(done.summary);
    expect(summary).toContain('✅ Prune of shop');
    expect(summary).toContain('2 backups kept, 2 removed');
    expect(summary).toContain(`| ${idOf({ at: daysAgo(1) })} | proven | the newest proven one; keep-daily:`);
    expect((await readdir(path.join(root, 'shop', '_audit'))).map((name) => name.split('.')[1])).toEqual([
      'finished',
      'started',
    ]);
    expect(done.filesLeftBehind).toEqual([]);
  });

  test('as a dry run prints the same plan and touches nothing', async () => {
    const done = await run({ 'keep-daily': '3', 'dry-run': 'true' });
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(await sets()).toHaveLength(4);
    expect(await readdir(path.join(root, 'shop'))).not.toContain('_audit');
    expect(done.outputs).toMatchObject({ removed: '1', kept: '3' });
    expect(done.maskedLog).toContain('Dry run: nothing was removed.');
    expect(readable(done.summary)).toContain('nothing was removed');
  });

  test('that would remove too much is red, removes nothing, opens an issue, and the next good one closes it', async () => {
    const failed = await run({ 'keep-last': '1' });
    expect(failed.exitCode).toBe(1);
    expect(await sets()).toHaveLength(4);
    expect(titles(failed, 'error')).toEqual(['The prune of "shop" failed (ERR_PRUNE_TOO_MUCH)']);
    const [annotation] = failed.annotations.filter(({ kind }) => kind === 'error');
    expect(annotation?.message).toContain('would remove 3 of 4 backups, which is 75 %');
    expect(annotation?.message).toContain('Every backup that the policy keeps is untouched.');
    expect(annotation?.message).toContain('set `max-prune-percent: 75` for one run');
    expect(readable(failed.summary)).toContain('❌ Failed prune of shop');
    expect(failed.outputs['issue-number']).toBeDefined();
    const good = await run({ 'keep-last': '1', 'max-prune-percent': '75' });
    expect(good.exitCode, good.maskedLog).toBe(0);
    expect(await sets()).toEqual([idOf({ at: daysAgo(1) })]);
    expect(good.outputs['issue-number']).toBe(failed.outputs['issue-number']);
    expect(github.sent()).toContain('the next prune that ends well closes it');
    expect(github.sent()).toContain('is the newest proven backup, and what the policy lets go was removed');
  });

  test('without a policy, as unset variables make it, removes nothing', async () => {
    const done = await run({ 'keep-daily': '', 'keep-weekly': '' });
    expect(done.exitCode).toBe(1);
    expect(done.maskedLog).toContain('nothing says what to keep, so nothing is removed');
    expect(done.maskedLog).toContain('Nothing was removed. All backups are untouched.');
    expect(await sets()).toHaveLength(4);
  });

  test('of a series that is not there is red', async () => {
    const done = await run({ name: 'shpo', 'keep-last': '1' });
    expect(done.exitCode).toBe(1);
    expect(titles(done, 'error')).toEqual(['The prune of "shpo" failed (ERR_BACKUP_NOT_FOUND)']);
    expect(await sets()).toHaveLength(4);
  });

  test('of two destinations of which one cannot be read prunes the other, and is red', async () => {
    const line = `${root}\ns3://no-such-bucket/x?region=us-east-1&endpoint=http://127.0.0.1:9`;
    const done = await runAction({
      inputs: { command: 'prune', name: 'shop', storage: line, 'keep-daily': '2', 'stall-timeout-seconds': '2' },
      env: { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret-word-of-the-test' },
      github,
    });
    expect(done.exitCode).toBe(1);
    expect(titles(done, 'error')).toEqual(['The prune of "shop" failed at 1 of 2 destinations (ERR_STORAGE)']);
    expect(await sets()).toHaveLength(2);
    expect(done.outputs).toMatchObject({ removed: '2', kept: '2' });
  });
});

describeIf(availabilityOf(versitygw), 'A prune of a bucket', () => {
  let server: Versitygw;
  let gateway: Gateway;
  let refused: RegExp | undefined;
  let pauseMs = 0;
  beforeAll(async () => {
    server = await startVersitygw();
    gateway = await startGateway(server, {
      rewrite: async ({ method, headers }) => {
        if (method === 'DELETE') await sleep(pauseMs);
        return headers;
      },
      judge: ({ method, path: key }) =>
        refused?.test(`${method} ${key}`) === true ? { status: 403, code: 'AccessDenied', message: 'no' } : undefined,
    });
  });
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
  });

  test('whose key may not delete is red with the right that is missing, and nothing is gone', async () => {
    const bucket = await newBucket(server, 'prune-action');
    const storage = server.storageUri('prune-action', 'team', { endpoint: gateway.endpoint });
    const bench = pruneBench([storage], server.env);
    for (const days of [3, 2, 1]) await makeUpSet(bench.storages[0] as Storage, { at: daysAgo(days) });
    const inputs = { command: 'prune', name: 'shop', storage, 'keep-daily': '2' };
    refused = /^DELETE /;
    const denied = await runAction({ inputs, env: server.env });
    expect(denied.exitCode).toBe(1);
    expect(titles(denied, 'error')).toEqual(['The prune of "shop" failed (ERR_STORAGE_DENIED)']);
    expect(denied.maskedLog).toContain('s3:DeleteObject on arn:aws:s3:::prune-action/team/* is not allowed');
    expect(denied.outputs).toMatchObject({ removed: '0', kept: '2' });
    expect((await bucket.keys()).filter((key) => key.endsWith('/metadata.json'))).toHaveLength(3);
    refused = undefined;
    const allowed = await runAction({ inputs, env: server.env });
    expect(allowed.exitCode, allowed.maskedLog).toBe(0);
    expect((await keysOf(bench.storages[0] as Storage)).filter((key) => key.endsWith('/metadata.json'))).toHaveLength(
      2,
    );
    bucket.close();
  });

  test('that is cancelled says what is certain, leaves no half that looks like a backup, and records how it ended', async () => {
    const bucket = await newBucket(server, 'prune-cancelled');
    const storage = server.storageUri('prune-cancelled', 'team', { endpoint: gateway.endpoint });
    const bench = pruneBench([storage], server.env);
    for (const days of [9, 8, 7, 6, 5, 4, 3, 2, 1])
      await makeUpSet(bench.storages[0] as Storage, { at: daysAgo(days) });
    const inputs = { command: 'prune', name: 'shop', storage, 'keep-last': '1', 'max-prune-percent': '100' };
    pauseMs = 300;
    const run = await runAction({
      inputs,
      env: server.env,
      onLine: (line, action) => {
        if (line.startsWith('removed')) action.cancel();
      },
    });
    pauseMs = 0;
    expect(run.exitCode).toBe(1);
    expect(titles(run, 'error')).toEqual(['The prune of "shop" failed (ERR_CANCELLED)']);
    expect(run.maskedLog).toContain(`The newest proven one is ${idOf({ at: daysAgo(1) })}.`);
    const keys = await bucket.keys();
    const finished = keys.filter((key) => key.endsWith('/metadata.json'));
    expect(finished.length).toBeLessThan(9);
    for (const key of finished) expect(keys.filter((each) => each.startsWith(path.dirname(key)))).toHaveLength(5);
    const [end = ''] = keys.filter((key) => key.endsWith('.finished.json'));
    expect(JSON.parse((await bucket.read(end)).toString())).toMatchObject({
      outcome: 'failed',
      failure: { code: 'ERR_CANCELLED' },
    });
    const next = await runAction({ inputs, env: server.env });
    expect(next.exitCode, next.maskedLog).toBe(0);
    expect((await bucket.keys()).filter((key) => key.endsWith('/metadata.json'))).toHaveLength(1);
    bucket.close();
  });
});

describeWith(await clientTools(17), 'A backup with prune-after-backup', (clients) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: 'CREATE TABLE empty_one (id int)' });
  });
  afterAll(() => scenario?.stop());
  const sets = async (): Promise<string[]> =>
    (await readdir(path.join(scenario.storage, 'shop'))).filter((name) => !name.startsWith('_'));
  const prune = { 'prune-after-backup': 'true', 'keep-last': '2' };

  test('removes old ones once it is proven, keeps its hands off when it is not, and stays proven when pruning fails', async () => {
    const first = await scenario.run({ inputs: { 'prune-after-backup': 'true', 'keep-last': '2' } });
    expect(first.exitCode, first.maskedLog).toBe(0);
    expect(first.outputs).toMatchObject({ verdict: 'proven', removed: '0', kept: '1' });
    await scenario.run();
    const third = await scenario.run({ inputs: prune });
    expect(third.exitCode, third.maskedLog).toBe(0);
    expect(third.outputs).toMatchObject({ verdict: 'proven', removed: '1', kept: '2' });
    expect(await sets()).toHaveLength(2);
    expect(await sets()).not.toContain(first.outputs['backup-id']);
    expect(readable(third.summary)).toContain('1 removed');

    const unproven = await scenario.run({
      inputs: { ...prune, 'keep-last': '1', 'critical-tables': 'public.empty_one' },
    });
    expect(unproven.exitCode).toBe(1);
    expect(unproven.outputs.verdict).toBe('unproven');
    expect(unproven.outputs).not.toHaveProperty('removed');
    expect(unproven.outputs.findings).toContain('not-pruned');
    expect(await sets()).toHaveLength(3);

    const failing = await scenario.run({ inputs: { ...prune, 'keep-last': '1', 'max-prune-percent': '10' } });
    expect(failing.exitCode).toBe(1);
    expect(failing.outputs.verdict).toBe('proven');
    expect(titles(failing, 'error')).toEqual([
      'The backup of "shop" is proven, but old ones could not be pruned (ERR_PRUNE_TOO_MUCH)',
    ]);
    expect(failing.maskedLog).toContain('The backup is complete and proven:');
    expect(await sets()).toHaveLength(4);
  });
});
