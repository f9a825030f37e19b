/** Runs that take no backup: a dry run, and one that takes an earlier backup instead. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import type { FolderState, Scenario, ScenarioRunOptions } from '../support/backup-scenario.ts';
import type { Bucket } from '../support/bucket.ts';
import { type BucketScenario, clientsAndVersitygw, DENIED, startBucketScenario } from '../support/bucket-scenario.ts';
import { expectFailed, expectFailureWords, expectNoSecret, expectTidy, readable } from '../support/expect-run.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { S3Server } from '../support/s3-servers.ts';

describeWith(await clientsAndVersitygw(), 'A run', ({ clients }) => {
  let started: BucketScenario;
  let scenario: Scenario;
  let server: S3Server;
  let bucket: Bucket;
  let proxy: FaultProxy;
  let uri: string;

  beforeAll(async () => {
    started = await startBucketScenario(clients);
    ({ scenario, server, bucket, proxy } = started);
    uri = server.storageUri('backups', 'team', { endpoint: `http://${proxy.host}:${proxy.port}` });
  });
  afterEach(() => proxy.set({}));
  afterAll(async () => {
    await started?.stop();
  });

  const both = (): string => [uri, scenario.storage].join('\n');

  function rehearse(options: ScenarioRunOptions = {}) {
    return scenario.run({
      ...options,
      inputs: { 'dry-run': 'true', storage: both(), ...options.inputs },
      env: { ...server.env, ...options.env },
    });
  }

  function takeOrReuse(inputs: Record<string, string> = {}) {
    return scenario.run({ inputs: { storage: both(), 'reuse-within-minutes': '60', ...inputs }, env: server.env });
  }

  async function everything(): Promise<[FolderState, FolderState]> {
    return [await bucket.state(), scenario.state()];
  }

  test('that is dry says what a backup would do, tries every destination, and leaves nothing', async () => {
    const before = await everything();
    const run = await rehearse({ inputs: { label: 'release-2.4.0', verify: 'source' } });
    expect(run.exitCode, run.maskedLog).toBe(0);
    const summary = readable(run.summary);
    for (const words of [
      'Dry run of a backup of',
      'nothing was backed up',
      'shop',
      'release-2.4.0',
      'zstd:1',
      'source',
    ]) {
      expect(summary).toContain(words);
    }
    expect(summary).toMatch(/database.*\d B|KiB|MiB/);
    for (const place of ['s3://backups/team', scenario.storage]) {
      expect(run.maskedLog).toContain(`${place} takes writes of this role`);
    }
    expect(Object.keys(run.outputs).sort()).toEqual(['findings', 'postgres-major', 'server-version']);
    expect(await everything()).toEqual(before);
    expect(await bucket.unfinishedUploads()).toBe(0);
    await expectTidy(scenario, run);
    expectNoSecret(run, [server.secretAccessKey]);
  });

  test('that is dry fails where the only destination takes no writes', async () => {
    proxy.set({ answerTo: { request: (head) => head.startsWith('POST '), times: 1000, response: DENIED } });
    const run = await rehearse({ inputs: { storage: uri } });
    expectFailureWords(run, {
      code: 'ERR_STORAGE_DENIED',
      happened: ['s3:PutObject'],
      action: ['Allow s3:PutObject'],
      safety: 'Nothing was written',
    });
    expect(await bucket.keys()).toEqual([]);
  });

  test('that is dry fails where one of two destinations takes no writes, and names it', async () => {
    const blocked = path.join(scenario.folder, 'blocked');
    writeFileSync(blocked, 'a file, not a folder');
    const run = await rehearse({ inputs: { storage: [uri, path.join(blocked, 'backups')].join('\n') } });
    expectFailureWords(run, {
      code: 'ERR_STORAGE',
      happened: [path.join(blocked, 'backups')],
      action: [],
      safety: 'it was a dry run',
    });
    expect(readable(run.summary)).toContain('Failed dry run');
  });

  test('that is dry fails in its preflight like any other', async () => {
    const before = scenario.state();
    const run = await rehearse({ url: scenario.url({ database: 'nowhere' }) });
    await expectFailed(scenario, run, before, {
      code: 'ERR_DATABASE_MISSING',
      happened: ['nowhere'],
      action: [],
      safety: 'Nothing was written',
    });
  });

  test('takes a recent proven backup instead of a new one, and says so', async () => {
    const first = await takeOrReuse();
    expect(first.exitCode, first.maskedLog).toBe(0);
    expect(first.maskedLog).toContain('A new backup is taken: no earlier backup is known.');
    const before = await everything();
    const second = await takeOrReuse();
    expect(second.exitCode, second.maskedLog).toBe(0);
    expect(await everything()).toEqual(before);
    for (const name of ['backup-id', 'backup-uri', 'manifest-uri', 'sha256', 'rows', 'verdict', 'restore-command']) {
      expect(second.outputs[name], name).toBe(first.outputs[name]);
    }
    expect(second.outputs.verdict).toBe('proven');
    expect(readable(second.summary)).toContain('taken instead of a new one');
    expect(readable(second.summary)).toContain('its bytes were not read again');
    expect(second.maskedLog).toMatch(/No new backup: \S+ is proven and \d+ minutes? old/);
    expect(second.groups).toEqual(['Preflight']);
  });

  test('takes a new one when another is asked for', async () => {
    const kept = await takeOrReuse({ 'keep-forever': 'true' });
    expect(kept.exitCode, kept.maskedLog).toBe(0);
    expect(kept.maskedLog).toMatch(/A new backup is taken: \S+ is not kept for ever\./);
  });

  test('takes a new one when other tables are critical, and is red when they are empty', async () => {
    await scenario.query('CREATE TABLE IF NOT EXISTS hollow (id int)');
    const recent = await takeOrReuse({ 'critical-tables': 'orders' });
    expect(recent.exitCode, recent.maskedLog).toBe(0);
    const again = await takeOrReuse({ 'critical-tables': 'orders' });
    expect(again.outputs['backup-id'], again.maskedLog).toBe(recent.outputs['backup-id']);
    const run = await takeOrReuse({ 'critical-tables': 'orders\nhollow' });
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.maskedLog).toMatch(/A new backup is taken: \S+ is not known to hold rows of every critical table/);
    expect(run.outputs.verdict).toBe('unproven');
  });

  test('takes a new one when a destination has lost a part of the recent one', async () => {
    const recent = await takeOrReuse();
    const archive = path.join(scenario.storage, 'shop', recent.outputs['backup-id'] ?? '', 'database.backup');
    expect(existsSync(archive)).toBe(true);
    rmSync(archive);
    const run = await takeOrReuse();
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs['backup-id']).not.toBe(recent.outputs['backup-id']);
    expect(run.maskedLog).toContain(`${scenario.storage} does not hold all of ${recent.outputs['backup-id']}`);
  });
});
