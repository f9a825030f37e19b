import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import { type ClientSearch, type ClientTools, findClientTools, thisMachine } from '../../src/postgres/client-tools.ts';
import { systemExec } from '../../src/postgres/short-command.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { silentLog } from '../support/silent-log.ts';

let folder: string;
let clients: Clients;

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

/** This machine with empty places and without apt. */
function search(overrides: Partial<ClientSearch> = {}): ClientSearch {
  const exec: ClientSearch['exec'] = async (file, args, context) => {
    if (file === 'apt-get') throw new Error('spawn apt-get ENOENT');
    return await systemExec(file, args, context);
  };
  return {
    ...thisMachine(process.env),
    toolCache: path.join(folder, 'cache'),
    systemRoot: path.join(folder, 'system'),
    homebrewRoots: [path.join(folder, 'brew')],
    repository: { uri: 'http://127.0.0.1:1', key: '' },
    workDir: folder,
    now: new Date(),
    exec,
    log: silentLog,
    signal: new AbortController().signal,
    ...overrides,
  };
}

async function find(major: number, given: ClientSearch): Promise<ClientTools> {
  return (await findClientTools(major, given)).tools;
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
    expect(await find(17, search())).toEqual({
      major: 17,
      version: clients.version,
      pgDump: path.join(bin, 'pg_dump'),
      pgRestore: path.join(bin, 'pg_restore'),
      pgDumpall: path.join(bin, 'pg_dumpall'),
      psql: path.join(bin, 'psql'),
      source: 'tool-cache',
      env: {},
    });
  });

  test('does without psql, and takes none of another version', async () => {
    const bin = path.join(folder, 'system', '17', 'bin');
    await mkdir(bin, { recursive: true });
    const links = { pg_dump: clients.pgDump, pg_restore: clients.pgRestore, pg_dumpall: clients.pgDumpall };
    for (const [name, target] of Object.entries(links)) await symlink(target, path.join(bin, name));
    expect(await find(17, search())).not.toHaveProperty('psql');
    const psql = path.join(bin, 'psql');
    await writeFile(psql, "#!/bin/sh\necho 'psql (PostgreSQL) 17.1'\n");
    await chmod(psql, 0o755);
    expect(await find(17, search())).not.toHaveProperty('psql');
    await rm(psql);
    await symlink(clients.psql, psql);
    expect(await find(17, search())).toMatchObject({ psql });
  });

  test('takes the folder of its major from the system', async () => {
    await linkClients('system', '17');
    expect(await find(17, search())).toMatchObject({ source: 'system', version: clients.version });
  });

  test('takes Homebrew’s', async () => {
    await linkClients('brew', 'postgresql@17');
    expect(await find(17, search())).toMatchObject({ source: 'homebrew' });
  });

  test('refuses tools of another major that lie in the right folder, and looks further', async () => {
    const wrong = await linkClients('cache', 'postgresql-client', '16', process.arch);
    const error = await failureOf(find(16, search()));
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
    expect(await find(17, search())).toMatchObject({ pgDumpall: path.join(brewed, 'pg_dumpall') });
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
    const error = await failureOf(find(17, search()));
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
    const error = await failureOf(find(17, search({ env })));
    expect(error.message).toContain('LC_ALL=C');
    expect(error.message).not.toContain('hunter2');
  });
});

describe('when the tools are nowhere', () => {
  test('the error lists every place and what to type', async () => {
    const error = await failureOf(find(17, search({ platform: 'linux' })));
    expect(error.code).toBe('ERR_CLIENT_MISSING');
    for (const place of ['system/17/bin/pg_dump: not there', 'brew/postgresql@17/bin/pg_dump: not there', 'apt-get:']) {
      expect(error.message).toContain(place);
    }
    expect(error.hint).toContain('sudo apt-get install -y postgresql-client-17');
  });

  test('nothing is fetched on other platforms', async () => {
    const error = await failureOf(find(17, search({ platform: 'darwin' })));
    expect(error.message).toContain('nothing is fetched by itself on darwin');
    expect(error.hint).toContain('brew install postgresql@17');
  });

  test('an aborted search ends with the reason of the signal', async () => {
    const reason = new Error('cancelled');
    await expect(find(17, search({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });
});
