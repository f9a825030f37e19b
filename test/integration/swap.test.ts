import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { BackupError } from '../../src/domain/errors.ts';
import { unfinishedMark } from '../../src/domain/restore-mark.ts';
import { createDatabaseSql } from '../../src/domain/strategy/creation.ts';
import { createDatabase } from '../../src/postgres/databases.ts';
import type { ExaminedTarget } from '../../src/restore/examine-target.ts';
import { readTargetProperties, resumeFromNote } from '../../src/restore/pause-access.ts';
import { type SwapStep, swapDatabases } from '../../src/restore/swap.ts';
import { lockTarget } from '../../src/restore/target-lock.ts';
import { tidyTarget } from '../../src/restore/tidy-target.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeIf } from '../support/availability.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { recordingLog, silentLog } from '../support/silent-log.ts';
import { target } from '../support/target-bench.ts';

const CHILD = fileURLToPath(new URL('../support/swap-child.ts', import.meta.url));
const NAME = 'shöp "one"';
const RESTORED = `${NAME}_restored_1`;
const FORMER = `${NAME}_before_1`;
const ports = { clock: systemClock, log: silentLog };

describe.each([13, 17])('a swap on Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };

  describeIf(here, 'puts the copy in the place of the old database', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await startPostgres({ major });
      await server.query(`CREATE ROLE owner LOGIN CREATEDB; CREATE ROLE app LOGIN; CREATE ROLE reader LOGIN;
        GRANT app TO owner; CREATE ROLE keeper LOGIN CREATEDB;`);
    });

    afterAll(() => server.stop());

    beforeEach(async () => {
      const rows = await server.query<{ name: string }>(
        "SELECT datname AS name FROM pg_database WHERE datname LIKE 'sh%'",
      );
      for (const { name } of rows) await server.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
      await server.createDatabase(NAME, 'OWNER owner');
      await server.query("CREATE TABLE which AS SELECT 'old' AS which; GRANT SELECT ON which TO PUBLIC", NAME);
    });

    const which = async (name = NAME): Promise<string> =>
      (await server.query<{ which: string }>('SELECT which FROM which', name))[0]?.which ?? '';

    const makeCopy = async ({ access, facts }: ExaminedTarget): Promise<void> => {
      const sql = createDatabaseSql(RESTORED, facts.database, major);
      const mark = unfinishedMark(NAME, 'test', 'a test');
      await access.use('create', facts.maintenanceDatabase, ({ client }) =>
        createDatabase(client, { name: RESTORED, sql, mark }),
      );
      await access.use('fill', RESTORED, ({ client }) =>
        client.query("CREATE TABLE which AS SELECT 'new' AS which; GRANT SELECT ON which TO PUBLIC"),
      );
    };

    const swap = async (examined: ExaminedTarget, onStep?: (step: SwapStep) => Promise<void>) => {
      const properties = await readTargetProperties(examined.access, examined.facts);
      return await swapDatabases({
        ...examined,
        ...ports,
        restored: RESTORED,
        former: FORMER,
        properties,
        ...(onStep === undefined ? {} : { onStep }),
      });
    };

    const properties = async (name: string) =>
      await server.query(
        `SELECT pg_get_userbyid(datdba) AS owner, datconnlimit, shobj_description(oid, 'pg_database') AS comment,
                ARRAY(SELECT a::text FROM unnest(COALESCE(datacl, acldefault('d', datdba))) a ORDER BY 1) AS acl,
                ARRAY(SELECT setrole::regrole || ' ' || setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid ORDER BY 1) AS settings
           FROM pg_database d WHERE datname = $1`,
        'postgres',
        [name],
      );

    test('with owner, rights, comment, settings and limit of the old one, which goes on under another name', async () => {
      const quoted = pg.escapeIdentifier(NAME);
      await server.query(`COMMENT ON DATABASE ${quoted} IS E'It''s \\\\ the\nshop'; ALTER DATABASE ${quoted} CONNECTION LIMIT 77;
        REVOKE ALL ON DATABASE ${quoted} FROM PUBLIC; GRANT CONNECT ON DATABASE ${quoted} TO app WITH GRANT OPTION;
        GRANT TEMP ON DATABASE ${quoted} TO reader; SET ROLE app; GRANT CONNECT ON DATABASE ${quoted} TO reader; RESET ROLE;
        ALTER DATABASE ${quoted} SET search_path = '$user', 'a, "b', public; ALTER DATABASE ${quoted} SET work_mem = '5MB';
        ALTER DATABASE ${quoted} SET "my.setting" = 'x''y\\z'; ALTER ROLE app IN DATABASE ${quoted} SET statement_timeout = '3s';`);
      const before = await properties(NAME);
      const examined = await target(server.uri(NAME), silentLog);
      await makeCopy(examined);
      const { findings, wayBack } = await swap(examined);
      expect(findings).toEqual([]);
      expect([await which(), await which(FORMER)]).toEqual(['new', 'old']);
      expect(await properties(NAME)).toEqual(before);
      expect(await properties(FORMER)).toEqual(before);
      await server.query((wayBack[0]?.commands.slice(1, -1) ?? []).join('\n'));
      expect([await which(), await which(RESTORED)]).toEqual(['old', 'new']);
    });

    test('as an owner who is no superuser, and tells which setting only a superuser may give', async () => {
      const quoted = pg.escapeIdentifier(NAME);
      await server.query(
        `ALTER DATABASE ${quoted} SET log_statement = 'ddl'; ALTER DATABASE ${quoted} SET work_mem = '6MB'`,
      );
      const examined = await target(server.uri(NAME, 'owner'), silentLog);
      await makeCopy(examined);
      const { findings } = await swap(examined);
      expect(await which()).toBe('new');
      expect(findings.map(({ code, action }) => `${code} ${action}`)).toEqual([
        expect.stringContaining(
          `property-left-out As a superuser run \`ALTER DATABASE ${pg.escapeIdentifier(RESTORED)} SET "log_statement" TO 'ddl';\``,
        ),
      ]);
    });

    test('while clients come back as fast as they can, none of whom meets a name that leads nowhere for long', async () => {
      const seen = new Set<string>();
      let stop = false;
      let longest = 0;
      const client = async (): Promise<void> => {
        let since = Date.now();
        while (!stop) {
          const session = new pg.Client({ connectionString: server.uri(NAME, 'reader') });
          session.on('error', () => undefined);
          try {
            await session.connect();
            seen.add((await session.query('SELECT which FROM which')).rows[0].which);
            longest = Math.max(longest, Date.now() - since);
            since = Date.now();
            await session.query('SELECT pg_sleep(0.02)');
          } catch {
            // Sent away; it comes back at once.
          } finally {
            await session.end().catch(() => undefined);
          }
        }
      };
      const clients = Array.from({ length: 5 }, client);
      const examined = await target(server.uri(NAME), silentLog);
      await makeCopy(examined);
      await swap(examined);
      await systemClock.sleep(300);
      stop = true;
      await Promise.all(clients);
      expect(seen).toEqual(new Set(['old', 'new']));
      expect(longest).toBeLessThan(5_000);
    });

    test('not when a session cannot be ended: the old one serves, the words name who is there', async () => {
      await server.query(`GRANT CREATE ON DATABASE ${pg.escapeIdentifier(NAME)} TO owner`);
      const monitor = await server.connect(NAME);
      const examined = await target(server.uri(NAME, 'owner'), silentLog);
      expect(examined.facts.lastingSessions).toEqual(['postgres']);
      await makeCopy(examined);
      const error = await swap(examined).catch((thrown: unknown) => thrown as BackupError);
      await monitor.end();
      expect(error).toBeInstanceOf(BackupError);
      expect(error).toMatchObject({
        code: 'ERR_TARGET_BUSY',
        message: expect.stringContaining('stays in use by postgres'),
      });
      expect([await which(), await which(RESTORED)]).toEqual(['old', 'new']);
    }, 60_000);

    test('not when the new name is taken: the old one serves', async () => {
      const examined = await target(server.uri(NAME), silentLog);
      await makeCopy(examined);
      await server.createDatabase(FORMER);
      const error = await swap(examined).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ERR_SWAP_FAILED', message: expect.stringContaining('serves as before') });
      expect(await which()).toBe('old');
      expect(await properties(RESTORED)).toEqual([
        expect.objectContaining({ comment: expect.stringContaining('unfinished restore') }),
      ]);
    });

    test.each(['ready', 'properties', 'old-renamed', 'swapped'] as const)(
      'not when its session dies at the step %s: the old one serves',
      async (step) => {
        const examined = await target(server.uri(NAME), silentLog);
        await makeCopy(examined);
        const error = await swap(examined, async (at) => {
          if (at !== step) return;
          await server.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'db-backup-action swap'",
          );
          await systemClock.sleep(50);
        }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'ERR_SWAP_FAILED', message: expect.stringContaining('serves as before') });
        expect([await which(), await which(RESTORED)]).toEqual(['old', 'new']);
      },
    );

    test.each([
      ['locked', 'old'],
      ['paused', 'old'],
      ['unborn', 'old'],
      ['created', 'old'],
      ['ready', 'old'],
      ['properties', 'old'],
      ['old-renamed', 'old'],
      ['swapped', 'old'],
      ['committed', 'new'],
    ] as const)(
      'and whoever kills it at the step %s finds the %s one, which the next run gives back to all',
      async (step, serves) => {
        const before = await properties(NAME);
        const note = await killAt(server.uri(NAME), step);
        await gone(server);
        expect(await which()).toBe(serves);
        if (step === 'paused') await resumeFromNote(note ?? '', parseConnection(server.uri(), {}), ports);
        const next = await target(server.uri(NAME), silentLog);
        expect(next.facts.pause !== undefined).toBe(!['locked', 'paused', 'committed'].includes(step));
        const lock = await lockTarget(next.access, next.facts, silentLog);
        await tidyTarget(next.access, next.facts, ports);
        await lock.release();
        expect(await properties(NAME)).toEqual(before);
        const left = await server.query("SELECT datname FROM pg_database WHERE datname LIKE 'sh%' ORDER BY 1");
        expect(left).toEqual(serves === 'old' ? [{ datname: NAME }] : [{ datname: NAME }, { datname: FORMER }]);
        expect(await asReader(server)).toBe(serves === 'old' ? 'old' : 'new');
      },
    );

    test('only once at a time', async () => {
      const first = await target(server.uri(NAME), silentLog);
      const lock = await lockTarget(first.access, first.facts, silentLog);
      const second = await target(server.uri(NAME), silentLog);
      await expect(lockTarget(second.access, second.facts, silentLog)).rejects.toMatchObject({
        code: 'ERR_TARGET_BUSY',
        message: expect.stringMatching(/Another restore into .* is at work, since \d{4}-/),
      });
      await lock.release();
      const log = recordingLog();
      const third = await target(server.uri(NAME), silentLog);
      const again = await lockTarget(third.access, third.facts, log);
      await server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'db-backup-action restore lock'",
      );
      await systemClock.sleep(100);
      await again.release();
      expect(log.lines).toEqual([expect.stringContaining('has ended')]);
    });
  });
});

/** The note of its pause, where it came that far. */
async function killAt(uri: string, step: string): Promise<string | undefined> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, uri, RESTORED, FORMER, step], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let note: string | undefined;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (line.startsWith('note ')) note = line.slice(5);
    if (line === `at ${step}`) child.kill('SIGKILL');
    if (line === 'done') throw new Error('It came to its end');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return note;
}

/** The server notices a moment later that nobody is there any more. */
async function gone(server: PostgresServer): Promise<void> {
  for (;;) {
    const rows = await server.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'db-backup-action %'");
    if (rows.length === 0) return;
    await systemClock.sleep(50);
  }
}

/** What somebody without any special right reads. */
async function asReader(server: PostgresServer): Promise<string> {
  const session = new pg.Client({ connectionString: server.uri(NAME, 'reader') });
  await session.connect();
  try {
    return (await session.query<{ which: string }>('SELECT which FROM which')).rows[0]?.which ?? '';
  } finally {
    await session.end();
  }
}
