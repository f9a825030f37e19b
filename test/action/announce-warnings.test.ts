/** What a green run warns of: told once, told that it is over, and never in an issue. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ActionsCache, startActionsCache } from '../support/actions-cache.ts';
import { withGitHub } from '../support/alarm-bench.ts';
import { announceBench } from '../support/announce-bench.ts';
import { schemaErrors } from '../support/published-schemas.ts';

const bench = announceBench();

describe('A backup with a warning', () => {
  let cache: ActionsCache;
  let temp: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    cache = await startActionsCache();
    temp = await mkdtemp(path.join(os.tmpdir(), 'announce-warnings-'));
    // As on a hosted runner, where this folder has one path: entries of the cache are bound to it.
    env = { ...cache.env, RUNNER_TEMP: temp };
  });
  afterEach(async () => {
    await cache.stop();
    await rm(temp, { recursive: true, force: true });
  });

  test('is told once, and that it is over; no issue is opened', () =>
    withGitHub(async (github) => {
      for (const runId of ['1', '2']) {
        const run = await bench.playTold('succeed', github, { runId, env });
        expect(run.exitCode, run.maskedLog).toBe(0);
      }
      expect(bench.events()).toEqual(['warning']);
      expect(bench.slack.calls).toHaveLength(1);
      const told = JSON.parse(bench.hook.calls[0]?.body ?? '');
      expect(schemaErrors('webhook', told)).toEqual([]);
      expect(told).toMatchObject({
        level: 'warning',
        code: 'size-changed',
        title: 'The backup of "shop" is proven, with a warning',
        happened: expect.stringContaining('It shrank.'),
        action: 'Look.',
        issueUrl: null,
      });
      expect(bench.slack.calls[0]?.body).toContain('It shrank.');

      for (const runId of ['3', '4']) await bench.playTold('calm', github, { runId, env });
      expect(bench.events()).toEqual(['warning', 'recovery']);
      expect(bench.slack.calls[1]?.body).toContain('No warning any more: the backup of \\"shop\\" is proven');

      await bench.playTold('succeed', github, { runId: '5', env });
      expect(bench.events().at(-1)).toBe('warning');
      expect(github.issues).toEqual([]);
    }));

  test('is reminded of, and told to whoever was not reached', () =>
    withGitHub(async (github) => {
      bench.slack.answer = () => ({ status: 403 });
      await bench.playTold('succeed', github, { runId: '1', env });
      bench.slack.answer = () => ({ status: 200 });
      const before = bench.slack.calls.length;
      await bench.playTold('succeed', github, { runId: '2', env });
      expect(bench.slack.calls).toHaveLength(before + 1);
      expect(bench.events().filter((event) => event === 'warning')).toHaveLength(1);
      await bench.playTold('succeed', github, { runId: '3', env, inputs: { 'remind-after-hours': '0' } });
      expect(bench.events().at(-1)).toBe('reminder');
      expect(bench.slack.calls.at(-1)?.body).toContain('Still: The backup of');
    }));

  test('that ends a failure is told with the recovery', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { runId: '1', env });
      for (const runId of ['2', '3']) await bench.playTold('succeed', github, { runId, env });
      expect(bench.events()).toEqual(['failure', 'recovery']);
      expect(bench.slack.calls[1]?.body).toContain('It shrank.');
    }));

  test('is told each time where nothing remembers it, and not at all where it is not wanted', () =>
    withGitHub(async (github) => {
      for (const runId of ['1', '2']) await bench.playTold('succeed', github, { runId });
      expect(bench.events()).toEqual(['warning', 'warning']);
      await bench.playTold('succeed', github, { runId: '3', env, inputs: { 'notify-on': 'failure, recovery' } });
      expect(bench.events()).toHaveLength(2);
      expect(cache.calls).toEqual([]);
    }));

  test.each(['down', 'read-only', 'silent'] as const)('is told and green while the cache is %s', (mood) =>
    withGitHub(async (github) => {
      cache.mood = mood;
      const run = await bench.playTold('succeed', github, { env });
      expect(run.exitCode, run.maskedLog).toBe(0);
      expect(bench.events()).toEqual(['warning']);
      expect(run.seconds).toBeLessThan(16);
    }),
  );

  test('does not hold up a cancellation while the cache is silent', () =>
    withGitHub(async (github) => {
      cache.mood = 'silent';
      let isCancelled = false;
      const run = await bench.playTold('succeed', github, {
        env,
        onLine: (line, action) => {
          if (isCancelled || !line.startsWith('Proven: ')) return;
          isCancelled = true;
          setTimeout(() => action.cancel(), 1_000);
        },
      });
      expect(isCancelled).toBe(true);
      expect(run.exitCode, run.maskedLog).toBe(0);
      expect(run.seconds).toBeLessThan(7);
    }));
});
