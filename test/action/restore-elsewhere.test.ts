/** Targets that lack what the backup needs: named before anything starts, with what to do, and nothing is made there. */
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith, testIf } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { serverAccount } from '../support/postgres-binaries.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import {
  expectNothingLeft,
  expectRestoreWords,
  type FailedRestore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';

/** Where glibc keeps one that every Debian has. */
const COMPILED = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'];
const compiledLocale = () => COMPILED.find((folder) => existsSync(folder));

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

  /** Backs a database up into a folder of its own, and gives the inputs that restore it. */
  async function backUp(name: string, server: PostgresServer): Promise<Record<string, string>> {
    const storage = path.join(bench.scenario.folder, name);
    await mkdir(storage);
    const inputs = { name, storage, encryption: '', 'age-recipients': bench.recipient };
    const run = await bench.scenario.run({ url: server.uri(name), inputs });
    expect(run.exitCode, run.maskedLog).toBe(0);
    return { name, storage };
  }

  test('an extension that is missing is named, with what to install', async () => {
    await bench.scenario.server.createDatabase('extended');
    await bench.scenario.query(
      `CREATE TABLE t AS SELECT 1 AS n;
       INSERT INTO pg_extension VALUES (999999, 'tdigest', 10, 'public'::regnamespace, true, '1.4.0', NULL, NULL)`,
      'extended',
    );
    await expectRefused(same, await backUp('extended', bench.scenario.server), {
      happened: ['The backup needs the extension tdigest'],
      action: ['postgresql-17-tdigest'],
    });
  });

  testIf(
    compiledLocale() === undefined ? { skipped: 'this system has no compiled locale to copy' } : true,
    'a collation that the target does not know',
    async () => {
      const locales = await mkdtemp(path.join(os.tmpdir(), 'locales-'));
      await chmod(locales, 0o755);
      await cp(compiledLocale() as string, path.join(locales, 'xx_YY.utf8'), { recursive: true });
      const server = await startPostgres({ major: 17, localesFrom: locales });
      try {
        await server.createDatabase('collated', `TEMPLATE template0 LC_COLLATE 'xx_YY.utf8' LC_CTYPE 'xx_YY.utf8'`);
        await server.query('CREATE TABLE t AS SELECT 1 AS n', 'collated');
        await expectRefused(same, await backUp('collated', server), {
          happened: ['xx_YY.utf8'],
          action: ['strategy: in-place'],
        });
      } finally {
        await server.stop();
        await rm(locales, { recursive: true, force: true });
      }
    },
  );

  testIf(canMount(), 'a disk that is full in the middle leaves the database that is there, and no copy', async () => {
    await bench.scenario.server.createDatabase('large');
    await bench.scenario.query(
      'CREATE TABLE t AS SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 120000) g',
      'large',
    );
    const inputs = await backUp('large', bench.scenario.server);
    const folder = await mkdtemp(path.join(os.tmpdir(), 'small-'));
    const unmount = mountSmall(folder, 32);
    try {
      const account = serverAccount();
      if (account !== undefined) await chown(folder, account.uid, account.gid);
      await same.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
      await same.createDatabase('large', 'TABLESPACE small');
      await same.query(`CREATE TABLE kept AS SELECT 'old'::text AS which`, 'large');
      const before = await databases(same);
      const run = await bench.restore({
        inputs: { ...inputs, 'target-database-url': same.uri('large'), strategy: 'swap', 'safety-backup': 'false' },
      });
      expectRestoreWords(run, {
        code: 'ERR_RESTORE_FAILED',
        happened: ['ran out of disk space'],
        safety: [/No row of .*large`? was changed/, 'That one was removed again.'],
        action: ['more space'],
      });
      expect(await databases(same)).toEqual(before);
      expect(await same.query('SELECT which FROM kept', 'large')).toEqual([{ which: 'old' }]);
      await expectNothingLeft(bench, run);
    } finally {
      await same.query('DROP DATABASE IF EXISTS large WITH (FORCE)');
      await same.query('DROP TABLESPACE IF EXISTS small');
      unmount();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
