/** A runner without the client tools of the server's major: where they come from, and what stops a run without them. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CLIENT_TOOLS } from '../../src/domain/client-version.ts';
import { openClientCache } from '../../src/postgres/client-cache.ts';
import { type ActionsCache, startActionsCache } from '../support/actions-cache.ts';
import { anotherUser, asNobody, NOBODY } from '../support/another-user.ts';
import {
  type AptRepositoryServer,
  aptRepositoryAvailable,
  aptWithSources,
  DEAD_ADDRESS,
  startAptRepository,
} from '../support/apt-repository.ts';
import { describeIf, describeWith, testIf } from '../support/availability.ts';
import { type FolderState, type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools, hasOwnTools } from '../support/clients.ts';
import { annotation, type ExpectedFailure, expectFailed, expectProven } from '../support/expect-run.ts';
import type { RunOptions } from '../support/run-action.ts';
import { silentLog } from '../support/silent-log.ts';

/** One that a runner image, or Homebrew, does not bring along. */
const MAJOR = [17, 16, 18, 14].find((major) => !hasOwnTools(major));
const OLDER = 13;
const WORKER = new URL('../../src/postgres/client-cache-worker.ts', import.meta.url);
/** `e_machine` of an ELF header, and two of its values. */
const [ELF_MACHINE_OFFSET, ELF_X86_64, ELF_AARCH64] = [18, 62, 183];
const clients =
  MAJOR === undefined ? { skipped: 'this machine has the tools of every major' } : await clientTools(MAJOR);
const older = await clientTools(OLDER);

describeIf(aptRepositoryAvailable, 'A runner without client tools', () => {
  describeWith(clients, 'of the major', (tools) => {
    let scenario: Scenario;
    let repository: AptRepositoryServer;
    let cache: ActionsCache;
    let before: FolderState;
    let empty: string;

    beforeAll(async () => {
      [scenario, repository, cache] = [
        await startScenario(tools),
        await startAptRepository(tools),
        await startActionsCache(),
      ];
      await expectProven(scenario, await scenario.run(), new Map());
      before = scenario.state();
      empty = path.join(scenario.folder, 'empty');
      await mkdir(empty);
    });
    afterAll(async () => {
      await scenario?.stop();
      await repository?.stop();
      await cache?.stop();
    });
    afterEach(async () => {
      await repository.heal();
      repository.requests.length = 0;
      cache.mood = 'well';
      before = scenario.state();
    });

    interface Given {
      uri?: string;
      key?: string;
      /** Lines of the machine's own sources.list. */
      ownSources?: string;
      env?: Record<string, string>;
      inputs?: Record<string, string>;
      through?: RunOptions['through'];
    }

    /** On a machine that has nothing of Postgres, and an apt that knows `ownSources` only. */
    async function run({ uri, key, ownSources = '', env, inputs, through }: Given = {}): Promise<ScenarioRun> {
      const bin = await aptWithSources(scenario.folder, ownSources);
      return await scenario.run({
        tools: { folder: empty, remove: async () => undefined },
        inputs: {
          'postgres-apt-mirror': uri ?? repository.uri,
          'postgres-apt-key': key ?? repository.key,
          ...inputs,
        },
        env: { PATH: `${bin}:${process.env.PATH}`, ...env },
        ...(through === undefined ? {} : { through }),
      });
    }

    async function expectNoBackup(result: ScenarioRun, expected: ExpectedFailure): Promise<void> {
      await expectFailed(scenario, result, before, { safety: 'Nothing was written', ...expected });
    }

    test('fetches them from the mirror and takes a proven backup with them', async () => {
      const result = await run();
      await expectProven(scenario, result, before);
      expect(result.maskedLog).toContain(`Fetching pg_dump ${MAJOR} from ${repository.uri}`);
      expect(result.maskedLog).toMatch(new RegExp(`pg_dump ${tools.version} \\(fetched: `));
      expect(scenario.manifest(result).client).toEqual({ version: tools.version });
    });

    test('keeps them in GitHub’s cache, so that the next run fetches nothing', async () => {
      // A runner's temporary folder has the same path in every job, and entries are bound to it.
      const temp = path.join(scenario.folder, 'temp');
      await mkdir(temp);
      const env = { ...cache.env, RUNNER_TEMP: temp };
      await expectProven(scenario, await run({ env }), before);
      before = scenario.state();
      expect([...cache.entries.keys()]).toEqual([
        expect.stringMatching(new RegExp(`-client-tools-v1-${MAJOR}-.*-20\\d\\d-\\d\\d-`)),
      ]);
      repository.requests.length = 0;
      const again = await run({ env });
      await expectProven(scenario, again, before);
      expect(again.maskedLog).toMatch(new RegExp(`pg_dump ${tools.version} \\(cache: `));
      expect(repository.requests).toEqual([]);
      expect(await readdir(temp)).toEqual([]);
      for (const { blob } of cache.entries.values()) expect(blob.length).toBeLessThan(8 * 1024 * 1024);
    });

    test('fetches them anew when the entry in GitHub’s cache is broken', async () => {
      const temp = path.join(scenario.folder, 'temp-of-broken-cache');
      await mkdir(temp);
      const env = { ...cache.env, RUNNER_TEMP: temp };
      cache.entries.clear();
      await expectProven(scenario, await run({ env }), before);
      before = scenario.state();
      for (const entry of cache.entries.values()) entry.blob = entry.blob.subarray(0, entry.blob.length / 2);
      const result = await run({ env });
      await expectProven(scenario, result, before);
      expect(result.maskedLog).toMatch(new RegExp(`pg_dump ${tools.version} \\(fetched: `));
      const warnings = result.annotations.filter(({ kind }) => kind === 'warning').map(({ message }) => message);
      expect(warnings).toEqual([expect.stringContaining('could not be read')]);
      expect(await readdir(temp)).toEqual([]);
    });

    test('fetches them anew when the entry in GitHub’s cache is of another system', async () => {
      const temp = path.join(scenario.folder, 'temp-of-foreign-cache');
      await mkdir(temp);
      const env = { ...cache.env, RUNNER_TEMP: temp };
      cache.entries.clear();
      await expectProven(scenario, await run({ env }), before);
      before = scenario.state();
      const [key = ''] = cache.entries.keys();
      cache.entries.clear();
      await saveForeignTools(key, temp, tools.bin);
      expect([...cache.entries.keys()]).toEqual([key]);
      const result = await run({ env });
      await expectProven(scenario, result, before);
      expect(result.maskedLog).toMatch(new RegExp(`pg_dump ${tools.version} \\(fetched: `));
      const warnings = result.annotations.filter(({ kind }) => kind === 'warning').map(({ message }) => message);
      expect(warnings).toEqual([expect.stringMatching(/for another system\. It is fetched anew/)]);
      expect(await readdir(temp)).toEqual([]);
    });

    /** Into GitHub's cache, as a runner with another processor would. */
    async function saveForeignTools(key: string, temp: string, bin: string): Promise<void> {
      const workDir = await mkdtemp(path.join(temp, 'foreign-'));
      const folder = path.join(workDir, 'client-tools');
      await mkdir(path.join(folder, 'bin'), { recursive: true });
      for (const name of CLIENT_TOOLS) {
        const program = await readFile(path.join(bin, name));
        program.writeUInt16LE(process.arch === 'arm64' ? ELF_X86_64 : ELF_AARCH64, ELF_MACHINE_OFFSET);
        await writeFile(path.join(folder, 'bin', name), program, { mode: 0o755 });
      }
      const foreign = openClientCache({
        env: { PATH: process.env.PATH, HOME: temp, ...cache.env },
        tempDirectory: temp,
        workDir,
        workerUrl: WORKER,
        log: silentLog,
        signal: new AbortController().signal,
      });
      await foreign?.save(key, folder);
      await rm(workDir, { recursive: true });
    }

    testIf(anotherUser, 'fetches them for a user without any rights, who may not install and has no sudo', async () => {
      const result = await run({ through: asNobody(scenario.folder) });
      await expectProven(scenario, result, before);
      expect(result.maskedLog).toMatch(new RegExp(`pg_dump ${tools.version} \\(fetched: `));
      const { uid } = await stat(path.join(result.outputs['backup-uri'] ?? '', 'metadata.json'));
      expect(uid).toBe(NOBODY);
    });

    test('takes no pg_dump of another major from the PATH (client/server mismatch, migration without a backup)', async () => {
      const bin = path.join(scenario.folder, 'other-major');
      const called = path.join(scenario.folder, 'other-major-called');
      await mkdir(bin);
      for (const name of CLIENT_TOOLS) {
        const script = `#!/bin/sh\necho called >> '${called}'\necho '${name} (PostgreSQL) ${OLDER}.1'\n`;
        await writeFile(path.join(bin, name), script, { mode: 0o755 });
      }
      const own = await aptWithSources(scenario.folder, '');
      const result = await run({ env: { PATH: `${own}:${bin}:${process.env.PATH}` } });
      await expectProven(scenario, result, before);
      expect(scenario.manifest(result).client).toEqual({ version: tools.version });
      expect(existsSync(called)).toBe(false);
    });

    test('does without the cache when that refuses', async () => {
      const result = await run({ env: { ...cache.env, ACTIONS_RUNTIME_TOKEN: 'expired' } });
      await expectProven(scenario, result, before);
      const warnings = result.annotations.filter(({ kind }) => kind === 'warning').map(({ message }) => message);
      expect(warnings).toEqual([expect.stringMatching(/GitHub's cache could not be read: .*401/)]);
    });

    test('does not ask the cache when told not to', async () => {
      cache.calls.length = 0;
      const result = await run({ env: cache.env, inputs: { 'cache-client-tools': 'false' } });
      await expectProven(scenario, result, before);
      expect(cache.calls).toEqual([]);
    });

    test('takes them from the machine’s own sources when the repository is down, with a warning that says why', async () => {
      const result = await run({ uri: DEAD_ADDRESS, ownSources: repository.distribution });
      await expectProven(scenario, result, before);
      const warning = annotation(result, 'warning', 'client-from-own-sources');
      expect(warning?.message).toContain("the machine's own apt sources");
      expect(warning?.message).toContain(DEAD_ADDRESS);
      expect(warning?.message).toMatch(/connect/);
    });

    test('fails with both causes when the machine’s own sources have none either', async () => {
      await expectNoBackup(await run({ uri: DEAD_ADDRESS }), {
        code: 'ERR_CLIENT_INSTALL',
        happened: [`pg_dump ${MAJOR} is not to be had`, /127\.0\.0\.2.*connect/s, 'own apt sources'],
        action: [`postgresql-client-${MAJOR}`],
      });
    });

    test.each([
      ['lists signed by another key', () => Promise.resolve(), /NO_PUBKEY|Missing key|is not signed/],
      ['a tampered list of packages', () => repository.tamperWithLists(), /unexpected size|Hash Sum/],
      ['a package with a flipped bit', () => repository.flipBitInPackages(), /Hash Sum mismatch/],
    ])('refuses %s, though it could have the tools elsewhere', async (what, fault, words) => {
      await fault();
      const key = what.includes('another key') ? repository.otherKey : repository.key;
      await expectNoBackup(await run({ key, ownSources: repository.distribution }), {
        code: 'ERR_CLIENT_INSTALL',
        happened: ['is not what its key has signed', words],
        action: ['postgres-apt-key'],
      });
    });

    test('says what to type where there is no apt', async () => {
      await expectNoBackup(await run({ env: { PATH: empty } }), {
        code: 'ERR_CLIENT_MISSING',
        happened: [`pg_dump ${MAJOR} is not to be had`, 'apt-get: is not on this machine'],
        action: [`postgresql-client-${MAJOR}`],
      });
    });

    test('shows apt nothing of the step’s environment but what it needs', async () => {
      const bin = path.join(scenario.folder, 'spy-bin');
      await mkdir(bin);
      const seen = path.join(scenario.folder, 'seen-by-apt');
      await writeFile(path.join(bin, 'apt-get'), `#!/bin/sh\nenv >> '${seen}'\nexec /usr/bin/apt-get "$@"\n`, {
        mode: 0o755,
      });
      const env = { PATH: `${bin}:${process.env.PATH}`, AWS_SECRET_ACCESS_KEY: 'hunter2' };
      await expectProven(scenario, await run({ env }), before);
      const text = await readFile(seen, 'utf8');
      expect(text).toContain('LC_ALL=C');
      expect(text).not.toMatch(/hunter2|INPUT_|S3cr3t/);
    });

    describeWith(older, `with a repository of ${OLDER} only`, (olderTools) => {
      test('names both versions when the server is newer than any client', async () => {
        const outdated = await startAptRepository(olderTools);
        try {
          const result = await run({ uri: outdated.uri, key: outdated.key, ownSources: outdated.distribution });
          await expectNoBackup(result, {
            code: 'ERR_SERVER_TOO_NEW',
            happened: [`The server is Postgres ${MAJOR}`, /newest client that can be had here is pg_dump \d+/],
            action: ['ubuntu-latest'],
          });
        } finally {
          await outdated.stop();
        }
      });
    });
  });
});
