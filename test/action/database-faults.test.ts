/** Databases that cannot be reached, are not the right one, or stand behind something that would spoil the dump. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, type ScenarioRunOptions, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { annotation, type ExpectedFailure, expectFailed, expectNoSecret, expectProven } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { pgBouncerProgram, startPgBouncer } from '../support/pgbouncer.ts';
import { startWakingServer } from '../support/waking-server.ts';

const bouncer = await pgBouncerProgram();

describeWith(await clientTools(17), 'A database', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await scenario.query('CREATE DATABASE staging TEMPLATE shop', 'postgres');
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });

  afterAll(() => scenario?.stop());

  async function expectRefused(options: ScenarioRunOptions, expected: ExpectedFailure): Promise<void> {
    const run = await scenario.run(options);
    await expectFailed(scenario, run, before, { safety: 'Nothing was written', ...expected });
  }

  test('that refuses the password fails at once, whatever the patience for a sleeping one', async () => {
    const url = scenario.url({ password: 'Wr0ng-but-secret' });
    const run = await scenario.run({ url, inputs: { 'connect-window-seconds': '60' } });
    await expectFailed(scenario, run, before, {
      code: 'ERR_AUTH',
      happened: ['password authentication failed for user "backup"', `127.0.0.1:${scenario.server.port}`],
      action: ['Check user and password', 'percent-encoded'],
      safety: 'Nothing was written',
    });
    expectNoSecret(run, ['Wr0ng-but-secret']);
    expect(run.seconds).toBeLessThan(10);
  });

  test('that does not exist is named', () =>
    expectRefused(
      { url: scenario.url({ database: 'shpo' }) },
      {
        code: 'ERR_DATABASE_MISSING',
        happened: ['database "shpo" does not exist'],
        action: ['Check the database name', 'upper and lower case'],
      },
    ));

  test('that wakes up late is waited for, and then backed up', async () => {
    const target = { host: '127.0.0.1', port: scenario.server.port };
    const proxy = await startFaultProxy(target, { failFirst: 2 });
    try {
      const run = await scenario.run({
        url: scenario.url({ port: proxy.port, database: 'staging' }),
        inputs: { 'connect-window-seconds': '60', 'accept-new-source': 'true', name: 'late' },
      });
      await expectProven(scenario, run, before);
      expect(run.maskedLog.match(/the connection was reset\. Trying again for \d+ s/g)).toHaveLength(2);
    } finally {
      await proxy.close();
    }
    before = scenario.state();
  });

  test('that is starting for ever is given up with the words of the server', async () => {
    const server = await startWakingServer();
    try {
      const run = await scenario.run({
        url: scenario.url({ port: server.port }),
        inputs: { 'connect-window-seconds': '2' },
      });
      await expectFailed(scenario, run, before, {
        code: 'ERR_CONNECT',
        happened: ['the database system is starting up', 'tried for 2 s'],
        action: ['run again'],
        safety: 'Nothing was written',
      });
      expect(run.maskedLog).toMatch(/starting up\. Trying again for \d+ s/);
    } finally {
      await server.close();
    }
  });

  test('that refuses connections is tried again for as long as is allowed, then told apart from a wrong password', async () => {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port });
    await proxy.close();
    const run = await scenario.run({
      url: scenario.url({ port: proxy.port }),
      inputs: { 'connect-window-seconds': '2' },
    });
    await expectFailed(scenario, run, before, {
      code: 'ERR_CONNECT',
      happened: ['the connection was refused', `127.0.0.1:${proxy.port}`, 'tried for 2 s'],
      action: ['Check host and port', 'allow-list'],
      safety: 'Nothing was written',
    });
    expect(run.maskedLog).toMatch(/Trying again for \d+ s/);
  });

  test('that never answers does not hold the run for hours', async () => {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { blackholeAfter: 0 });
    try {
      const run = await scenario.run({
        url: `${scenario.url({ port: proxy.port })}?connect_timeout=2`,
        inputs: { 'connect-window-seconds': '1' },
      });
      await expectFailed(scenario, run, before, {
        code: 'ERR_CONNECT',
        happened: ['no answer in time'],
        action: ['firewall'],
        safety: 'Nothing was written',
      });
      expect(run.seconds).toBeLessThan(15);
    } finally {
      await proxy.close();
    }
  });

  test('on a host without address fails with the words for a private name', () =>
    expectRefused(
      { url: scenario.url().replace('127.0.0.1', 'db.shop.invalid') },
      { code: 'ERR_CONNECT', happened: ['db.shop.invalid'], action: [/spelling|DNS/] },
    ));

  test.each(['require', 'verify-full&sslrootcert=system'])(
    'that offers no TLS is not talked to in the clear: %s',
    (mode) =>
      expectRefused(
        { url: `${scenario.url()}?sslmode=${mode}` },
        { code: 'ERR_TLS', happened: ['does not offer TLS'], action: ['ssl = on', 'sslmode=disable'] },
      ),
  );

  test('that forbids plain connections is told apart from a wrong password', async () => {
    await scenario.query(`CREATE ROLE stranger LOGIN PASSWORD 'Str4nger-in-town'`);
    const url = scenario.url().replace(/\/\/[^@]*@/, '//stranger:Str4nger-in-town@');
    await expectRefused(
      { url },
      { code: 'ERR_AUTH', happened: ['pg_hba.conf'], action: ['sslmode=require', 'pg_hba.conf'] },
    );
  });

  test('that is another one under a known name is refused until accept-new-source takes it over', async () => {
    const url = scenario.url({ database: 'staging' });
    const older = before;
    await expectRefused(
      { url },
      {
        code: 'ERR_SOURCE_CHANGED',
        happened: ['The series shop holds backups of another database', /last: \d{8}_\d{6}_/],
        action: ['its own series', /accept-new-source: true/],
      },
    );
    const taken = await scenario.run({ url, inputs: { 'accept-new-source': 'true' } });
    await expectProven(scenario, taken, older);
    expect(annotation(taken, 'notice', 'new-source-accepted')?.message).toContain('accept-new-source');
    before = scenario.state();
    const again = await scenario.run({ url });
    await expectProven(scenario, again, before);
    before = scenario.state();
    // Now it is the first one that is strange.
    await expectRefused({}, { code: 'ERR_SOURCE_CHANGED', happened: ['another database'], action: ['its own series'] });
  });

  test.each([
    ['ep-cool-fog-123456-pooler.eu-central-1.aws.neon.tech', 5432, "Neon's pooler", 'ep-cool-fog-123456.eu-central-1'],
    ['aws-0-eu-central-1.pooler.supabase.com', 6543, "Supabase's transaction pooler", 'supabase.com:5432'],
    ['db.abcdefghijklmnopqrst.supabase.co', 6543, "Supabase's dedicated pooler", 'session pooler'],
    ['ep-cool-fog-1-pooler.us-east-1.postgres.vercel-storage.com', 5432, "Neon's pooler", 'ep-cool-fog-1.us-east-1'],
    ['shop.proxy-abcdef.eu-west-1.rds.amazonaws.com', 5432, 'an RDS Proxy', 'instance or cluster itself'],
    ['db-1.db.ondigitalocean.com', 25061, "DigitalOcean's connection pool", 'ondigitalocean.com:25060'],
    ['shop.postgres.database.azure.com', 6432, "Azure's built-in PgBouncer", 'azure.com:5432'],
    ['abc-useast1-1.horizon.psdb.cloud', 6432, "PlanetScale's pooler", 'psdb.cloud:5432'],
    ['pooled.db.prisma.io', 5432, "Prisma's pooler", 'db.prisma.io:5432'],
    ['pgbouncer.abc.flympg.net', 5432, "Fly's pooler", 'direct.abc.flympg.net:5432'],
  ])('behind %s:%i is refused before anything is connected', async (host, port, what, instead) => {
    await expectRefused(
      { url: scenario.url().replace(/@[^/]*\//, `@${host}:${port}/`) },
      {
        code: 'ERR_POOLER',
        happened: [`${host}:${port} is ${what}`, 'wrong data without any error'],
        action: [instead],
      },
    );
  });

  describeWith(bouncer, 'behind PgBouncer', (program) => {
    test('in transaction mode is refused by the way it behaves, on whatever port', async () => {
      const pooler = await startPgBouncer(program, { server: scenario.server.port, mode: 'transaction' });
      try {
        await expectRefused(
          { url: scenario.url({ port: pooler.port }) },
          {
            code: 'ERR_POOLER',
            happened: [`127.0.0.1:${pooler.port} is a transaction pooler`, 'wrong data without any error'],
            action: ['direct URL', 'pool_mode = session'],
          },
        );
      } finally {
        await pooler.stop();
      }
    });

    test('on the port of transaction poolers is refused even where it happens to behave', async () => {
      const pooler = await startPgBouncer(program, { server: scenario.server.port, mode: 'session', port: 6543 });
      try {
        await expectRefused(
          { url: scenario.url({ port: 6543 }) },
          { code: 'ERR_POOLER', happened: ['a transaction pooler on port 6543'], action: ['127.0.0.1:5432'] },
        );
      } finally {
        await pooler.stop();
      }
    });

    test('in session mode is backed up, since every session keeps its own server process', async () => {
      const pooler = await startPgBouncer(program, { server: scenario.server.port, mode: 'session' });
      try {
        const url = scenario.url({ port: pooler.port, database: 'staging' });
        await expectProven(scenario, await scenario.run({ url }), before);
        before = scenario.state();
      } finally {
        await pooler.stop();
      }
    });
  });
});
