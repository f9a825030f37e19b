/** The files that a check reads: what is wrong with them is told together, before anything is asked. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeFailure } from '../../src/report/failure.ts';
import { runCheck } from '../support/check-bench.ts';

/** Nobody listens: a check that asked would end with ERR_CONNECT, and keep that in its storage. */
const NOBODY = 'postgresql://app@127.0.0.1:1/shop';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'check-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function wordsOf(given: Record<string, string>) {
  const storage = path.join(folder, 'backups');
  const error = await runCheck({ 'database-url': NOBODY, 'connect-window-seconds': '0', storage, ...given }).then(
    () => expect.unreachable('it asked the database'),
    (thrown: unknown) => thrown,
  );
  expect(existsSync(storage), 'something was kept').toBe(false);
  return describeFailure(error, { command: 'check' });
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(path.join(folder, name), text);
  return path.join(folder, name);
}

test('all that are wrong are told at once, each with its way out, before anything is asked', async () => {
  const { code, happened, problems } = await wordsOf({
    assertions: path.join(folder, 'missing.sql'),
    'expected-schema': path.join(folder, 'missing.txt'),
    baseline: await file('broken.json', '{"checks": ['),
  });
  expect([code, happened]).toEqual(['ERR_INPUT', '3 inputs are wrong']);
  expect(problems).toEqual([
    expect.stringMatching(/^assertions: .*ENOENT.* Check the path of `assertions`/),
    expect.stringMatching(/^expected-schema: .*ENOENT.* Check the path; /),
    expect.stringMatching(/^baseline: .*it is not JSON.* Give the `.json` file that a run with `report-path` wrote/),
  ]);
});

test.each([
  ['expected-schema', 'list.txt', '{"schemaVersion": 1}', 'Line 1 of the file of `expected-schema` is no object'],
  ['expected-schema', 'list.txt', '# all gone', 'lists no object'],
  ['baseline', 'record.json', '{"schemaVersion": 1, "name": "shop"}', 'is not the record of a check'],
  ['baseline', 'record.json', '{"schemaVersion": 99}', 'was written by a newer version'],
])('a file of %s that is of another shape (%s, %s) is told by itself', async (input, name, text, words) => {
  const { code, happened, action } = await wordsOf({ [input]: await file(name, text) });
  expect([code, happened]).toEqual(['ERR_INPUT', expect.stringContaining(words)]);
  expect(action).toContain('a run with `report-path`');
});

test('a baseline that is not there yet is a notice: the first run has none', async () => {
  const { result } = await runCheck({
    ...{ 'database-url': NOBODY, 'connect-window-seconds': '0', baseline: path.join(folder, 'first.json') },
  });
  expect(result.findings).toContainEqual(expect.objectContaining({ code: 'no-baseline', severity: 'notice' }));
});
