/** A local server that cannot be had says why, in the words of whoever refused it, and leaves nothing. */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeServerHome } from '../../src/postgres/server/home.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { testIf } from '../support/availability.ts';
import { availableMajors } from '../support/postgres-server.ts';
import { processesWith } from '../support/process-watch.ts';
import { runTool } from '../support/run-tool.ts';
import { AS_ROOT, MAJOR, serverBench } from '../support/server-bench.ts';
import { emptySearch, searchWithScripts, searchWithServer } from '../support/server-search.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';

const bench = serverBench();

describe('A local server that cannot be had', () => {
  const quick = { ...systemClock, sleep: (ms: number, over?: AbortSignal) => systemClock.sleep(Math.min(ms, 5), over) };

  test('names every place that was looked at, and what to add to the job', async () => {
    const error = await bench.failureOf({ search: emptySearch(bench.folder) });
    expect(error).toMatchObject({
      code: 'ERR_DRILL_SERVER',
      hint: expect.stringMatching(/services: \{ postgres: .*postgres:18.*target-database-url/),
    });
    for (const place of [
      `${bench.folder}/system/18/bin/initdb: not there`,
      `${bench.folder}/brew/`,
      'apt-get: is not on this',
    ]) {
      expect(error.message).toContain(place);
    }
  });

  test('passes over binaries without their libraries, in the words of the loader', async () => {
    const search = await searchWithScripts(bench.folder, MAJOR, {});
    const bin = path.join(bench.folder, 'cache/postgresql-server', String(MAJOR), process.arch, 'bin');
    const real = /REAL='(.*)'/.exec(readFileSync(path.join(bin, 'postgres'), 'utf8'))?.[1] ?? '';
    await rm(path.join(bin, 'postgres'));
    await runTool('cp', [real, path.join(bin, 'postgres')]);
    expect((await bench.failureOf({ search })).message).toMatch(
      /postgres: does not run .*error while loading shared libraries/,
    );
  });

  test('passes over binaries of another major', async () => {
    const search = await searchWithServer(bench.folder, availableMajors()[0] ?? 0);
    await runTool('mv', [
      path.join(bench.folder, 'cache/postgresql-server', String(availableMajors()[0])),
      path.join(bench.folder, 'cache/postgresql-server', String(MAJOR)),
    ]);
    expect((await bench.failureOf({ search })).message).toContain(`needed is ${MAJOR}`);
  });

  testIf(AS_ROOT, 'passes over binaries where its account may not go', async () => {
    const search = await searchWithServer(bench.folder, MAJOR);
    await chmod(path.join(bench.folder, 'cache'), 0o700);
    expect((await bench.failureOf({ search })).message).toMatch(/not every folder on the way may be entered by \w+/);
  });

  testIf(canMount(), 'says what initdb says of a disk that is full', async () => {
    const small = path.join(bench.folder, 'small');
    await mkdir(small);
    const unmount = mountSmall(small, 12);
    try {
      await chmod(small, 0o755);
      const workDir = path.join(small, 'work');
      await mkdir(workDir);
      const error = await bench.failureOf({ workDir, search: await searchWithServer(bench.folder, MAJOR) });
      expect(error).toMatchObject({
        code: 'ERR_DRILL_SERVER',
        message: expect.stringMatching(/initdb said: [\s\S]*No space left on device/),
      });
      expect(await readdir(small)).toEqual(['work']);
    } finally {
      unmount();
    }
  });

  test('says what the server says that gets no memory', async () => {
    const search = await searchWithScripts(bench.folder, MAJOR, {
      postgres: 'exec "$REAL" "$@" -c shared_buffers=8000GB',
    });
    expect(await bench.failureOf({ search })).toMatchObject({
      code: 'ERR_DRILL_SERVER',
      message: expect.stringMatching(/did not start. It said: [\s\S]*could not map anonymous shared memory/),
    });
  });

  test('does not wait for an initdb that hangs', async () => {
    const search = await searchWithScripts(bench.folder, MAJOR, { initdb: 'exec sleep 61' });
    const error = await bench.failureOf({ search, clock: quick });
    expect(error.message).toContain('did not end within 120 s');
    expect(processesWith('sleep 61')).toEqual([]);
  });

  test('does not wait for a server that never gets ready', async () => {
    const search = await searchWithScripts(bench.folder, MAJOR, { postgres: 'exec sleep 62' });
    const patient = {
      ...quick,
      sleep: (ms: number, over?: AbortSignal) => systemClock.sleep(ms === 20 ? 0 : ms, over),
    };
    expect((await bench.failureOf({ search, clock: patient })).message).toContain('was not ready after 60 s');
    expect(processesWith('sleep 62')).toEqual([]);
  });

  test('is refused where root has no account to lend', async () => {
    const machine = { platform: process.platform, uid: 0, passwdFile: path.join(bench.folder, 'passwd') };
    await expect(makeServerHome(MAJOR, bench.workDir, machine)).rejects.toMatchObject({
      code: 'ERR_DRILL_SERVER',
      message: expect.stringContaining('no account postgres, nobody or daemon'),
    });
    await bench.expectNothingLeft();
  });

  test('is refused where no folder can be made', async () => {
    const workDir = path.join(bench.folder, 'gone/work');
    const error = await bench.start({ workDir, search: emptySearch(bench.folder) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_DRILL_SERVER' });
  });
});
