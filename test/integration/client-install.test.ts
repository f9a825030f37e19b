/** Fetching client tools with the real apt, from a signed local repository; the machine is left as it was. */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import type { InstallContext } from '../../src/postgres/apt-install.ts';
import { type ClientInstallOutcome, installClient } from '../../src/postgres/client-install.ts';
import { type Exec, systemExec, toolkitExec } from '../../src/postgres/short-command.ts';
import {
  type AptRepositoryServer,
  aptRepositoryAvailable,
  aptWithSources,
  DEAD_ADDRESS,
  startAptRepository,
} from '../support/apt-repository.ts';
import { describeIf, describeWith, programAvailable, testIf } from '../support/availability.ts';
import { until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { processesWith } from '../support/process-watch.ts';
import { runTool } from '../support/run-tool.ts';
import { silentLog } from '../support/silent-log.ts';

const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const SCRIPT = fileURLToPath(new URL('../support/fetch-clients.ts', import.meta.url));
const clients = await clientTools(17);

describeIf(aptRepositoryAvailable, 'Fetching client tools', () => {
  describeWith(clients, 'of Postgres 17', (tools) => {
    let repository: AptRepositoryServer;
    let folder: string;

    beforeAll(async () => {
      repository = await startAptRepository(tools);
    });
    afterAll(() => repository?.stop());
    beforeEach(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'client-install-'));
    });
    afterEach(async () => {
      await repository.heal();
      await rm(folder, { recursive: true, force: true });
    });

    interface Given {
      uri?: string;
      key?: string;
      ownSources?: string;
      signal?: AbortSignal;
      exec?: Exec;
    }

    async function fetched(given: Given = {}, major = 17): Promise<ClientInstallOutcome> {
      const bin = await aptWithSources(folder, given.ownSources ?? '');
      const workDir = path.join(folder, 'run');
      await mkdir(workDir);
      const context: InstallContext = {
        repository: { uri: given.uri ?? repository.uri, key: given.key ?? repository.key },
        workDir,
        env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
        exec: given.exec ?? systemExec,
        ask: toolkitExec,
        log: silentLog,
        signal: given.signal ?? new AbortController().signal,
      };
      return await installClient(major, context);
    }

    /** The tools run with the libraries that came with them, and with none of the machine's of that name. */
    async function expectFetched(outcome: ClientInstallOutcome): Promise<void> {
      if (!('tools' in outcome)) throw new Error(outcome.reasons.join('\n'));
      expect(outcome.tools).toMatchObject({ major: 17, version: tools.version, source: 'fetched' });
      expect(outcome.tools.env).toEqual({ LD_LIBRARY_PATH: path.join(folder, 'run/client-tools/lib') });
      expect(await runTool(outcome.tools.pgDumpall, ['--version'], outcome.tools.env)).toContain(tools.version);
      expect(await readdir(path.join(folder, 'run'))).toEqual(['client-tools']);
    }

    test('the machine stays as it is: nothing is installed, and apt works in the folder of the run alone', async () => {
      const ran: string[] = [];
      await expectFetched(
        await fetched({
          exec: async (file, args, context) => {
            ran.push([file, ...args].join(' ').replaceAll(folder, ''));
            return await systemExec(file, args, context);
          },
        }),
      );
      expect(ran.filter((command) => /^(apt|dpkg)/.test(command))).toEqual([
        'apt-get --version',
        'dpkg --print-architecture',
        'apt-get -q -c /run/apt/pgdg/apt.conf update',
        'apt-cache -q -c /run/apt/pgdg/apt.conf pkgnames postgresql-client-',
        'apt-get -q -c /run/apt/pgdg/apt.conf download postgresql-client-17 libpq5',
        expect.stringMatching(/^dpkg-deb --extract \/run\/apt\/pgdg\/debs\/libpq5_\S+\.deb \/run\/apt\/unpacked$/),
        expect.stringMatching(
          /^dpkg-deb --extract \/run\/apt\/pgdg\/debs\/postgresql-client-17_\S+\.deb \/run\/apt\/unpacked$/,
        ),
      ]);
    });

    test('libraries that this machine lacks come from its own sources', async () => {
      const apart = await startAptRepository(tools, { libraryApart: true });
      try {
        const { uri, key, distribution } = apart;
        await expectFetched(await fetched({ uri, key, ownSources: distribution }));
      } finally {
        await apart.stop();
      }
    });

    test('without those libraries the tools are not taken, and the reason names what is missing', async () => {
      const apart = await startAptRepository(tools, { libraryApart: true });
      try {
        const outcome = await fetched({ uri: apart.uri, key: apart.key });
        expect(outcome).toMatchObject({
          attempted: true,
          reasons: [expect.stringMatching(/libzst9\.so\.1: cannot open.*libraries cannot be had/), expect.anything()],
        });
      } finally {
        await apart.stop();
      }
    });

    test('a repository that cannot be reached is passed over for the machine’s own sources, and that is said', async () => {
      const outcome = await fetched({ uri: DEAD_ADDRESS, ownSources: repository.distribution });
      await expectFetched(outcome);
      expect(outcome).toMatchObject({
        from: 'own-sources',
        findings: [
          {
            code: 'client-from-own-sources',
            severity: 'warning',
            seen: expect.stringMatching(/connect to 127\.0\.0\.2/),
          },
        ],
      });
    });

    test('a repository that answers with an error only is one that cannot be reached', async () => {
      const distribution = await startAptRepository(tools);
      try {
        repository.answerOnly(403);
        const outcome = await fetched({ ownSources: distribution.distribution });
        await expectFetched(outcome);
        expect(JSON.stringify(outcome)).toContain('403');
      } finally {
        await distribution.stop();
      }
    });

    test('a distribution that the repository does not serve is passed over as well', async () => {
      const uri = `${repository.uri}/elsewhere`;
      const outcome = await fetched({ uri, ownSources: repository.distribution });
      await expectFetched(outcome);
      expect(JSON.stringify(outcome)).toContain('does not have a Release file');
    });

    test('one dead source of the machine does not matter when another one has the tools', async () => {
      const ownSources = `deb ${DEAD_ADDRESS} stable main\n${repository.distribution}`;
      await expectFetched(await fetched({ uri: DEAD_ADDRESS, ownSources }));
    });

    test.each([
      ['lists that another key signed', () => Promise.resolve(), /NO_PUBKEY|Missing key|is not signed/],
      ['lists without a signature', () => repository.dropSignature(), /is not signed/],
      ['lists without a signature', () => repository.dropSignature(), /is not signed/],
      [
        'a list of packages with more in it than was signed',
        () => repository.tamperWithLists(),
        /unexpected size|Hash Sum/,
      ],
      ['a package with one flipped bit', () => repository.flipBitInPackages(), /Hash Sum mismatch/],
    ])('%s: an error, though the machine’s own sources have the tools', async (what, fault, words) => {
      await fault();
      const key = what.includes('another key') ? repository.otherKey : repository.key;
      const error = await fetched({ key, ownSources: repository.distribution }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BackupError);
      expect(error).toMatchObject({ code: 'ERR_CLIENT_INSTALL', message: expect.stringMatching(words) });
      expect((error as BackupError).hint).toContain('postgres-apt-key');
    });

    test('a run that is cancelled ends the apt that waits for a silent repository', async () => {
      repository.answerOnly('silence');
      repository.requests.length = 0;
      const [controller, reason] = [new AbortController(), new Error('cancelled')];
      const outcome = fetched({ signal: controller.signal }).catch((thrown: unknown) => thrown);
      await until(
        () => repository.requests.length,
        (requests) => requests > 0,
        30_000,
      );
      controller.abort(reason);
      expect(await outcome).toBe(reason);
      expect(
        await until(
          () => processesWith(folder),
          (left) => left.length === 0,
        ),
      ).toEqual([]);
    });

    test('a major that nobody has ends with the newest that there is', async () => {
      expect(await fetched({ ownSources: repository.distribution }, 42)).toEqual({
        attempted: true,
        newest: 17,
        reasons: [
          `${repository.uri}: there is no package postgresql-client-42`,
          "the machine's own apt sources: there is no package postgresql-client-42",
        ],
      });
    });

    test('when nothing can be reached, no newest major is claimed to be known', async () => {
      const outcome = await fetched({ uri: DEAD_ADDRESS, ownSources: `deb ${DEAD_ADDRESS} stable main\n` });
      expect(outcome).not.toHaveProperty('newest');
      expect(JSON.stringify(outcome).match(/connect/g)?.length).toBeGreaterThanOrEqual(2);
    });

    const nobody = programAvailable(
      'setpriv',
      [...AS_NOBODY, process.execPath, '-e', `require('fs').accessSync(${JSON.stringify(SCRIPT)})`],
      'being another user takes root, util-linux, and a checkout that all may read',
    );
    testIf(nobody, 'a user without any rights can fetch them', async () => {
      await chmod(folder, 0o777);
      const bin = await aptWithSources(folder, '');
      const given = path.join(folder, 'given.json');
      await writeFile(
        given,
        JSON.stringify({ uri: repository.uri, key: repository.key, workDir: path.join(folder, 'run') }),
      );
      const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder };
      const printed = await runTool('setpriv', [...AS_NOBODY, process.execPath, SCRIPT, given], env);
      await expectFetched(JSON.parse(printed) as ClientInstallOutcome);
    });
  });
});
