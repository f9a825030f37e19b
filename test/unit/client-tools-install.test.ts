import { describe, expect, test } from 'vitest';
import { type AptContext, installWithApt } from '../../src/postgres/client-install.ts';
import type { CommandOutput } from '../../src/postgres/short-command.ts';

const OK: CommandOutput = { exitCode: 0, stdout: '', stderr: '' };
const CANDIDATE: CommandOutput = {
  ...OK,
  stdout: 'postgresql-client-17:\n  Installed: (none)\n  Candidate: 17.11-1\n',
};
const NO_CANDIDATE: CommandOutput = {
  ...OK,
  stdout: 'postgresql-client-17:\n  Installed: (none)\n  Candidate: (none)\n',
};
const failed = (stderr: string): CommandOutput => ({ exitCode: 100, stdout: '', stderr });

/**
 * A machine as a list of commands and their outcomes, each used up in order; the last one of a command stays.
 * What apt really does is in the integration test: here are the machines that one test run cannot be.
 */
function machine(outcomes: Record<string, CommandOutput[]>, options: Partial<AptContext> = {}) {
  const ran: string[] = [];
  const logged: string[] = [];
  const log = {
    info: (message: string) => void logged.push(message),
    debug: () => undefined,
  } as unknown as AptContext['log'];
  const context: AptContext = {
    isRoot: true,
    pgdgScript: '/dev/null',
    env: {},
    signal: new AbortController().signal,
    log,
    exec: async (file, args) => {
      const words = [file, ...args].filter((word) => !/^-|=/.test(word));
      const command = words.join(' ');
      ran.push(command);
      const queue = outcomes[command] ?? [];
      const outcome = queue.length > 1 ? queue.shift() : queue[0];
      if (outcome === undefined) throw new Error(`Unable to locate executable file: ${file}`);
      return outcome;
    },
    ...options,
  };
  return { context, ran, logged };
}

describe('installing a client with apt', () => {
  test('from own sources needs one command when the lists are there', async () => {
    const { context, ran, logged } = machine({
      'apt-get': [OK],
      'apt-cache policy postgresql-client-17': [CANDIDATE],
      'apt-get install postgresql-client-17': [OK],
    });
    expect(await installWithApt(17, context)).toEqual({ done: true });
    expect(ran).not.toContain('apt-get update');
    expect(logged).toEqual(['Installing postgresql-client-17 with apt-get …']);
  });

  test('fetches the lists first when there are none, as in a container', async () => {
    const { context, ran } = machine({
      'apt-get': [OK],
      'apt-cache policy postgresql-client-17': [NO_CANDIDATE, CANDIDATE],
      'apt-cache policy postgresql-client-common': [NO_CANDIDATE],
      'apt-get update': [OK],
      'apt-get install postgresql-client-17': [OK],
    });
    expect(await installWithApt(17, context)).toEqual({ done: true });
    expect(ran.indexOf('apt-get update')).toBeLessThan(ran.indexOf('apt-get install postgresql-client-17'));
  });

  test('fetches the lists again when they are stale and the package is gone from the mirror', async () => {
    const { context } = machine({
      'apt-get': [OK],
      'apt-cache policy postgresql-client-17': [CANDIDATE],
      'apt-get install postgresql-client-17': [failed('E: Failed to fetch 404 Not Found'), OK],
      'apt-get update': [OK],
    });
    expect(await installWithApt(17, context)).toEqual({ done: true });
  });

  test('goes on to the PostgreSQL repository when the distribution has no such major', async () => {
    const { context, ran } = machine({
      'apt-get': [OK],
      'apt-cache policy postgresql-client-17': [NO_CANDIDATE, CANDIDATE],
      'apt-cache policy postgresql-client-common': [CANDIDATE],
      '/dev/null': [OK],
      'apt-get install postgresql-client-17': [OK],
    });
    expect(await installWithApt(17, context)).toEqual({ done: true });
    expect(ran).toContain('/dev/null');
    expect(ran).not.toContain('apt-get update');
  });

  test('brings the script of the PostgreSQL repository along where it is missing', async () => {
    const { context, ran } = machine(
      {
        'apt-get': [OK],
        'apt-cache policy postgresql-client-17': [NO_CANDIDATE, CANDIDATE],
        'apt-cache policy postgresql-client-common': [CANDIDATE],
        'apt-get install postgresql-common': [OK],
        '/nowhere/apt.sh': [OK],
        'apt-get install postgresql-client-17': [OK],
      },
      { pgdgScript: '/nowhere/apt.sh' },
    );
    expect(await installWithApt(17, context)).toEqual({ done: true });
    expect(ran).toContain('apt-get install postgresql-common');
  });

  test('says so when apt-get is not there, and counts that as not attempted', async () => {
    const { context } = machine({});
    expect(await installWithApt(17, context)).toEqual({
      done: false,
      attempted: false,
      reasons: ['apt-get: is not on this machine, so nothing could be installed'],
    });
  });

  test('says so when there are no rights, and does not try', async () => {
    const { context, ran } = machine(
      { 'apt-get': [OK], 'sudo true': [failed('sudo: a password is required')] },
      { isRoot: false },
    );
    const outcome = await installWithApt(17, context);
    expect(outcome).toMatchObject({ done: false, attempted: false });
    expect(JSON.stringify(outcome)).toContain('neither root nor has sudo without a password');
    expect(ran).toEqual(['apt-get', 'sudo true']);
  });

  test('with sudo carries proxies over by name, never their URLs', async () => {
    const commands: string[][] = [];
    const { context } = machine({}, { isRoot: false, env: { https_proxy: 'http://me:hunter2@proxy:1' } });
    const exec: AptContext['exec'] = async (file, args) => {
      commands.push([file, ...args]);
      return CANDIDATE;
    };
    expect(await installWithApt(17, { ...context, exec })).toEqual({ done: true });
    expect(commands.flat().join(' ')).not.toContain('hunter2');
    expect(commands.at(-1)).toEqual(
      expect.arrayContaining([
        'sudo',
        '-n',
        '--preserve-env=https_proxy',
        'env',
        'apt-get',
        'install',
        'postgresql-client-17',
      ]),
    );
  });

  test('keeps apt’s own words when network and repository fail', async () => {
    const { context } = machine({
      'apt-get': [OK],
      'apt-cache policy postgresql-client-17': [NO_CANDIDATE],
      'apt-cache policy postgresql-client-common': [NO_CANDIDATE],
      'apt-get update': [failed('Err:1 mirror\nE: The repository has no Release file.\n')],
      '/dev/null': [OK],
    });
    expect(await installWithApt(17, context)).toEqual({
      done: false,
      attempted: true,
      reasons: [
        "the machine's own apt sources: apt-get update ended with 100: E: The repository has no Release file.",
        'the PostgreSQL apt repository: it could not be reached, or has no package postgresql-client-17 for this system',
      ],
    });
  });

  test('stops at an aborted signal', async () => {
    const abort = new AbortController();
    const { context } = machine({ 'apt-get': [OK] }, { signal: abort.signal });
    const reason = new Error('cancelled');
    const exec: AptContext['exec'] = async () => {
      abort.abort(reason);
      throw reason;
    };
    await expect(installWithApt(17, { ...context, exec })).rejects.toBe(reason);
  });
});
