/** What becomes of the local server when the process that started it is killed, and of what even its guard has left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanUp } from '../../src/post.ts';
import { removeLeftServers } from '../../src/postgres/server/leftover.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { programAvailable, testIf } from '../support/availability.ts';
import { until } from '../support/backup-scenario.ts';
import { availableMajors } from '../support/postgres-server.ts';
import { processesWith } from '../support/process-watch.ts';
import { searchWithScripts, searchWithServer } from '../support/server-search.ts';

const MAJOR = availableMajors().at(-1) ?? 0;
const SCRIPT = fileURLToPath(new URL('../support/run-server.ts', import.meta.url));
const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
/** No account of the machine has this number. */
const AS_NAMELESS = ['--reuid=54321', '--regid=54321', '--clear-groups'];
/** Guard and post step have 5 s to let a server end and some seconds to remove its folders. */
const GONE_WITHIN_MS = 15_000;

let folder: string;
let workDir: string;
let children: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'killed-'));
  workDir = path.join(folder, 'db-backup-action-run');
  await mkdir(workDir, { mode: 0o700 });
  await chmod(folder, 0o755);
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  child: ChildProcess;
  /** The first line that it printed. */
  said: Promise<{ socket?: string; version?: string; failure?: string }>;
}

function startElsewhere(as: readonly string[] = []): Started {
  const command = [...(as.length === 0 ? [] : ['setpriv', ...as]), process.execPath, SCRIPT, folder, String(MAJOR)];
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const said = once(lines, 'line').then(([line]) => JSON.parse(String(line)));
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const servers = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('db-backup-action-server-'));

const ofThisRun = () => processesWith(path.join(folder, 'db-backup-action-server'));

async function expectGone(): Promise<void> {
  const left = await until(
    async () => [...(await servers()), ...ofThisRun().map(({ commandLine }) => commandLine)],
    (seen) => seen.length === 0,
    GONE_WITHIN_MS,
  );
  expect(left).toEqual([]);
}

describe('When the process that started a local server is killed', () => {
  test('while it runs, the server ends and its folders go', async () => {
    await searchWithServer(folder, MAJOR);
    const { child, said } = startElsewhere();
    expect(await said).toMatchObject({ version: expect.stringContaining(String(MAJOR)) });
    // A backend that was just forked has the postmaster's command line for a moment.
    expect(ofThisRun().map(({ commandLine }) => commandLine)).toEqual(
      expect.arrayContaining([expect.stringContaining(' guard '), expect.stringContaining('/postgres -D ')]),
    );
    await kill(child);
    await expectGone();
  });

  test('while initdb runs, nothing is left of it either', async () => {
    await searchWithScripts(folder, MAJOR, { initdb: 'sleep 0.5; exec "$REAL" "$@"' });
    const { child } = startElsewhere();
    await until(
      () => processesWith('--pgdata=').filter(({ commandLine }) => commandLine.includes(folder)),
      (seen) => seen.length > 0,
    );
    await kill(child);
    await expectGone();
  });

  test('together with its guard, the post step ends the server and removes its folders', async () => {
    await searchWithServer(folder, MAJOR);
    const { child, said } = startElsewhere();
    await said;
    const guard = ofThisRun().find(({ commandLine }) => commandLine.includes(' guard '));
    if (guard === undefined) throw new Error('there is no guard');
    process.kill(guard.pid, 'SIGKILL');
    await kill(child);
    expect(await servers()).toHaveLength(1);
    await cleanUp(
      { STATE_workDir: workDir, STATE_reported: 'true' },
      { clock: systemClock, lookUpGoodBackup: () => Promise.reject(new Error('nobody asks')) },
    );
    expect(await readdir(folder)).toEqual(['cache']);
    await expectGone();
  });
});

describe('What is left of a server that is gone', () => {
  async function leave(note: string, pidFile?: string): Promise<string> {
    const home = path.join(folder, 'db-backup-action-server-0123456789ab');
    await mkdir(path.join(home, 'data'), { recursive: true });
    if (pidFile !== undefined) await writeFile(path.join(home, 'data/postmaster.pid'), pidFile);
    await writeFile(path.join(workDir, 'server-0123456789ab.json'), note.replaceAll('HOME', home));
    return home;
  }

  test('a number that another process has by now is not ended', async () => {
    const other = spawn('sleep', ['60']);
    children.push(other);
    await leave('{"home":"HOME","socket":"HOME"}', `${other.pid}\n/somewhere\n`);
    await removeLeftServers(workDir);
    expect(await servers()).toEqual([]);
    expect(readFileSync(`/proc/${other.pid}/cmdline`, 'utf8')).toContain('sleep');
  });

  test.each([
    ['a note that was cut short', '{"home":"HO'],
    ['a note of a folder that no server of ours has', `{"home":"${os.tmpdir()}","socket":"${os.tmpdir()}"}`],
    ['a note that leads elsewhere', '{"home":"HOME/../../db-backup-action-server-x","socket":"HOME"}'],
  ])('%s removes nothing', async (_, note) => {
    const home = await leave(note);
    await removeLeftServers(workDir);
    expect(await readdir(home)).toEqual(['data']);
    rmSync(home, { recursive: true });
  });

  test('is nothing where no server was started, or the work folder is gone', async () => {
    await removeLeftServers(workDir);
    await removeLeftServers(path.join(folder, 'gone'));
    expect(await readdir(folder)).toEqual([path.basename(workDir)]);
  });
});

describe('A local server of a run that is not root’s', () => {
  const other = programAvailable(
    'setpriv',
    [...AS_NOBODY, process.execPath, '-e', `require('fs').accessSync(${JSON.stringify(SCRIPT)})`],
    'being another user takes root, util-linux, and a checkout that all may read',
  );

  testIf(other, 'starts as that user and ends with it', async () => {
    await searchWithServer(folder, MAJOR);
    await chmod(folder, 0o777);
    await chmod(workDir, 0o777);
    const { child, said } = startElsewhere(AS_NOBODY);
    const { socket = '' } = await said;
    const pid = Number.parseInt(readFileSync(path.join(socket, 'data/postmaster.pid'), 'utf8'), 10);
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534\s+65534/m);
    await kill(child);
    await expectGone();
  });

  testIf(other, 'says what initdb says of a user without a name', async () => {
    await searchWithServer(folder, MAJOR);
    await chmod(folder, 0o777);
    await chmod(workDir, 0o777);
    const { said } = startElsewhere(AS_NAMELESS);
    expect((await said).failure).toMatch(/initdb said: .*could not look up effective user ID 54321/);
    await expectGone();
  });
});
