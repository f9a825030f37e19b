import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import type { Log } from '../../src/ports.ts';
import { type ClientSearch, findClientTools, thisMachine } from '../../src/postgres/client-tools.ts';
import { actionsExec } from '../../src/postgres/short-command.ts';
import { type Clients, clientTools } from '../support/clients.ts';

let folder: string;
let clients: Clients;
const quiet = { info: () => undefined, debug: () => undefined } as unknown as Log;

beforeEach(async (context) => {
  // A blank in the path: command lines are not to be split there.
  folder = await mkdtemp(path.join(os.tmpdir(), 'client tools-'));
  const tools = await clientTools(17);
  if ('skipped' in tools) return context.skip(tools.skipped);
  clients = tools;
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** This machine with empty places, and neither root nor sudo: nothing is ever installed from a test. */
function search(overrides: Partial<ClientSearch> = {}): ClientSearch {
  const exec: ClientSearch['exec'] = async (file, args, context) => {
    if (file === 'sudo') return { exitCode: 1, stdout: '', stderr: 'sudo: a password is required' };
    return await actionsExec(file, args, context);
  };
  return {
    ...thisMachine(process.env),
    toolCache: path.join(folder, 'cache'),
    systemRoot: path.join(folder, 'system'),
    homebrewRoots: [path.join(folder, 'brew')],
    isRoot: false,
    exec,
    log: quiet,
    signal: new AbortController().signal,
    ...overrides,
  };
}

async function linkClients(...parts: string[]): Promise<string> {
  const bin = path.join(folder, ...parts, 'bin');
  await mkdir(path.dirname(bin), { recursive: true });
  await symlink(clients.bin, bin);
  return bin;
}

async function failureOf(promise: Promise<unknown>): Promise<BackupError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BackupError);
  return error as BackupError;
}

describe('finding the client tools of the server’s own major', () => {
  test('takes the tool cache before the system', async () => {
    await linkClients('system', '17');
    const bin = await linkClients('cache', 'postgresql-client', '17.11', process.arch);
    expect(await findClientTools(17, search())).toEqual({
      major: 17,
      version: clients.version,
      pgDump: path.join(bin, 'pg_dump'),
      pgRestore: path.join(bin, 'pg_restore'),
      pgDumpall: path.join(bin, 'pg_dumpall'),
      source: 'tool-cache',
    });
  });

  test('takes the folder of its major from the system', async () => {
    await linkClients('system', '17');
    expect(await findClientTools(17, search())).toMatchObject({ source: 'system', version: clients.version });
  });

  test('takes Homebrew’s', async () => {
    await linkClients('brew', 'postgresql@17');
    expect(await findClientTools(17, search())).toMatchObject({ source: 'homebrew' });
  });

  test('refuses tools of another major that lie in the right folder, and looks further', async () => {
    const wrong = await linkClients('cache', 'postgresql-client', '16', process.arch);
    const error = await failureOf(findClientTools(16, search()));
    expect(error.code).toBe('ERR_CLIENT_MISSING');
    expect(error.message).toContain(`${wrong}/pg_dump: is version ${clients.version}, needed is 16`);
    expect(error.message).toContain(`${folder}/system/16/bin/pg_dump: not there`);
  });

  test('passes over a folder in which one of the tools is missing', async () => {
    const bin = path.join(folder, 'system/17/bin');
    await mkdir(bin, { recursive: true });
    await symlink(clients.pgDump, path.join(bin, 'pg_dump'));
    await symlink(clients.pgRestore, path.join(bin, 'pg_restore'));
    const brewed = await linkClients('brew', 'postgresql@17');
    expect(await findClientTools(17, search())).toMatchObject({ pgDumpall: path.join(brewed, 'pg_dumpall') });
  });

  test.each([
    ['that is no program', 'not a program', 0o644, 'cannot be started'],
    [
      'that fails',
      '#!/bin/sh\necho "libpq.so.5: cannot open shared object file" >&2\nexit 127\n',
      0o755,
      'libpq.so.5: cannot open',
    ],
    ['that prints something else', '#!/bin/sh\necho pg_wrapper 17\n', 0o755, 'says it is «pg_wrapper 17»'],
  ])('names a pg_dump %s', async (_, text, mode, words) => {
    const bin = path.join(folder, 'system/17/bin');
    await mkdir(bin, { recursive: true });
    for (const tool of ['pg_dump', 'pg_restore', 'pg_dumpall']) {
      await writeFile(path.join(bin, tool), text);
      await chmod(path.join(bin, tool), mode);
    }
    const error = await failureOf(findClientTools(17, search()));
    expect(error.message).toContain(
      `${bin}/pg_dump: ${words.startsWith('libpq') ? 'does not run (exit code 127)' : words}`,
    );
    expect(error.message).toContain(words);
  });

  test('hands none of the step’s secrets to the commands it runs', async () => {
    const bin = path.join(folder, 'system/17/bin');
    await mkdir(bin, { recursive: true });
    await writeFile(path.join(bin, 'pg_dump'), '#!/bin/sh\nenv >&2\nexit 1\n', { mode: 0o755 });
    const env = {
      PATH: process.env.PATH,
      'INPUT_DATABASE-URL': 'postgresql://u:hunter2@h/d',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
    };
    const error = await failureOf(findClientTools(17, search({ env })));
    expect(error.message).toContain('LC_ALL=C');
    expect(error.message).not.toContain('hunter2');
  });
});

describe('when the tools are nowhere', () => {
  test('the error lists every place and what to type', async () => {
    const error = await failureOf(findClientTools(17, search({ platform: 'linux' })));
    expect(error.code).toBe('ERR_CLIENT_MISSING');
    for (const place of ['system/17/bin/pg_dump: not there', 'brew/postgresql@17/bin/pg_dump: not there', 'apt-get:']) {
      expect(error.message).toContain(place);
    }
    expect(error.hint).toContain('sudo apt-get install -y postgresql-client-17');
  });

  test('nothing is installed on other platforms', async () => {
    const error = await failureOf(findClientTools(17, search({ platform: 'darwin' })));
    expect(error.message).toContain('nothing is installed by itself on darwin');
    expect(error.hint).toContain('brew install postgresql@17');
  });

  test('a real apt whose mirror is dead ends as a failed installation, with nothing changed', async (context) => {
    const apt = await actionsExec('apt-get', ['--version'], search()).catch((error: Error) => error);
    if (apt instanceof Error) return context.skip(`no apt-get here: ${apt.message}`);
    const error = await failureOf(findClientTools(17, await searchWithDeadMirror()));
    expect(error.code).toBe('ERR_CLIENT_INSTALL');
    expect(error.message).toContain("the machine's own apt sources: they have no package postgresql-client-17");
    expect(error.message).toContain('the PostgreSQL apt repository: it could not be reached, or has no package');
  });

  test('an aborted search ends with the reason of the signal', async () => {
    const reason = new Error('cancelled');
    await expect(findClientTools(17, search({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });
});

/** Real apt commands as root would run them, on an apt root of their own whose only mirror refuses connections. */
async function searchWithDeadMirror(): Promise<ClientSearch> {
  const root = path.join(folder, 'apt').replaceAll(' ', '_');
  const script = path.join(folder, 'pgdg.sh');
  await writeFile(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  for (const part of ['lists/partial', 'cache/archives/partial'])
    await mkdir(path.join(root, part), { recursive: true });
  await writeFile(path.join(root, 'status'), '');
  await writeFile(path.join(root, 'sources.list'), 'deb http://127.0.0.1:1/debian bookworm main\n');
  await writeFile(
    path.join(root, 'apt.conf'),
    `Dir::Etc::sourcelist "${root}/sources.list";\nDir::Etc::sourceparts "-";\nDir::State "${root}";\n` +
      `Dir::State::lists "${root}/lists";\nDir::State::status "${root}/status";\nDir::Cache "${root}/cache";\n` +
      `APT::Sandbox::User "";\nDebug::NoLocking "true";\n`,
  );
  const exec: ClientSearch['exec'] = (file, args, context) =>
    actionsExec('env', [`APT_CONFIG=${root}/apt.conf`, file, ...args], context);
  return search({ isRoot: true, pgdgScript: script, exec, platform: 'linux' });
}
