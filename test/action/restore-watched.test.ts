/** What other roles see and lose while a restore is at work: raw rows of a copy never, acknowledged writes neither. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Strategy } from '../../src/domain/recovery.ts';
import { describeWith } from '../support/availability.ts';
import { PASSWORD, type ScenarioRun } from '../support/backup-scenario.ts';
import { readable } from '../support/expect-run.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import {
  APP,
  auditPair,
  expectNothingLeft,
  freshAudits,
  type RecoveryStage,
  recoveryNeeds,
  startRecoveryStage,
} from '../support/recovery-stage.ts';

const SANITISE = `UPDATE customers SET email = 'c' || id || '@invalid'; SELECT pg_sleep(1)`;

describeWith(await recoveryNeeds(17), 'While a restore is at work', ({ clients }) => {
  let stage: RecoveryStage;
  let set: ScenarioRun;

  beforeAll(async () => {
    stage = await startRecoveryStage(clients);
    await stage.loadShop('shop');
    set = await stage.backUp('shop');
  });

  afterAll(() => stage?.stop());

  const confirmation = (strategy: Strategy): Record<string, string> =>
    strategy === 'in-place' ? { confirm: `127.0.0.1:${stage.server.port}/shop`, reason: 'a rehearsal' } : {};
  const restore = (strategy: Strategy, inputs: Record<string, string>): Promise<ScenarioRun> =>
    stage.restore(set.outputs['backup-id'] ?? '', 'shop', { strategy, ...confirmation(strategy), ...inputs });

  test.each<Strategy>(['new-database', 'swap'])(
    'by %s, a copy that is to be sanitised is never seen raw by another role',
    async (strategy) => {
      const [old] = await stage.server.query<{ oid: number }>(`SELECT oid FROM pg_database WHERE datname = 'shop'`);
      const watcher = watchCopies(stage.server, old?.oid ?? 0);
      const run = await restore(strategy, {
        'after-restore-sql': SANITISE,
        'after-restore-command': `psql -X -At -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "SELECT 'checked ' || count(*) FROM customers WHERE email LIKE '%@invalid'"`,
      });
      await sleep(500);
      const seen = await watcher.stop();
      expect(run.exitCode, run.maskedLog).toBe(0);
      expect(run.maskedLog).toContain('checked 800');
      expect(seen.refused, 'it tried while the copy was there').toBeGreaterThan(10);
      expect(seen.sanitised, 'it can enter in the end').toBeGreaterThan(0);
      expect(seen.raw).toEqual([]);
      expect(run.maskedLog).not.toContain(PASSWORD);
      await expectNothingLeft(stage, run);
      await dropCopies(stage.server);
    },
  );

  test.each<Strategy>(['swap', 'in-place'])(
    'by %s, whatever a client wrote and was told to be written is in the safety backup or in the restored database',
    async (strategy) => {
      const keys = await stage.bucket.keys();
      const writer = writeOnAndOn(stage.server);
      await writer.until(20);
      const run = await restore(strategy, {});
      const during = writer.written.length;
      await writer.until(during + 20);
      const { written, refused } = await writer.stop();
      expect(run.exitCode, run.maskedLog).toBe(0);
      expect(refused, 'it was kept out for a while').toBeGreaterThan(0);
      const { finished } = auditPair(await freshAudits(stage, keys));
      const saved = await stage.restore(finished.safetyBackup?.id ?? '', 'shop');
      expect(saved.outputs.verdict, saved.maskedLog).toBe('passed');
      const ledger = async (database: string): Promise<Set<number>> => {
        const rows = await stage.server.query<{ n: string }>('SELECT n FROM ledger WHERE n > 0', database);
        return new Set(rows.map(({ n }) => Number(n)));
      };
      const inSafety = await ledger(saved.outputs['restored-database'] ?? '');
      const after = await ledger('shop');
      expect(inSafety.size).toBeGreaterThanOrEqual(20);
      expect(after.size).toBeGreaterThanOrEqual(20);
      expect(written.filter((n) => !inSafety.has(n) && !after.has(n))).toEqual([]);
      if (strategy === 'swap') expect(await ledger(finished.formerDatabase ?? '')).toEqual(inSafety);
      await expectNothingLeft(stage, run);
      await dropCopies(stage.server);
      await stage.server.query('DELETE FROM ledger WHERE n > 0', 'shop');
    },
  );

  test('critical tables come first, and the time until they could be read is told everywhere', async () => {
    const keys = await stage.bucket.keys();
    const run = await restore('new-database', { 'critical-tables': 'public.orders' });
    expect(run.outputs.verdict, run.maskedLog).toBe('passed');
    const { finished } = auditPair(await freshAudits(stage, keys));
    const { criticalTablesSeconds = 0, totalSeconds } = finished.timings;
    expect(criticalTablesSeconds).toBeGreaterThan(0);
    expect(criticalTablesSeconds).toBeLessThan(totalSeconds);
    expect(readable(run.summary)).toMatch(/The critical tables could be read after [\d.]+ (ms|s)/);
    await dropCopies(stage.server);
  });
});

async function dropCopies(server: PostgresServer): Promise<void> {
  const copies = await server.query<{ name: string }>(
    `SELECT quote_ident(datname) AS name FROM pg_database WHERE datname ~ '^shop_(restored|before)_'`,
  );
  for (const { name } of copies) await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
}

interface Seen {
  /** Databases whose customers it saw as they were taken. */
  raw: string[];
  sanitised: number;
  refused: number;
}

/** Tries without a pause to enter and to read every database but that with the number `old`. */
function watchCopies(server: PostgresServer, old: number): { stop(): Promise<Seen> } {
  const seen: Seen = { raw: [], sanitised: 0, refused: 0 };
  let over = false;
  const look = async (database: string): Promise<void> => {
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: APP, database });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ oid: number; raw: number; all: number }>(
        `SELECT (SELECT oid FROM pg_database WHERE datname = current_database()),
                (count(*) FILTER (WHERE email NOT LIKE '%@invalid'))::int AS raw, count(*)::int AS all FROM customers`,
      );
      const [row] = rows;
      if (row === undefined || row.oid === old) return;
      if (row.raw > 0) seen.raw.push(database);
      else if (row.all > 0) seen.sanitised += 1;
    } catch {
      if (database !== 'shop') seen.refused += 1;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const work = async (): Promise<void> => {
    const catalog = await server.connect();
    while (!over) {
      const { rows } = await catalog.query<{ datname: string }>(
        `SELECT datname FROM pg_database WHERE datname ~ '^shop'`,
      );
      for (const { datname } of rows) await look(datname);
      await sleep(5);
    }
    await catalog.end();
  };
  const done = work();
  return {
    async stop() {
      over = true;
      await done;
      return seen;
    },
  };
}

/** As the application: numbers that the server acknowledged, one after the other; it comes back whenever it is sent away. */
function writeOnAndOn(server: PostgresServer) {
  const written: number[] = [];
  const seen = { refused: 0 };
  let over = false;
  let next = 1;
  const session = async (): Promise<void> => {
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: APP, database: 'shop' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      while (!over) {
        const n = next++;
        await client.query('INSERT INTO ledger VALUES ($1)', [n]);
        written.push(n);
      }
    } catch {
      seen.refused += 1;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const work = async (): Promise<void> => {
    while (!over) {
      await session();
      await sleep(5);
    }
  };
  const done = work();
  return {
    written,
    /** Resolves when so many writes were acknowledged. */
    async until(count: number) {
      const deadline = Date.now() + 20_000;
      while (written.length < count) {
        expect(Date.now(), 'the client can write').toBeLessThan(deadline);
        await sleep(10);
      }
    },
    async stop() {
      over = true;
      await done;
      return { written, refused: seen.refused };
    },
  };
}
