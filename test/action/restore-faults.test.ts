/** Targets that go wrong, and what users add to a restore: the database that is there serves on, whatever happens. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { folderState, type ScenarioRun, until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { readable } from '../support/expect-run.ts';
import { startGitHub } from '../support/github-api.ts';
import {
  expectNothingLeft,
  expectRestoreFailed,
  expectRestoreWords,
  type FailedRestore,
  lookBefore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';

const NO_ROW = /No row of .*shop`? was changed/;
const REMOVED = 'That one was removed again';
const UNTOUCHED = /Nothing was touched: .*shop`? holds what it held/;

describeWith(await clientTools(17), 'A restore', (clients) => {
  let bench: RestoreScenario;

  beforeAll(async () => {
    bench = await startRestoreScenario(clients, { server: { settings: { max_prepared_transactions: '5' } } });
  });

  afterEach(() => bench.reset());
  afterAll(() => bench?.stop());

  const query = (sql: string, database?: string) => bench.scenario.query(sql, database);

  async function expectFailed(expected: FailedRestore, restore: () => Promise<ScenarioRun>): Promise<ScenarioRun> {
    const before = await lookBefore(bench);
    const run = await restore();
    await expectRestoreFailed(bench, run, before, expected);
    return run;
  }

  test('into a server that refuses touches nothing', () =>
    expectFailed(
      {
        code: 'ERR_CONNECT',
        happened: ['127.0.0.1:1'],
        safety: ['Nothing was touched'],
        action: [/running|listen|host|port/i],
      },
      () => bench.restore({ inputs: { 'target-database-url': 'postgresql://postgres@127.0.0.1:1/shop' } }),
    ));

  test('into a server that crashes under it: the database that is there comes back as it was', async () => {
    const before = await lookBefore(bench);
    const copy = `SELECT pid FROM pg_stat_activity WHERE datname LIKE 'shop\\_restored\\_%'`;
    // Sessions come and go: one that was seen may be gone before it is killed.
    const killOne = async (): Promise<boolean> => {
      const [session] = await bench.scenario.query<{ pid: number }>(copy, 'postgres');
      try {
        return session !== undefined && process.kill(session.pid, 'SIGKILL');
      } catch {
        return false;
      }
    };
    let crashed: Promise<boolean> | undefined;
    const run = await bench.restore({
      onLine: (line) => {
        if (line !== '::group::Restore') return;
        crashed = until(killOne, (killed) => killed, 30_000);
      },
    });
    await crashed;
    expectRestoreWords(run, {
      code: ['ERR_RESTORE_FAILED', 'ERR_CONNECT'],
      happened: [/server|connection/i],
      safety: [NO_ROW],
      action: [/again|server/],
    });
    const after = await bench.look();
    expect(after.content).toEqual(before.world.content);
    expect(await bench.served()).toBe('old');
    const left = after.databases.filter(({ name }) => !before.world.databases.some((each) => each.name === name));
    for (const { name } of left) expect(readable(run.summary)).toContain(`DROP DATABASE IF EXISTS "${name}"`);
  });

  test('by a role that may not create databases', async () => {
    await query('CREATE ROLE plain LOGIN; GRANT CONNECT ON DATABASE shop TO plain');
    try {
      await expectFailed(
        {
          code: 'ERR_TARGET_UNFIT',
          happened: ['plain may not create databases'],
          safety: [UNTOUCHED],
          action: ['ALTER ROLE "plain" CREATEDB', 'strategy: in-place'],
        },
        () => bench.restore({ inputs: { 'target-database-url': bench.scenario.server.uri('shop', 'plain') } }),
      );
    } finally {
      await query('REVOKE CONNECT ON DATABASE shop FROM plain; DROP ROLE plain');
    }
  });

  test('is refused while another one is at work there, which goes on', async () => {
    let second: Promise<ScenarioRun> | undefined;
    const first = await bench.replace('swap', {
      inputs: { backup: bench.id, 'after-restore-command': 'sleep 12' },
      onLine: (line) => {
        if (line === '::group::Proof') second = bench.replace('swap', { inputs: { backup: bench.id } });
      },
    });
    const refused = await second;
    if (refused === undefined) throw new Error(first.maskedLog);
    expectRestoreWords(refused, {
      code: 'ERR_TARGET_BUSY',
      happened: [`Another restore into ${bench.fingerprint} is at work, since`],
      safety: [/Nothing was touched|No row of/],
      action: ['Wait until it has ended'],
    });
    expect(first.exitCode, first.maskedLog).toBe(0);
    expect(await bench.served()).toBe('backup');
    await expectNothingLeft(bench, refused);
    await query('DROP DATABASE IF EXISTS kept');
  });

  test('without a safety backup replaces nothing', async () => {
    const before = await lookBefore(bench);
    await query(`BEGIN; LOCK TABLE which; PREPARE TRANSACTION 'stuck'`);
    try {
      const run = await bench.replace('in-place', { inputs: { 'lock-timeout-seconds': '2' } });
      await query(`ROLLBACK PREPARED 'stuck'`);
      await expectRestoreFailed(bench, run, before, {
        code: 'ERR_SAFETY_BACKUP',
        happened: [`There is no safety backup of ${bench.fingerprint}: it failed`],
        safety: [UNTOUCHED],
        action: ['Nothing was replaced', 'safety-backup: false'],
        stage: 'looking',
      });
    } finally {
      await query(`ROLLBACK PREPARED 'stuck'`).catch(() => undefined);
    }
  });

  const failing = (strategy: string): FailedRestore => ({
    code: 'ERR_AFTER_RESTORE',
    happened: [],
    safety: [NO_ROW, REMOVED],
    action: [],
    stage: 'restoring',
    newSets: strategy === 'swap' ? 1 : 0,
  });

  test.each(['new-database', 'swap'])('%s: after-restore-sql that fails leaves no copy', async (strategy) => {
    await expectFailed(
      {
        ...failing(strategy),
        happened: ['after-restore-sql failed in statement 2 of 2 (line 2)', 'division by zero'],
        action: ['Correct '],
      },
      () =>
        bench.restore({
          inputs: { strategy, backup: bench.id, 'after-restore-sql': 'DELETE FROM which;\nSELECT 1/0;' },
        }),
    );
  });

  test('after-restore-command that fails leaves no copy, and opens an issue that the next good restore closes', async () => {
    const github = await startGitHub();
    try {
      const command = { backup: bench.id, 'after-restore-command': 'echo the tests failed; exit 7' };
      const run = await expectFailed(
        {
          ...failing('new-database'),
          happened: ['after-restore-command ended with exit code 7', 'the tests failed'],
          action: ['Read what it printed'],
        },
        () => bench.restore({ inputs: command, github }),
      );
      expect(run.outputs['issue-number']).toBe('1');
      expect(github.issues).toMatchObject([
        { state: 'open', title: 'The restore of "shop" failed (ERR_AFTER_RESTORE)' },
      ]);
      const good = await bench.restore({ inputs: { backup: bench.id }, github });
      expect(good.exitCode, good.maskedLog).toBe(0);
      expect(github.issues).toMatchObject([{ state: 'closed' }]);
    } finally {
      await github.close();
    }
  });

  test('that takes too long ends in time and leaves no copy', () =>
    expectFailed(
      {
        ...failing('new-database'),
        code: 'ERR_DEADLINE',
        happened: ['The restore was not done after 1 minute'],
        action: ['max-duration-minutes'],
      },
      () =>
        bench.restore({
          inputs: { backup: bench.id, 'max-duration-minutes': '1', 'after-restore-command': 'sleep 300' },
        }),
    ));

  /** A backup of another database of the server, as a series of its own. */
  async function backUp(database: string, sql: string): Promise<string> {
    await query(`CREATE DATABASE ${database}`, 'postgres');
    await query(sql, database);
    const storage = path.join(bench.scenario.folder, database);
    await mkdir(storage);
    const inputs = { name: database, storage, encryption: '', 'age-recipients': bench.recipient };
    const run = await bench.scenario.run({ url: bench.scenario.url({ database }), inputs });
    expect(run.exitCode, run.maskedLog).toBe(0);
    return storage;
  }

  test('whose content something changes before the proof is not swapped in', async () => {
    // What REFRESH runs when pg_restore is nearly done writes a row.
    const storage = await backUp(
      'touchy',
      `CREATE TABLE touched AS SELECT 1 AS n;
       CREATE FUNCTION touch() RETURNS int LANGUAGE plpgsql AS
         'BEGIN INSERT INTO public.touched VALUES (2); RETURN 1; END';
       CREATE MATERIALIZED VIEW m AS SELECT public.touch() AS n`,
    );
    const run = await bench.replace('swap', {
      inputs: { name: 'touchy', storage, 'target-database-url': bench.scenario.server.uri('touchy') },
    });
    expect(run.exitCode, run.maskedLog).toBe(1);
    const [error] = run.annotations.filter(({ title }) => title.includes('(ERR_'));
    expect(error?.title).toBe('The restore of "touchy" is done, but failed: what came back is wrong (ERR_NOT_PROVEN)');
    expect(error?.message).toContain('public.touched');
    expect(error?.message).toMatch(/it was not swapped in: .*touchy`? was not touched/);
    expect(run.outputs.verdict).toBe('failed');
    expect(await query('SELECT count(*)::int AS n FROM touched', 'touchy')).toEqual([{ n: 2 }]);
    const names = (await bench.look()).databases.map(({ name }) => String(name));
    expect(names.filter((name) => name.startsWith('touchy_before'))).toEqual([]);
    const copy = names.find((name) => name.startsWith('touchy_restored')) ?? '';
    expect(error?.message).toContain(`DROP DATABASE "${copy}"`);
    expect([...folderState(storage).keys()].filter((key) => key.endsWith('.finished.json'))).toHaveLength(1);
    await query(`DROP DATABASE "${copy}" WITH (FORCE)`, 'postgres');
    await query('DROP DATABASE touchy', 'postgres');
  });

  test('by a role that row-level security binds is not called proven', async () => {
    await query('ALTER ROLE backup BYPASSRLS');
    const storage = await backUp(
      'tenants',
      `CREATE TABLE hidden AS SELECT g AS id FROM generate_series(1, 5) g;
       ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE hidden FORCE ROW LEVEL SECURITY;
       CREATE POLICY nobody ON hidden USING (false)`,
    );
    await query('CREATE ROLE bound LOGIN CREATEDB; ALTER DATABASE tenants OWNER TO bound', 'postgres');
    const run = await bench.restore({
      inputs: {
        ...{ name: 'tenants', storage, owner: 'drop', privileges: 'drop' },
        'target-database-url': bench.scenario.server.uri('tenants', 'bound'),
      },
    });
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.outputs.verdict ?? '').not.toBe('passed');
    expect(`${run.maskedLog}${readable(run.summary)}`).toMatch(/row.level security|BYPASSRLS/i);
    await expectNothingLeft(bench, run);
  });
});
