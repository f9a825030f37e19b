/** Drop and restore as one transaction: the former content, or the restored one, and nothing between. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EntryPlan } from '../../src/domain/entry-plan.ts';
import { runRestore } from '../../src/postgres/restore.ts';
import type { RestoreSource } from '../../src/postgres/restore-source.ts';
import { runRestoreInOneTransaction, type TransactionOptions } from '../../src/postgres/restore-transaction.ts';
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

  function options(part: Partial<TransactionOptions> = {}): TransactionOptions {
    return { ...bench.options(database, shop, plan), before: BEFORE, ...part };
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
      message: expect.stringMatching(/undone: line \d+: ERROR: {1,2}relation "reviews_product" already exists/),
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
      if (outcome === 'committed') break;
      expect(outcome).toBe('ERR_RESTORE_FAILED');
      await untilAlone(database);
      expect(await inventory(bench.target, database)).toEqual(former);
      interrupted += 1;
    }
    expect(interrupted).toBeGreaterThan(0);
  });

  test('ends with the reason of the signal, and leaves what was there', async () => {
    const controller = new AbortController();
    const running = runRestoreInOneTransaction(options({ signal: controller.signal }));
    setTimeout(() => controller.abort(new Error('cancelled')), 60);
    await expect(running).rejects.toThrow('cancelled');
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

  /** A session whose client was killed goes on until it notices. */
  async function untilAlone(name: string): Promise<void> {
    const sql = `SELECT FROM pg_stat_activity WHERE datname = $1`;
    while ((await bench.target.query(sql, 'postgres', [name])).length > 0) await sleep(20);
  }
});
