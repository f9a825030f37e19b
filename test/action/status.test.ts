/** `command: status` as a runner starts it: verdict, summary, outputs, exit code by `fail-on`, and the issue. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { readable } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub } from '../support/github-api.ts';
import { idOf, makeUpDrill, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';

const NOW = Date.now();
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000 - 3 * 3_600_000).toISOString();

function titles(run: ActionResult, kind: 'error' | 'warning' | 'notice'): (string | undefined)[] {
  return run.annotations.filter((each) => each.kind === kind).map(({ title }) => title);
}

describe('The status of a directory', () => {
  let root: string;
  let storage: Storage;
  let github: FakeGitHub;
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'status-action-'));
    [storage] = pruneBench([root]).storages as [Storage];
    github = await startGitHub();
  });
  afterEach(async () => {
    await github.close();
    await rm(root, { recursive: true, force: true });
  });
  const run = (inputs: Record<string, string> = {}): Promise<ActionResult> =>
    runAction({ inputs: { command: 'status', storage: root, ...inputs }, github });
  const fill = async (from: number, to: number, series = 'shop'): Promise<void> => {
    for (let days = from; days >= to; days -= 1) await makeUpSet(storage, { at: daysAgo(days), series });
    await makeUpDrill(storage, idOf({ at: daysAgo(from) }), daysAgo(0.2), series);
  };

  test('is green when all is well, and says so in log, summary and outputs', async () => {
    await fill(6, 0);
    await fill(5, 0, 'crm');
    const done = await run();
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs).toMatchObject({
      verdict: 'info',
      'backup-id': idOf({ at: daysAgo(0) }),
      'backup-uri': expect.stringContaining(`${root}/`),
    });
    const findings = JSON.parse(done.outputs.findings ?? '');
    expect(schemaErrors('findings', findings)).toEqual([]);
    expect(findings).toContainEqual({
      code: 'drill-record',
      level: 'info',
      severity: 'notice',
      series: 'shop',
      seen: expect.stringContaining('1 of 1 drill of shop'),
      action: '',
    });
    expect(done.maskedLog).toContain('All is well with the backups; the newest proven backup is ');
    const summary = readable(done.summary);
    expect(summary).toMatch(/^## ✅ All is well with the backups\n/);
    expect(summary).toContain(`| ✅ | shop | ${idOf({ at: daysAgo(0) })}, 3 h`);
    // Three hours ago may be yesterday.
    expect(summary).toMatch(/\nshop {6}·{22,23}●{7}·?\n/);
    expect(summary).toContain('  drills');
    expect(titles(done, 'error')).toEqual([]);
    expect(done.filesLeftBehind).toEqual([]);
  });

  test('with a warning is green, and red where fail-on says so', async () => {
    await fill(6, 0);
    await makeUpSet(storage, { at: new Date(NOW - 60_000).toISOString(), unproven: true });
    const lenient = await run();
    expect(lenient.exitCode, lenient.maskedLog).toBe(0);
    expect(lenient.outputs.verdict).toBe('warning');
    expect(titles(lenient, 'warning')).toEqual(['failed-since-proven']);
    const strict = await run({ 'fail-on': 'warning', name: 'shop' });
    expect(strict.exitCode).toBe(1);
    expect(titles(strict, 'error')).toEqual(['The status of "shop" has warnings (ERR_STATUS)']);
  });

  test('that is critical is red, opens an issue, and the next good one closes it', async () => {
    await fill(9, 3);
    const failed = await run({ 'expected-names': 'shop, billing' });
    expect(failed.exitCode).toBe(1);
    expect(failed.outputs.verdict).toBe('critical');
    expect(titles(failed, 'error')).toEqual([
      'series-missing',
      'backup-too-old',
      'The status is critical (ERR_STATUS)',
    ]);
    expect(failed.maskedLog).toContain('Nothing was written or removed.');
    expect(failed.maskedLog).toContain(
      `The newest proven backup of shop is 3 days 3 h old: ${root}/shop/${idOf({ at: daysAgo(3) })}`,
    );
    expect(failed.maskedLog).toContain('GitHub turns the schedule of a workflow off after 60 days');
    expect(readable(failed.summary)).toContain('❌ The backups are in danger');
    expect(failed.outputs['issue-number']).toBeDefined();
    expect(github.sent()).toContain('This issue is about all series in the storage');
    expect(github.sent()).not.toContain('did not even say');

    await makeUpSet(storage, { at: daysAgo(0), series: 'shop' });
    await makeUpSet(storage, { at: daysAgo(0), series: 'billing' });
    const good = await run({ 'expected-names': 'shop, billing' });
    expect(good.exitCode, good.maskedLog).toBe(0);
    expect(good.outputs['issue-number']).toBe(failed.outputs['issue-number']);
    expect(github.sent()).toContain('of this storage is the newest proven backup, and what was told here is over');
  });

  test('that may never fail is green, shows what is critical, and closes nothing', async () => {
    await fill(9, 3);
    const failed = await run();
    expect(failed.exitCode).toBe(1);
    const never = await run({ 'fail-on': 'never' });
    expect(never.exitCode, never.maskedLog).toBe(0);
    expect(titles(never, 'error')).toEqual(['backup-too-old']);
    expect(never.outputs).not.toHaveProperty('issue-number');
  });

  test('of a storage that cannot be read is red whatever fail-on says', async () => {
    const inputs = {
      storage: 's3://no-such-bucket/x?region=us-east-1&endpoint=http://127.0.0.1:9',
      'fail-on': 'never',
      'stall-timeout-seconds': '2',
    };
    const env = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret-word-of-the-test' };
    const done = await runAction({ inputs: { command: 'status', ...inputs }, env, github });
    expect(done.exitCode).toBe(1);
    expect(titles(done, 'error')).toEqual(['The status failed (ERR_STORAGE)']);
    expect(done.maskedLog).toContain('A status only reads: nothing was written or removed.');
  });

  test('with verify-stored-days finds a flipped byte and names its set', async () => {
    await fill(0, 0);
    // What the made-up manifests say of SHA-256 is true of nothing.
    const done = await run({ 'verify-stored-days': '1' });
    expect(done.exitCode).toBe(1);
    expect(titles(done, 'error')).toContain('stored-damaged');
    expect(done.maskedLog).toContain(`database.backup.age of ${idOf({ at: daysAgo(0) })} in ${root} is damaged`);
  });

  test('with inputs that are wrong says what', async () => {
    await writeFile(path.join(root, 'x'), '');
    const done = await run({ 'expected-every': 'daily', name: 'shop', 'expected-names': 'crm', 'keep-last': '3' });
    expect(done.exitCode).toBe(1);
    expect(done.maskedLog).toContain('"daily" is not a time');
    expect(done.maskedLog).toContain('keep-last: the command `status` does not use it');
  });
});
