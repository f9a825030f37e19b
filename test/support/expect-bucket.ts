/** What a run must have made of a bucket: one whole new set, or nothing at all. */
import { expect } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.ts';
import type { FolderState, Scenario, ScenarioRun } from './backup-scenario.ts';
import type { Bucket } from './bucket.ts';
import { type ExpectedFailure, expectFailureWords, expectNoResult, expectNoSecret, expectTidy } from './expect-run.ts';
import type { S3Server } from './s3-servers.ts';

/** Where the run wrote, below the prefix `team`, and what was there before it. */
export interface BucketBefore {
  scenario: Scenario;
  server: S3Server;
  bucket: Bucket;
  before: FolderState;
  /** Uploads that were left unfinished there on purpose; none by default. */
  unfinished?: number;
}

/** Red, and the bucket is as it was. */
export async function expectNothingNew(at: BucketBefore, run: ScenarioRun, expected: ExpectedFailure): Promise<void> {
  expectFailureWords(run, expected);
  expectNoResult(run);
  expect(Object.fromEntries(await at.bucket.state())).toEqual(Object.fromEntries(at.before));
  expect(await at.bucket.unfinishedUploads()).toBe(at.unfinished ?? 0);
  await expectTidy(at.scenario, run);
  expectNoSecret(run, [at.server.secretAccessKey]);
}

/** Proven, with older sets as they were and one new one whose bytes are what its manifest says. */
export async function expectOneNewSet(at: BucketBefore, run: ScenarioRun): Promise<void> {
  const { bucket, before } = at;
  expect(run.exitCode, run.maskedLog).toBe(0);
  const after = await bucket.state();
  for (const [key, sha256] of before) expect(after.get(key)).toBe(sha256);
  const folder = `team/${run.outputs['backup-uri']?.split('/team/')[1]}/`;
  const fresh = [...after].filter(([key]) => !before.has(key));
  expect(fresh.every(([key]) => key.startsWith(folder))).toBe(true);
  const manifest: Manifest = JSON.parse((await bucket.read(`${folder}metadata.json`)).toString('utf8'));
  expect(manifest.verdict).toBe('proven');
  expect(fresh).toHaveLength(manifest.objects.length + 1);
  for (const { name, sha256 } of manifest.objects) expect(after.get(`${folder}${name}`)).toBe(sha256);
  expect(await bucket.unfinishedUploads()).toBe(at.unfinished ?? 0);
  await expectTidy(at.scenario, run);
}
