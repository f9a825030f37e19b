import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseConnection, secretForms } from '../../src/domain/connection.ts';
import { runAfterRestoreCommand, runAfterRestoreSql } from '../../src/restore/after-restore.ts';
import { allOf, describeIf } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { recordingLog } from '../support/silent-log.ts';

const MAJOR = 17;
const PASSWORD = `p@ss/w?rd %20+#&'"\\:$HOME ü`;
const DATABASE = `sh op/ü'&%:@+`;

const tools = await clientTools(MAJOR);
const here = allOf(
  availableMajors().includes(MAJOR) || { skipped: `no server of major ${MAJOR}` },
  'skipped' in tools ? tools : true,
);

describeIf(here, 'after a restore', () => {
  let server: PostgresServer;
  let client: pg.Client;
  let folder: string;
  const signal = new AbortController().signal;

  beforeAll(async () => {
    server = await startPostgres({ major: MAJOR, hba: 'host all all 127.0.0.1/32 scram-sha-256' });
    await server.createDatabase(DATABASE);
    await server.query(`CREATE ROLE "ap:p@1" LOGIN SUPERUSER PASSWORD ${pg.escapeLiteral(PASSWORD)}`);
    folder = await mkdtemp(path.join(os.tmpdir(), 'after-restore-'));
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    await server.query('DROP TABLE IF EXISTS people; CREATE TABLE people (id int PRIMARY KEY, mail text)', DATABASE);
    await server.query("INSERT INTO people VALUES (1, 'alice@example.com'), (2, 'bob@example.com')", DATABASE);
    client = await server.connect(DATABASE);
    client.on('error', () => undefined);
  });

  afterEach(() => client.end().catch(() => undefined));

  const mails = async (): Promise<string[]> =>
    (await server.query<{ mail: string }>('SELECT mail FROM people ORDER BY id', DATABASE)).map(({ mail }) => mail);

  describe('SQL', () => {
    const run = (text: string) => runAfterRestoreSql({ client, source: { text }, signal });

    test('is run and committed, from a text and from a file', async () => {
      await run(
        `UPDATE people SET mail = 'x' || id; -- all\nSELECT * FROM people; COPY people TO STDOUT; DO $$ BEGIN NULL; END $$`,
      );
      expect(await mails()).toEqual(['x1', 'x2']);
      const file = path.join(folder, 'sanitise.sql');
      await writeFile(file, "\uFEFFUPDATE people SET mail = 'y';");
      await runAfterRestoreSql({ client, source: { file }, signal });
      expect(await mails()).toEqual(['y', 'y']);
    });

    test.each([
      [
        "UPDATE people SET mail = 'x';\n-- ü\nSELECT 'ü';\nSELECT 1 / 0;",
        'statement 3 of 3 (line 4): division by zero (SQLSTATE 22012)',
      ],
      [
        "UPDATE people SET mail = 'x'; SELECT 'üü😀';\n\n SELECT\n nothing FROM people",
        'statement 3 of 3 (line 4): column "nothing" does not exist',
      ],
      ["UPDATE people SET mail = 'x';\nSELEC 1;", '(line 2): syntax error'],
      [
        "UPDATE people SET mail = 'x';\nINSERT INTO people VALUES (1, 'z')",
        'statement 2 of 2 (line 2): duplicate key value violates unique constraint (SQLSTATE 23505)',
      ],
      [
        "UPDATE people SET mail = 'x';\nSELECT mail::int FROM people",
        'statement 2 of 2 (line 2): invalid input syntax for type integer (SQLSTATE 22P02)',
      ],
      ["UPDATE people SET mail = 'x';\nCOPY people FROM STDIN", 'statement 2 of 2 (line 2): COPY from stdin failed'],
      [
        "UPDATE people SET mail = 'x';\nDO $$ BEGIN COMMIT; END $$",
        'statement 2 of 2 (line 2): invalid transaction termination',
      ],
      [
        "UPDATE people SET mail = 'x'; ALTER TABLE people ADD UNIQUE (mail) DEFERRABLE INITIALLY DEFERRED",
        'could not create unique index',
      ],
      [
        "ALTER TABLE people ADD UNIQUE (mail) DEFERRABLE INITIALLY DEFERRED; UPDATE people SET mail = 'x'",
        'failed when it was committed: duplicate key value violates unique constraint (SQLSTATE 23505)',
      ],
      [
        "UPDATE people SET mail = 'x';\nVACUUM",
        'statement 2 of 2 (line 2): VACUUM cannot run inside a transaction block',
      ],
    ])('that fails leaves nothing: %j', async (text, words) => {
      const error = await run(text).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'ERR_AFTER_RESTORE', message: expect.stringContaining(words) });
      expect(await mails()).toEqual(['alice@example.com', 'bob@example.com']);
      expect((error as Error).message).not.toContain('alice');
      // The session is of use still.
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });

    test('that is cancelled leaves nothing', async () => {
      const cancel = new AbortController();
      setTimeout(() => cancel.abort(new Error('cancelled')), 200);
      const text = "UPDATE people SET mail = 'x'; SELECT pg_sleep(60)";
      await expect(runAfterRestoreSql({ client, source: { text }, signal: cancel.signal })).rejects.toThrow(
        'cancelled',
      );
      // A server notices only later that its client is gone.
      await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      expect(await mails()).toEqual(['alice@example.com', 'bob@example.com']);
    });
  });

  describe('a command', () => {
    const connection = () =>
      parseConnection(
        `postgresql://${encodeURIComponent('ap:p@1')}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/${encodeURIComponent(DATABASE)}`,
        {},
      );

    async function run(
      command: string,
      env: Record<string, string> = {},
      more: { secrets?: string[]; signal?: AbortSignal } = {},
    ) {
      const log = recordingLog();
      const masked: string[] = [];
      await runAfterRestoreCommand({
        command,
        connection: connection(),
        env: { PATH: process.env.PATH, ...env },
        secrets: [],
        log: { ...log, mask: (text) => void masked.push(text) },
        signal,
        ...more,
      });
      return { lines: log.lines, masked };
    }

    test('finds the copy by psql and by a driver of Node', async () => {
      if ('skipped' in tools) throw new Error(tools.skipped);
      const script = path.join(process.cwd(), 'node_modules/pg/lib/index.js');
      const node = `import pg from '${script}'; const c = new pg.Client({ connectionString: process.env.DATABASE_URL }); await c.connect(); console.log('node', (await c.query('SELECT current_database() d')).rows[0].d); await c.end();`;
      await writeFile(path.join(folder, 'app.mjs'), node);
      const psql = `${tools.psql} "$DATABASE_URL" -Atc "SELECT 'psql ' || count(*) FROM people"`;
      const { lines, masked } = await run(`${psql}\n${process.execPath} ${folder}/app.mjs`);
      expect(lines).toEqual(['psql 2', `node ${DATABASE}`]);
      expect(masked).toEqual(expect.arrayContaining([PASSWORD, encodeURIComponent(PASSWORD).replaceAll("'", '%27')]));
      expect(masked.some((form) => form.startsWith('postgresql://'))).toBe(true);
    });

    test('gets the surroundings without what is the action’s own', async () => {
      const env = {
        KEPT: 'yes',
        DATABASE_URL: 'postgresql://production/shop',
        'INPUT_DATABASE-URL': 'x',
        STATE_workDir: 'x',
        PGPASSWORD: 'x',
        PGHOST: 'production',
        AWS_SECRET_ACCESS_KEY: 'x',
        B2_SESSION_TOKEN: 'x',
        ACTIONS_RUNTIME_TOKEN: 'x',
        COPY_OF_KEY: 'AGE-SECRET-KEY-1ABC',
      };
      const { lines } = await run('env', env, { secrets: ['AGE-SECRET-KEY-1ABC'] });
      const names = lines.map((line) => line.split('=')[0]);
      expect(names).toEqual(expect.arrayContaining(['KEPT', 'DATABASE_URL', 'PATH']));
      expect(lines.join('\n')).not.toContain('production');
      for (const name of Object.keys(env).slice(2)) expect(names).not.toContain(name);
    });

    test.each([
      [
        'echo first; echo second >&2; exit 3',
        /^after-restore-command ended with exit code 3\. Its last lines:\n(first\nsecond|second\nfirst)$/,
      ],
      ['false | true; echo on', /^after-restore-command ended with exit code 1$/],
      ['seq 1 50; no-such-program', /exit code 127\. Its last lines:\n.*49\n50/s],
      ['kill -9 $$', /the signal SIGKILL$/],
    ])('that fails is told with its last lines: %s', async (command, words) => {
      await expect(run(command)).rejects.toMatchObject({
        code: 'ERR_AFTER_RESTORE',
        message: expect.stringMatching(words),
      });
    });

    test('is ended with all that it started', async () => {
      const cancel = new AbortController();
      setTimeout(() => cancel.abort(new Error('deadline')), 300);
      const from = Date.now();
      await expect(run('sleep 61.7 & sleep 61.7', {}, { signal: cancel.signal })).rejects.toThrow('deadline');
      expect(Date.now() - from).toBeLessThan(3_000);
      // What it leaves running does not hold it up either.
      await run('sleep 61.7 & echo done');
      expect(Date.now() - from).toBeLessThan(6_000);
    });

    test('is known by every form of the password', () => {
      expect(secretForms(connection())).toContain(PASSWORD);
    });
  });
});
