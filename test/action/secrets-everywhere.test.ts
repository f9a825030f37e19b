/**
 * One run with every secret there is: a role by OIDC, credentials by destination, a passphrase, GitHub's token and that
 * of its cache, client tools from apt. None of them is in a child that does not need it, in a word, or in storage.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ActionsCache, startActionsCache } from '../support/actions-cache.ts';
import { type AptRepositoryServer, aptRepositoryAvailable, startAptRepository } from '../support/apt-repository.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import { PASSWORD, type Scenario, startScenario } from '../support/backup-scenario.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { clientsAndVersitygw } from '../support/bucket-scenario.ts';
import { hasOwnTools } from '../support/clients.ts';
import { expectNoSecret, expectTidy, formsOf } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub, TOKEN } from '../support/github-api.ts';
import { ROLE_ARN, type RoleRig, startRoleRig } from '../support/s3-role.ts';
import { type S3Server, startVersitygw } from '../support/s3-servers.ts';
import { DUMP_TOOLS, expectNothingSeen, runWatched } from '../support/watched-run.ts';
import { filesBelow } from '../support/workflow-commands.ts';

const PASSPHRASE = "seven 'quoted' words & more: 100%";

const BRIEF = ['tar', 'apt-get', 'dpkg-deb'];
const FETCHED = BRIEF.map((tool) => new RegExp(`(^|/)${tool} `));

const needs = await clientsWithoutOwn();

describeIf(aptRepositoryAvailable, 'With all its secrets', () => {
  describeWith(needs, 'a run', ({ clients }) => {
    let scenario: Scenario;
    let server: S3Server;
    let rig: RoleRig;
    let buckets: Bucket[];
    let repository: AptRepositoryServer;
    let cache: ActionsCache;
    let github: FakeGitHub;

    beforeAll(async () => {
      [scenario, server, repository, cache, github] = await Promise.all([
        startScenario(clients, { sql: 'CREATE TABLE must_hold_rows (id integer)' }),
        startVersitygw(),
        startAptRepository(clients),
        startActionsCache(),
        startGitHub(),
      ]);
      rig = await startRoleRig(server);
      buckets = [await newBucket(server, 'primary'), await newBucket(server, 'offsite')];
    });
    afterAll(async () => {
      for (const bucket of buckets ?? []) bucket.close();
      await Promise.all([rig?.close(), repository?.stop(), cache?.stop(), github?.close()]);
      await server?.stop();
      await scenario?.stop();
    });

    function backUp(inputs: Record<string, string>) {
      const empty = path.join(scenario.folder, 'empty');
      const temp = path.join(scenario.folder, 'temp');
      const bin = path.join(scenario.folder, 'bin');
      for (const folder of [empty, temp, bin]) mkdirSync(folder, { recursive: true });
      // They live for milliseconds, and are to be seen.
      for (const tool of BRIEF) {
        const script = `#!/bin/sh\nsleep 0.3\nPATH='${process.env.PATH}' exec ${tool} "$@"\n`;
        writeFileSync(path.join(bin, tool), script, { mode: 0o755 });
      }
      return runWatched(scenario, {
        github,
        tools: { folder: empty, remove: async () => undefined },
        inputs: {
          storage: [
            server.storageUri('primary', 'team', { endpoint: rig.gateway.endpoint }),
            server.storageUri('offsite', 'team', { credentials: 'OFFSITE' }),
          ].join('\n'),
          'aws-role-to-assume': ROLE_ARN,
          encryption: '',
          'age-passphrase': PASSPHRASE,
          compression: 'none',
          verify: 'source',
          'postgres-apt-mirror': repository.uri,
          'postgres-apt-key': repository.key,
          ...inputs,
        },
        env: {
          ...rig.env,
          ...cache.env,
          PATH: `${bin}:${process.env.PATH}`,
          RUNNER_TEMP: temp,
          OFFSITE_ACCESS_KEY_ID: server.accessKeyId,
          OFFSITE_SECRET_ACCESS_KEY: server.secretAccessKey,
        },
      });
    }

    /** Those that were given to the run, and those that it was given on its way. */
    function secrets(): string[] {
      const given = [PASSWORD, PASSPHRASE, TOKEN, server.secretAccessKey];
      const tokens = [rig.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN, cache.env.ACTIONS_RUNTIME_TOKEN] as string[];
      const sessions = rig.sessions.flatMap(({ secretAccessKey, sessionToken }) => [secretAccessKey, sessionToken]);
      return [...given, ...tokens, ...sessions, ...rig.oidcTokens];
    }

    test('that opens an issue, and one that closes it, keep them to themselves', async () => {
      const unproven = await backUp({ 'critical-tables': 'must_hold_rows' });
      expect(unproven.run.outputs.verdict, unproven.run.maskedLog).toBe('unproven');
      expect(github.openIssues()).toHaveLength(1);
      expect(cache.entries.size).toBe(1);
      const proven = await backUp({});
      expect(proven.run.outputs.verdict, proven.run.maskedLog).toBe('proven');
      expect(github.issues).toMatchObject([{ state: 'closed', comments: [expect.stringContaining('Recovered')] }]);
      expectNothingSeen(unproven.children, secrets(), [...DUMP_TOOLS, ...FETCHED]);
      expectNothingSeen(proven.children, secrets(), [...DUMP_TOOLS, /(^|\/)tar /]);
      for (const { run } of [unproven, proven]) {
        expectNoSecret(run, secrets());
        await expectTidy(scenario, run);
        expect(run.masks).toEqual(expect.arrayContaining(secrets().slice(0, 6)));
      }
      expect(filesBelow(path.join(scenario.folder, 'temp'))).toEqual([]);
    });

    test('stores none of them, encrypted or not', async () => {
      const decrypter = new Decrypter();
      decrypter.addPassphrase(PASSPHRASE);
      const things = new Map<string, Uint8Array>([...cache.entries].map(([key, { blob }]) => [key, blob]));
      for (const bucket of buckets) {
        for (const key of await bucket.keys()) things.set(`${bucket.name}/${key}`, await bucket.read(key));
      }
      // Both hold the same bytes, and opening with a passphrase takes a second each time.
      for (const [key, bytes] of [...things].filter(([name]) => /^primary\/.*\.age$/.test(name))) {
        things.set(`${key}, opened`, Buffer.from(await decrypter.decrypt(bytes)));
      }
      // Two sets of five objects at two places, three of each encrypted, and one entry of the cache.
      expect(things.size).toBe(2 * 5 * 2 + 2 * 3 + 1);
      for (const [name, bytes] of things) {
        for (const secret of [...secrets().flatMap(formsOf), 'SCRAM-SHA-256$']) {
          expect(Buffer.from(bytes).includes(secret), `${secret} in ${name}`).toBe(false);
        }
      }
    });
  });
});

async function clientsWithoutOwn() {
  const needed = await clientsAndVersitygw();
  if ('skipped' in needed) return needed;
  const { major } = needed.clients;
  return hasOwnTools(major) ? { skipped: `this machine has the tools of Postgres ${major}` } : needed;
}
