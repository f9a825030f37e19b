/** Fetched client tools in GitHub's cache: by the real library, from a server that speaks as GitHub's does. */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openClientCache } from '../../src/postgres/client-cache.ts';
import { findClientTools, thisMachine } from '../../src/postgres/client-tools.ts';
import { systemExec } from '../../src/postgres/short-command.ts';
import { type ActionsCache, startActionsCache } from '../support/actions-cache.ts';
import { recordingLog, type SilentLog } from '../support/silent-log.ts';

const KEY = 'tools-17';
const WORKER = new URL('../../src/postgres/client-cache-worker.ts', import.meta.url);

let server: ActionsCache;
let temp: string;
let log: SilentLog;

beforeEach(async () => {
  server = await startActionsCache();
  temp = await mkdtemp(path.join(os.tmpdir(), 'client-cache-'));
  log = recordingLog();
});
afterEach(async () => {
  await server.stop();
  await rm(temp, { recursive: true, force: true });
});

/** One run: a work folder of its own in the runner's temporary folder. */
async function run(
  options: { env?: Record<string, string | undefined>; limitSeconds?: number; signal?: AbortSignal } = {},
) {
  const workDir = await mkdtemp(path.join(temp, 'run-'));
  const env = { PATH: process.env.PATH, HOME: temp, ...server.env, ...options.env };
  const signal = options.signal ?? new AbortController().signal;
  const { limitSeconds = 60 } = options;
  const cache = openClientCache({ env, tempDirectory: temp, workDir, workerUrl: WORKER, log, signal, limitSeconds });
  return { workDir, cache, folder: path.join(workDir, 'client-tools') };
}

/** Tools that say what they are told to. */
async function makeTools(folder: string, version: string, text = `#!/bin/sh\necho "tool (PostgreSQL) ${version}"\n`) {
  await mkdir(path.join(folder, 'bin'), { recursive: true });
  for (const tool of ['pg_dump', 'pg_restore', 'pg_dumpall']) {
    await writeFile(path.join(folder, 'bin', tool), text);
    await chmod(path.join(folder, 'bin', tool), 0o755);
  }
}

async function save(key = KEY): Promise<void> {
  const { cache, folder } = await run();
  await makeTools(folder, '17.11');
  await cache?.save(key, folder);
  expect(await readdir(path.join(folder, 'bin'))).toHaveLength(3);
}

describe('the cache of client tools', () => {
  test('gives back in a later run what was saved in an earlier one', async () => {
    await save();
    expect([...server.entries.keys()]).toEqual([KEY]);
    const { cache, folder } = await run();
    expect(await cache?.restore(KEY, folder)).toBe(true);
    expect(
      (
        await systemExec(path.join(folder, 'bin/pg_dump'), ['--version'], {
          env: {},
          signal: new AbortController().signal,
        })
      ).stdout,
    ).toContain('17.11');
    expect((await readdir(temp)).filter((name) => !name.startsWith('run-'))).toEqual([]);
  });

  test('gives nothing for a key of which only the beginning fits', async () => {
    await save(`${KEY}-more`);
    const { cache, folder } = await run();
    expect(await cache?.restore(KEY, folder)).toBe(false);
  });

  test('is not there where the runner offers none', async () => {
    for (const name of ['ACTIONS_RESULTS_URL', 'ACTIONS_RUNTIME_TOKEN']) {
      expect((await run({ env: { [name]: '' } })).cache).toBeUndefined();
    }
  });

  test('shows tar nothing of the step’s environment but what it needs', async () => {
    const bin = path.join(temp, 'bin');
    await mkdir(bin);
    const seen = path.join(temp, 'seen');
    await writeFile(path.join(bin, 'tar'), `#!/bin/sh\nenv >> '${seen}'\nPATH=/usr/bin:/bin exec tar "$@"\n`, {
      mode: 0o755,
    });
    const { cache, folder } = await run({
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        'INPUT_DATABASE-URL': 'postgresql://u:hunter2@h/d',
        PGPASSWORD: 'hunter2',
      },
    });
    await makeTools(folder, '17.11');
    await cache?.save(KEY, folder);
    const { stdout } = await systemExec('cat', [seen], { env: {}, signal: new AbortController().signal });
    expect(stdout).toContain('ACTIONS_RESULTS_URL');
    expect(stdout).not.toContain('hunter2');
  });

  test.each(['down', 'silent'] as const)('that is %s costs a warning and a bounded time', async (mood) => {
    await save();
    server.mood = mood;
    const { cache, folder } = await run({ limitSeconds: 2 });
    expect(await cache?.restore(KEY, folder)).toBe(false);
    await makeTools(folder, '17.11');
    await cache?.save('another', folder);
    expect(await readdir(path.join(folder, 'bin'))).toHaveLength(3);
    const warnings = log.lines.filter((line) => line.startsWith("GitHub's cache could not"));
    expect(warnings).toEqual([
      "GitHub's cache could not be read: it took longer than 2 s. The backup does not depend on it.",
      "GitHub's cache could not be written: it took longer than 2 s. The backup does not depend on it.",
    ]);
  });

  test('that refuses at once is told in its own words', async () => {
    const { cache, folder } = await run({ env: { ACTIONS_RUNTIME_TOKEN: 'expired' } });
    expect(await cache?.restore(KEY, folder)).toBe(false);
    expect(log.lines.join('\n')).toMatch(/could not be read: .*401/);
  });

  test('that may only be read says so once and goes on', async () => {
    server.mood = 'read-only';
    await save();
    expect(log.lines.join('\n')).toMatch(/could not be written: .*read-only/);
  });

  test('whose entry is cut short gives nothing', async () => {
    await save();
    const entry = server.entries.get(KEY);
    if (entry !== undefined) entry.blob = entry.blob.subarray(0, entry.blob.length / 2);
    const { cache, folder } = await run();
    expect(await cache?.restore(KEY, folder)).toBe(false);
    expect(log.lines.join('\n')).toContain('could not be read');
  });

  test('ends when the run is cancelled', async () => {
    server.mood = 'silent';
    const reason = new Error('cancelled');
    const controller = new AbortController();
    const { cache, folder } = await run({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 200);
    await expect(cache?.restore(KEY, folder)).rejects.toBe(reason);
  });
});

describe('what lies in the cache', () => {
  /** A search that finds nothing but the cache: without apt. */
  async function search(now = new Date('2026-11-21T02:00:00Z')) {
    const { workDir, cache } = await run();
    if (cache === undefined) throw new Error('there is a cache');
    return {
      ...thisMachine({ PATH: process.env.PATH }),
      platform: 'linux' as const,
      systemRoot: path.join(temp, 'none'),
      homebrewRoots: [],
      repository: { uri: 'http://127.0.0.2:1', key: '' },
      workDir,
      now,
      cache,
      log,
      signal: new AbortController().signal,
      exec: async (...[file, args, context]: Parameters<typeof systemExec>) => {
        if (file === 'apt-get') throw new Error('spawn apt-get ENOENT');
        return await systemExec(file, args, context);
      },
    };
  }

  /** Has the cache hold tools under the key that a search of this month will ask for. */
  async function fill(version: string, text?: string): Promise<void> {
    const probe = await search();
    await findClientTools(17, { ...probe, cache: { ...spy(), save: async () => undefined } }).catch(() => undefined);
    const { cache, folder } = await run();
    await makeTools(folder, version, text);
    await cache?.save(asked[0] ?? '', folder);
  }
  let asked: string[];
  beforeEach(() => {
    asked = [];
  });
  function spy() {
    return {
      restore: async (key: string) => {
        asked.push(key);
        return false;
      },
    };
  }

  test('is taken when it runs and is of the major', async () => {
    await fill('17.11');
    const { tools } = await findClientTools(17, await search());
    expect(tools).toMatchObject({ version: '17.11', source: 'cache' });
  });

  test('is asked for again after a month', async () => {
    await fill('17.11');
    await expect(findClientTools(17, await search(new Date('2026-12-01T02:00:00Z')))).rejects.toMatchObject({
      code: 'ERR_CLIENT_MISSING',
    });
  });

  test.each([
    [
      'of another system',
      '17.11',
      '\x7fELF\x02 for another processor',
      /does not run here: .*does not run: it is a program for another system/,
    ],
    [
      'that lacks a library',
      '17.11',
      '#!/bin/sh\necho "libpq.so.5: cannot open shared object file" >&2\nexit 127\n',
      /libpq\.so\.5/,
    ],
    ['of another major', '16.15', undefined, /is version 16\.15, needed is 17/],
    ['with a known hole', '17.9', undefined, /17\.9 has a known hole/],
  ])('is not used when it is something %s, and the search goes on', async (_, version, text, words) => {
    await fill(version, text);
    const error = await findClientTools(17, await search()).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'ERR_CLIENT_MISSING', message: expect.stringMatching(words) });
    expect(log.lines.join('\n')).toMatch(/It is fetched anew/);
  });
});
