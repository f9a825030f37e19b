/** No secret leaves a run: not in argv or environment of a child, not in what it prints, stores or leaves behind. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import {
  DUMP_SESSION,
  type FolderState,
  PASSWORD,
  type Scenario,
  startScenario,
  until,
} from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectNoSecret, expectProven, expectTidy } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { processesWith } from '../support/process-watch.ts';
import { DUMP_TOOLS, expectNothingSeen, runWatched } from '../support/watched-run.ts';

const PASSPHRASE = 'five-random-words-in-a-row';
const AWS_SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const TOKEN = 'ghs_0123456789abcdefghijABCDEFGHIJ012345';
const TYPED = 'Hunter2hunter2';

describeWith(await clientTools(17), 'A secret', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await scenario.query(`CREATE ROLE "backup_${TYPED}" LOGIN PASSWORD '${TYPED}'`);
    await expectProven(scenario, await scenario.run(), new Map());
  });

  afterAll(() => scenario?.stop());

  beforeEach(() => {
    before = scenario.state();
  });

  test('of the URL, the passphrase or the surroundings is not in argv or environment of any child', async () => {
    const { run, children } = await runWatched(scenario, {
      inputs: { encryption: '', 'age-passphrase': PASSPHRASE, verify: 'source' },
      env: { AWS_SECRET_ACCESS_KEY: AWS_SECRET, GITHUB_TOKEN: TOKEN, ACTIONS_ID_TOKEN_REQUEST_TOKEN: TOKEN },
    });
    expect(run.outputs.verdict, run.maskedLog).toBe('proven');
    const secrets = [PASSWORD, PASSPHRASE, AWS_SECRET, TOKEN];
    expectNothingSeen(children, secrets, DUMP_TOOLS);
    expectNoSecret(run, secrets);
    await expectTidy(scenario, run);
    expect(run.masks).toEqual(expect.arrayContaining([PASSWORD, encodeURIComponent(PASSWORD), PASSPHRASE, AWS_SECRET]));
  });

  test('given as PGPASSWORD is handed on in a file only', async () => {
    const url = `postgresql://backup@127.0.0.1:${scenario.server.port}/shop`;
    const { run, children } = await runWatched(scenario, { url, env: { PGPASSWORD: PASSWORD } });
    await expectProven(scenario, run, before);
    expectNothingSeen(children, [PASSWORD], DUMP_TOOLS);
  });

  test('is masked before anything else is said', async () => {
    const run = await scenario.run();
    await expectProven(scenario, run, before);
    const isMask = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.startsWith('::add-mask::'));
    expect(isMask.indexOf(false)).toBe(isMask.lastIndexOf(true) + 1);
  });

  test('is in no stored object, and neither are the passwords of roles', async () => {
    const run = await scenario.run({ inputs: { compression: 'none' } });
    await expectProven(scenario, run, before);
    const folder = run.outputs['backup-uri'] ?? '';
    const names = readdirSync(folder);
    expect(names).toHaveLength(5);
    for (const name of names) {
      const bytes = readFileSync(path.join(folder, name));
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'SCRAM-SHA-256$']) {
        expect(bytes.includes(secret), `${secret} in ${name}`).toBe(false);
      }
    }
  });

  test('that the server repeats in its answer is masked', async () => {
    const place = `127.0.0.1:${scenario.server.port}`;
    const wrongDatabase = await scenario.run({
      url: `postgresql://backup:${encodeURIComponent(PASSWORD)}@${place}/shop_${encodeURIComponent(PASSWORD)}`,
    });
    await expectFailed(scenario, wrongDatabase, before, {
      code: 'ERR_DATABASE_MISSING',
      happened: ['database "shop_***" does not exist'],
      action: ['Check the database name'],
    });
    const wrongUser = await scenario.run({ url: `postgresql://backup_${TYPED}:${TYPED}@${place}/shop` });
    await expectFailed(scenario, wrongUser, before, {
      code: 'ERR_AUTH',
      happened: ['user "backup_***"'],
      action: ['pg_hba.conf'],
    });
    expectNoSecret(wrongUser, [TYPED]);
  });

  test.each([
    ['an @ that is not encoded', (at: string) => `postgresql://backup:S3cret@${TYPED}@${at}/shop`],
    ['a / that is not encoded', (at: string) => `postgresql://backup:S3cret/${TYPED}@${at}/shop`],
    ['a # that is not encoded', (at: string) => `postgresql://backup:S3cret#${TYPED}@${at}/shop`],
    ['a % that is not encoded', (at: string) => `postgresql://backup:100%${TYPED}@${at}/shop`],
    ['a ? that is not encoded', (at: string) => `postgresql://backup:S3cret?${TYPED}@${at}/shop`],
    ['a : in the place of the @', (at: string) => `postgresql://backup:${TYPED}:${at}/shop`],
    ['a scheme with a typing error', (at: string) => `postgersql://backup:${TYPED}@${at}/shop`],
    ['a scheme of another library', (at: string) => `jdbc:postgresql://backup:${TYPED}@${at}/shop`],
    ['a whole command', (at: string) => `psql "postgresql://backup:${TYPED}@${at}/shop"`],
    ['an assignment', (at: string) => `DATABASE_URL=postgresql://backup:${TYPED}@${at}/shop`],
    ['a misspelt parameter', (at: string) => `postgresql://${at}/shop?user=backup&pasword=${TYPED}`],
    ['a space in key=value', (at: string) => `host=${at.split(':')[0]} user=backup password=S3cret ${TYPED}`],
    ['a quote that is not closed', (at: string) => `host=${at.split(':')[0]} user=backup password='${TYPED}`],
    ['a line break in it', (at: string) => `postgresql://backup:${TYPED}\n${TYPED}@${at}/shop`],
    ['no host to speak of', () => `postgresql://backup:${TYPED}@${TYPED}.invalid/shop`],
  ])('in a connection string with %s stays out of the error about it', async (_name, url) => {
    const run = await scenario.run({ url: url(`127.0.0.1:${scenario.server.port}`) });
    await expectFailed(scenario, run, before, {
      code: ['ERR_INPUT', 'ERR_CONNECT', 'ERR_AUTH'],
      happened: [],
      action: [/\w/],
    });
    expectNoSecret(run, [TYPED]);
  });

  test.each([
    ['user information in storage', `s3://AKIAEXAMPLE:${AWS_SECRET}@bucket/prefix`],
    [
      'user information in its endpoint',
      `s3://bucket/prefix?region=us-east-1&endpoint=http://AKIA:${TYPED}@127.0.0.1:1`,
    ],
    ['a parameter that does not exist', `s3://bucket/prefix?region=us-east-1&secret-access-key=${TYPED}`],
  ])('in %s stays out of the error about it', async (_name, storage) => {
    const run = await scenario.run({ inputs: { storage } });
    await expectFailed(scenario, run, before, { code: ['ERR_INPUT'], happened: ['storage'], action: [/\w/] });
    expectNoSecret(run, [AWS_SECRET, TYPED]);
  });

  test('that an S3 server repeats in its answer is masked', async () => {
    const error = `<Error><Code>AccessDenied</Code><Message>${AWS_SECRET} and ${TOKEN} may not</Message></Error>`;
    const server = createServer((_request, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${error}`);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const run = await scenario.run({
        inputs: { storage: `s3://bucket/prefix?region=us-east-1&endpoint=${endpoint}&force-path-style=true` },
        env: { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: AWS_SECRET, AWS_SESSION_TOKEN: TOKEN },
      });
      await expectFailed(scenario, run, before, {
        code: ['ERR_STORAGE_DENIED', 'ERR_STORAGE_AUTH'],
        happened: ['*** and *** may not'],
        action: [/\w/],
      });
      expectNoSecret(run, [AWS_SECRET, TOKEN]);
    } finally {
      server.close();
    }
  });

  test('does not outlive a run that is killed: the post step takes the files away, and nothing became visible', async () => {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { bytesPerSecond: 150_000 });
    const dumping = `SELECT FROM pg_stat_activity WHERE ${DUMP_SESSION} AND query LIKE 'COPY%'`;
    try {
      const run = await scenario.run({
        url: scenario.url({ port: proxy.port }),
        onStart: async (action) => {
          await until(
            () => scenario.query(dumping),
            (rows) => rows.length > 0,
            20_000,
          );
          action.signal('SIGKILL');
        },
      });
      expect(run.signal).toBe('SIGKILL');
      expect(run.post?.exitCode).toBe(0);
      expect(run.filesLeftBehind).toEqual([]);
      const left = await until(
        () => processesWith(scenario.folder),
        (all) => all.length === 0,
      );
      expect(left).toEqual([]);
      expectNoSecret(run, [PASSWORD]);
      const markers = (state: FolderState) =>
        [...state].filter(([file]) => !/\/\.unfinished-|^shop\/[^/]+$/.test(file));
      expect(markers(scenario.state())).toEqual(markers(before));
    } finally {
      await proxy.close();
    }
    await scenario.untilNoSessions();
  });
});
