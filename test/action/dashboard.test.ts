/** The dashboard as a status writes it: where it was asked for, green or red, and without anything secret. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { readable } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub } from '../support/github-api.ts';
import { tagsOf, textOf } from '../support/html.ts';
import { idOf, makeUpDrill, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';

const NOW = Date.now();
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000 - 3 * 3_600_000).toISOString();

describe('The dashboard of a status', () => {
  let root: string;
  let folder: string;
  let file: string;
  let storage: Storage;
  let github: FakeGitHub;
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'dashboard-storage-'));
    folder = await mkdtemp(path.join(os.tmpdir(), 'dashboard-page-'));
    file = path.join(folder, 'pages', 'dashboard.html');
    [storage] = pruneBench([root]).storages as [Storage];
    github = await startGitHub();
  });
  afterEach(async () => {
    await github.close();
    await rm(root, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  });
  const run = (inputs: Record<string, string> = {}): Promise<ActionResult> =>
    runAction({ inputs: { command: 'status', storage: root, dashboard: file, ...inputs }, github });

  test('is written where it was asked for, with the verdict, what to type and the run', async () => {
    for (let days = 4; days >= 0; days -= 1) await makeUpSet(storage, { at: daysAgo(days) });
    await makeUpDrill(storage, idOf({ at: daysAgo(1) }), daysAgo(0.5));
    const done = await run();
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs['dashboard-path']).toBe(file);
    const page = await readFile(file, 'utf8');
    const links = tagsOf(page).flatMap(({ attributes }) => attributes.href ?? []);
    expect(links).toContainEqual(expect.stringMatching(/^https:.*\/actions\/runs\/\d+/));
    const text = textOf(page);
    expect(text).toMatch(
      /You could recover shop today: last proven backup 3 h( \d+ min)? ago, last brought back by a drill/,
    );
    expect(text).toContain(`--field backup=${idOf({ at: daysAgo(0) })}`);
    expect(text).toContain(`${root}/shop/${idOf({ at: daysAgo(0) })}/RESTORE.md`);
  });

  test('is written by a red run too, with what is critical', async () => {
    await makeUpSet(storage, { at: daysAgo(9) });
    const done = await run();
    expect(done.exitCode).toBe(1);
    expect(done.outputs['dashboard-path']).toBe(file);
    const text = textOf(await readFile(file, 'utf8'));
    expect(text).toContain('It is not certain that you could recover shop today');
    expect(text).toContain('critical shop backup-too-old');
  });

  test('that cannot be written is a warning, and changes nothing of the verdict', async () => {
    await makeUpSet(storage, { at: daysAgo(0) });
    await writeFile(path.join(folder, 'pages'), '');
    const done = await run();
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs['dashboard-path']).toBeUndefined();
    expect(done.maskedLog).toContain(`could not be written to ${file}`);
    expect(readable(done.summary)).toContain('The dashboard could not be written to');
  });

  test('is not written when nobody asked', async () => {
    await makeUpSet(storage, { at: daysAgo(0) });
    const done = await run({ dashboard: '' });
    expect(done.outputs).not.toHaveProperty('dashboard-path');
  });
});
