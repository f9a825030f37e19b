/** Snapshots of a small shop on real servers, and other sessions that come in between. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { WHOLE } from '../../src/domain/scope.ts';
import type { SnapshotRequest } from '../../src/postgres/locked-read.ts';
import { openSnapshot, type Snapshot } from '../../src/postgres/snapshot.ts';
import { describeIf } from './availability.ts';
import { clientTools } from './clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from './postgres-server.ts';
import { runTool } from './run-tool.ts';
import { recordingLog, silentLog } from './silent-log.ts';

/** On every major, one server for the suite and a fresh database `shop` for every test. */
export function describeSnapshots(body: (bench: SnapshotBench) => void): void {
  describe.each([13, 15, 18])('a snapshot on Postgres %i', async (major) => {
    const tools = await clientTools(major);
    const servers = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
    const here = servers === true && 'skipped' in tools ? tools : servers;

    describeIf(here, 'under concurrent changes', () => {
      if ('skipped' in tools) throw new Error(tools.skipped);
      const bench = new SnapshotBench(major, tools.pgDump);

      beforeAll(async () => {
        bench.server = await startPostgres({ major, settings: { max_prepared_transactions: '2' } });
      });

      afterAll(() => bench.server.stop());

      beforeEach(() => bench.renewShop());

      body(bench);
    });
  });
}

/** Complete inside tests only. */
export class SnapshotBench {
  readonly major: number;
  declare server: PostgresServer;
  readonly #pgDump: string;

  constructor(major: number, pgDump: string) {
    this.major = major;
    this.#pgDump = pgDump;
  }

  async renewShop(): Promise<void> {
    await this.server.query('DROP DATABASE IF EXISTS shop');
    await this.server.createDatabase('shop');
    await this.server.query(
      `CREATE TABLE orders (id serial PRIMARY KEY, note text); CREATE TABLE other (i int);
         INSERT INTO orders (note) SELECT 'n' FROM generate_series(1, 100); INSERT INTO other VALUES (1)`,
      'shop',
    );
  }

  async #connect(user = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.server.uri('shop', user), application_name: 'backup' });
    await client.connect();
    return client;
  }

  async open(part: Partial<SnapshotRequest> = {}, user?: string): Promise<Snapshot> {
    return await openSnapshot(await this.#connect(user), {
      scope: WHOLE,
      criticalTables: [],
      lockTimeoutSeconds: 20,
      signal: new AbortController().signal,
      log: silentLog,
      ...part,
    });
  }

  /** Rows of the table in what pg_dump reads through the snapshot; `undefined` when it is not there. */
  async dumpedRows(snapshot: Snapshot, table: string): Promise<number | undefined> {
    const sql = await runTool(this.#pgDump, [`--snapshot=${snapshot.id}`, '-d', this.server.uri('shop')]);
    const block = new RegExp(`^COPY public\\.${table} .*\\n([^]*?)^\\\\\\.$`, 'm').exec(sql);
    return block?.[1]?.split('\n').slice(0, -1).length;
  }

  /** Until `count` locks are being waited for by sessions of ours. */
  async untilWaiting(count = 1): Promise<void> {
    for (;;) {
      const rows = await this.server.query(
        "SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.application_name = 'backup'",
      );
      if (rows.length >= count) return;
      await sleep(10);
    }
  }

  /** Opens a snapshot while another session holds `orders` and does `change` before it commits. */
  async openWhile(change: string): Promise<{ snapshot: Snapshot; lines: string[] }> {
    const log = recordingLog();
    const other = await this.server.connect('shop');
    try {
      await other.query('BEGIN');
      await other.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const opening = this.open({ log });
      await this.untilWaiting();
      await other.query(change);
      await other.query('COMMIT');
      return { snapshot: await opening, lines: log.lines };
    } finally {
      await other.end();
    }
  }

  async rowsOf(snapshot: Snapshot, table: string): Promise<number | undefined> {
    await snapshot.countRows(1e9, new AbortController().signal);
    return snapshot.facts.tables.find(({ name }) => name === table)?.rows;
  }
}
