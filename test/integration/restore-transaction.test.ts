/** Drop and restore as one transaction: the former content, or the restored one, and nothing between. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryPlan } from '../../src/domain/entry-plan.ts';
import { type RestoreRun, runRestore } from '../../src/postgres/restore.ts';
import type { RestoreSource } from '../../src/postgres/restore-source.ts';
import {
  runRestoreInOneTransaction,
  type TransactionOptions,
  type TransactionSession,
} from '../../src/postgres/restore-transaction.ts';
import { transactionEnd } from '../../src/postgres/transaction-end.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeWith } from '../support/availability.ts';
import { childrenOf } from '../support/process-watch.ts';
import { asStream, inventory, never, RestoreBench, restoreClients } from '../support/restore-bench.ts';

type ArchiveFile = Extract<RestoreSource, { kind: 'file' }>;

const BEFORE = ['DROP SCHEMA public CASCADE', 'CREATE SCHEMA public'];

describeWith(await restoreClients(17, 17), 'a restore in one transaction', (clients) => {
  let bench: RestoreBench;
  let shop: ArchiveFile;
  let plan: EntryPlan;
  let database: string;
  let former: Record<string, string>;

  beforeAll(async () => {
    bench = await RestoreBench.start(clients, 17);
    await bench.target.query('CREATE ROLE shapes_owner; CREATE ROLE shapes_reader');
    shop = await bench.dump('shop', { fixture: 'shop' });
    plan = await bench.plan(shop);
  });

  afterAll(() => bench.stop());

  beforeEach(async () => {
    database = await bench.newDatabase();
    await bench.target.query(
      `CREATE TABLE orders (id integer PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'former' FROM generate_series(1, 500) g;
       SELECT lo_from_bytea(4711, 'former')`,
      database,
    );
    former = await inventory(bench.target, database);
  });

  let told: string[];

  async function lookUp(session: TransactionSession): Promise<'committed' | 'undone'> {
    const client = await bench.target.connect(database);
    return await transactionEnd(client, session, systemClock).finally(() => client.end());
  }

  function options(part: Partial<TransactionOptions> = {}): TransactionOptions {
    told = [];
    return {
      ...bench.options(database, shop, plan),
      before: BEFORE,
      lookUp,
      onFailure: (end) => told.push(end),
      ...part,
    };
  }

  test('replaces what was there, from a file and from a stream', async () => {
    const expected = await inventory(bench.source, 'shop');
    for (const archive of [shop, asStream(shop)]) {
      const run = await runRestoreInOneTransaction(options({ archive }));
      expect(run.exitCode).toBe(0);
      expect(run.messages.filter(({ kind }) => kind !== 'harmless')).toEqual([]);
      const found = await inventory(bench.target, database);
      delete found['large object 4711'];
      expect(found).toEqual(expected);
    }
  });

  test('restores large objects without a transaction of their own', async () => {
    const archive = await bench.dump('shapes', { fixture: 'shapes' });
    const shapes = await bench.plan(archive);
    await runRestoreInOneTransaction(options({ archive, plan: shapes }));
    const found = await inventory(bench.target, database);
    delete found['large object 4711'];
    expect(found).toEqual(await inventory(bench.source, 'shapes'));
  });

  test('an error at the very end undoes everything, and is told in words', async () => {
    const before = [...BEFORE, 'CREATE TABLE public.reviews_product ()'];
    await expect(runRestoreInOneTransaction(options({ before }))).rejects.toMatchObject({
      code: 'ERR_RESTORE_FAILED',
      message: expect.stringMatching(
        /in one transaction failed: line \d+: ERROR: {1,2}relation "reviews_product" already exists/,
      ),
    });
    expect(await inventory(bench.target, database)).toEqual(former);
  });

  test('an archive that is cut short is never committed', async () => {
    const bytes = await readFile(shop.path);
    for (const share of [0.5, 0.9, 0.999]) {
      const file = path.join(bench.folder, 'short');
      await writeFile(file, bytes.subarray(0, Math.floor(bytes.length * share)));
      const archive: ArchiveFile = { kind: 'file', format: 'custom', path: file };
      for (const each of [archive, asStream(archive)]) {
        await expect(runRestoreInOneTransaction(options({ archive: each }))).rejects.toMatchObject({
          code: 'ERR_RESTORE_FAILED',
        });
        expect(await inventory(bench.target, database)).toEqual(former);
      }
    }
  });

  test.each(['psql', 'pg_restore'])('%s that is killed at any moment leaves what was there', async (program) => {
    let interrupted = 0;
    for (const afterMs of [0, 20, 40, 60, 80, 100, 130]) {
      const running = runRestoreInOneTransaction(options()).then(
        () => 'committed',
        (error: { code: string }) => error.code,
      );
      const pattern = new RegExp(`/${program} .*--file=-`);
      while (childrenOf(process.pid, pattern).length === 0) {
        const settled = await Promise.race([running.then(() => true), sleep(1).then(() => false)]);
        if (settled) break;
      }
      await sleep(afterMs);
      for (const pid of childrenOf(process.pid, pattern)) process.kill(pid, 'SIGKILL');
      const outcome = await running;
      if (outcome === 'committed') {
        expect(await inventory(bench.target, database)).toEqual(await restored());
        break;
      }
      expect(outcome).toBe('ERR_RESTORE_FAILED');
      expect(told).toEqual(['undone']);
      await untilAlone(database);
      expect(await inventory(bench.target, database)).toEqual(former);
      interrupted += 1;
    }
    expect(interrupted).toBeGreaterThan(0);
  });

  describe('psql that is killed while the server commits', () => {
    const SLOW_COMMIT = [
      ...BEFORE,
      'CREATE TABLE public.slow (a int)',
      `CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(2); RETURN NULL; END'`,
      'CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON public.slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.slow()',
      'INSERT INTO public.slow VALUES (1)',
    ];

    async function killed(part: Partial<TransactionOptions>): Promise<RestoreRun> {
      const running = runRestoreInOneTransaction(options({ before: SLOW_COMMIT, ...part }));
      running.catch(() => undefined);
      await untilAsleep('COMMIT;');
      for (const pid of childrenOf(process.pid, /\/psql .*--file=-/)) process.kill(pid, 'SIGKILL');
      return await running;
    }

    test('is a restore that is done where the server says so', async () => {
      const run = await killed({ lookUp: (session) => sleep(2500).then(() => lookUp(session)) });
      expect(run.exitCode).toBe(0);
      expect(told).toEqual([]);
      const found = await inventory(bench.target, database);
      expect(found).toMatchObject(await restored());
      expect(found).toHaveProperty('relation r public.slow');
    });

    test('has its session ended, and is undone', async () => {
      await expect(killed({})).rejects.toMatchObject({ code: 'ERR_RESTORE_FAILED' });
      expect(told).toEqual(['undone']);
      expect(await inventory(bench.target, database)).toEqual(former);
    });

    test('is not known to be undone where the server cannot be asked', async () => {
      const refused = () => Promise.reject(new Error('connection refused'));
      await expect(killed({ lookUp: refused })).rejects.toMatchObject({ code: 'ERR_RESTORE_FAILED' });
      expect(told).toEqual(['unknown']);
      await untilAlone(database);
    });
  });

  test('ends with the reason of the signal, and leaves what was there', async () => {
    const controller = new AbortController();
    const before = [...BEFORE, 'SELECT pg_catalog.pg_sleep(60)'];
    const running = runRestoreInOneTransaction(options({ before, signal: controller.signal }));
    running.catch(() => undefined);
    await untilAsleep('SELECT pg_catalog.pg_sleep(60);');
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(told).toEqual(['undone']);
    await bench.target.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', 'postgres', [
      database,
    ]);
    await untilAlone(database);
    expect(await inventory(bench.target, database)).toEqual(former);
  });

  test('without psql it says so before anything is touched', async () => {
    const { psql: _psql, ...tools } = bench.tools;
    await expect(runRestoreInOneTransaction(options({ tools }))).rejects.toThrow('There is no psql of version');
    expect(await inventory(bench.target, database)).toEqual(former);
  });

  test('psql obeys no command that stands in a plain dump, and keeps rows that look like one', async () => {
    const witness = path.join(bench.folder, 'witness');
    const file = path.join(bench.folder, 'hostile.sql');
    const restore = async (sql: string) => {
      await writeFile(file, sql);
      const archive: RestoreSource = { kind: 'file', format: 'sql', path: file };
      const fresh = await bench.newDatabase();
      const run = await runRestore({ ...bench.options(fresh, archive, plan), signal: never() });
      return { run, fresh };
    };
    const hostile = [`\\! touch ${witness}`, '\\connect postgres', `\\o ${witness}`, '\\unrestrict x'];
    for (const command of [...hostile, `\\restrict a\n\\unrestrict a\n\\! touch ${witness}`]) {
      const { run } = await restore(`-- dump\n${command}\nCREATE TABLE t (a int);\n`);
      expect(run.exitCode).not.toBe(0);
      expect(run.messages.some(({ kind }) => kind !== 'harmless')).toBe(true);
      expect(existsSync(witness)).toBe(false);
    }
    const rows = 'CREATE TABLE t (a text);\nCOPY t (a) FROM stdin;\n\\restrict k\n\\unrestrict x\n\\.\n';
    const { run, fresh } = await restore(`--\n-- dump\n--\n\n\\restrict abc\n\n${rows}\n\\unrestrict abc\n\n`);
    expect(run).toMatchObject({ exitCode: 0, messages: [] });
    const found = await bench.target.query<{ a: string }>('SELECT a FROM t', fresh);
    expect(found.map(({ a }) => a)).toEqual(['\restrict k', 'unrestrict x']);
  });

  /** What the database holds when it is done; nobody drops large objects. */
  async function restored(): Promise<Record<string, string>> {
    const { 'large object 4711': kept = '' } = former;
    return { ...(await inventory(bench.source, 'shop')), 'large object 4711': kept };
  }

  async function untilAsleep(statement: string): Promise<void> {
    const sql = `SELECT FROM pg_stat_activity WHERE datname = $1 AND query = $2 AND wait_event = 'PgSleep'`;
    while ((await bench.target.query(sql, 'postgres', [database, statement])).length === 0) await sleep(10);
  }

  /** A session whose client was killed goes on until it notices. */
  async function untilAlone(name: string): Promise<void> {
    const sql = `SELECT FROM pg_stat_activity WHERE datname = $1`;
    while ((await bench.target.query(sql, 'postgres', [name])).length > 0) await sleep(20);
  }
});
