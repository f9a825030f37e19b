/** Targets that lack what the backup needs: named before anything starts, with what to do, and nothing is made there. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import {
  expectNothingLeft,
  expectRestoreWords,
  type FailedRestore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';

const OLDER = 16;
const clients = await clientTools(17);
const available = availableMajors().includes(OLDER) ? clients : { skipped: `no server of major ${OLDER}` };

describeWith(available, 'A target that lacks something', (tools) => {
  let bench: RestoreScenario;
  let older: PostgresServer;
  let same: PostgresServer;

  beforeAll(async () => {
    bench = await startRestoreScenario(tools);
    older = await startPostgres({ major: OLDER });
    same = await startPostgres({ major: 17 });
    for (const server of [older, same]) await server.createDatabase('shop');
  });

  afterAll(async () => {
    await older?.stop();
    await same?.stop();
    await bench?.stop();
  });

  const databases = (server: PostgresServer) => server.query('SELECT datname FROM pg_database ORDER BY 1');

  async function expectRefused(
    server: PostgresServer,
    inputs: Record<string, string>,
    expected: Partial<FailedRestore>,
    database = 'shop',
  ): Promise<void> {
    const before = await databases(server);
    const run = await bench.restore({ inputs: { 'target-database-url': server.uri(database), ...inputs } });
    expectRestoreWords(run, {
      code: 'ERR_TARGET_UNFIT',
      happened: [],
      safety: [/Nothing was touched: .*shop`? holds what it held/],
      action: [],
      ...expected,
    });
    expect(await databases(server)).toEqual(before);
    await expectNothingLeft(bench, run);
  }

  test('an older major wants an explicit word', () =>
    expectRefused(
      older,
      {},
      {
        happened: [`The backup is of Postgres 17, the target is Postgres ${OLDER}`],
        action: ['allow-older-major: true', 'Restore into Postgres 17 or newer'],
      },
    ));

  test('roles that are missing are listed first', () =>
    expectRefused(
      same,
      {},
      {
        happened: ['The target lacks', 'app'],
        action: ['create-roles: true', 'owner: drop'],
      },
    ));

  test('roles that are missing are created when that is asked for', async () => {
    const inputs = { 'target-database-url': same.uri('shop'), 'create-roles': 'true' };
    const run = await bench.restore({ inputs });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(await same.query(`SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'`)).toHaveLength(1);
  });

  test('a locale provider that the target does not know', async () => {
    await bench.scenario.query(
      `CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'`,
      'postgres',
    );
    const storage = path.join(bench.scenario.folder, 'sorted');
    await mkdir(storage);
    await bench.scenario.query('CREATE TABLE t AS SELECT 1 AS n', 'sorted');
    const inputs = { name: 'sorted', storage, encryption: '', 'age-recipients': bench.recipient };
    const run = await bench.scenario.run({ url: bench.scenario.url({ database: 'sorted' }), inputs });
    expect(run.exitCode, run.maskedLog).toBe(0);
    await expectRefused(
      older,
      { name: 'sorted', storage, 'allow-older-major': 'true' },
      {
        happened: [`sorts by the builtin locale C.UTF-8, which came with Postgres 17 and the target is ${OLDER}`],
        action: ['Use a server of 17 or newer', 'strategy: in-place'],
      },
    );
  });
});
