/** What breaks while a dump is under way: the run ends soon, says why, and nothing of it is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import {
  DUMP_SESSION,
  type FolderState,
  type Scenario,
  type ScenarioRun,
  SNAPSHOT_SESSION,
  startScenario,
  until,
} from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven } from '../support/expect-run.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { childrenOf } from '../support/process-watch.ts';

/** About 25 MB of COPY text: longer than all buffers on the way hold. */
const BULK = `CREATE TABLE bulk AS
  SELECT g AS id, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) || md5((g + 3)::text) AS body
    FROM generate_series(1, 180000) g`;
const BYTES_PER_SECOND = 3_000_000;

describeWith(await clientTools(17), 'A dump under way', (clients) => {
  let scenario: Scenario;
  let proxy: FaultProxy;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: BULK });
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });

  afterAll(() => scenario?.stop());

  beforeEach(async () => {
    const { port } = scenario.server;
    proxy = await startFaultProxy({ host: '127.0.0.1', port }, { bytesPerSecond: BYTES_PER_SECOND });
  });

  afterEach(() => proxy?.close());

  /** Does `strike` while rows are on their way. */
  async function runAndStrike(
    strike: (pid: number) => Promise<unknown> | unknown,
    inputs: Record<string, string> = {},
  ): Promise<ScenarioRun & { secondsAfter: number }> {
    let pid = 0;
    const running = scenario.run({
      url: scenario.url({ port: proxy.port }),
      inputs,
      onStart: (action) => {
        pid = action.pid;
      },
    });
    const copying = `SELECT FROM pg_stat_activity WHERE ${DUMP_SESSION} AND query LIKE 'COPY public.bulk%'`;
    const seen = await until(
      () => scenario.query(copying),
      (rows) => rows.length > 0,
      20_000,
    );
    expect(seen, 'a dump that has begun to copy').toHaveLength(1);
    await sleep(300);
    const struckAt = performance.now();
    await strike(pid);
    const run = await running;
    return { ...run, secondsAfter: (performance.now() - struckAt) / 1000 };
  }

  test('ends when the session that holds the snapshot is ended', async () => {
    const run = await runAndStrike(() =>
      scenario.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${SNAPSHOT_SESSION}`),
    );
    await expectFailed(scenario, run, before, {
      code: 'ERR_SNAPSHOT_LOST',
      happened: ['The session that holds the snapshot was lost', 'terminating connection due to administrator command'],
      action: ['pg_terminate_backend', 'run the backup again'],
      safety: 'has no metadata.json, and without it a backup does not exist',
    });
    expect(run.secondsAfter).toBeLessThan(10);
  });

  test("ends when pg_dump's own session is ended", async () => {
    const run = await runAndStrike(() =>
      scenario.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${DUMP_SESSION}`),
    );
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_FAILED',
      happened: ['pg_dump failed with exit code 1', /server closed the connection|terminating connection/],
      action: ['Run the backup again', 'server log'],
      safety: 'Nothing of this backup became visible',
    });
  });

  test('ends when pg_dump itself is killed, and so does the session that holds the snapshot', async () => {
    const run = await runAndStrike((pid) => {
      const [dump, ...more] = childrenOf(pid, /pg_dump.*--format=custom/);
      expect(more).toEqual([]);
      process.kill(dump as number, 'SIGKILL');
    });
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_FAILED',
      happened: ['pg_dump was ended by SIGKILL'],
      action: ['memory limit', 'Run the backup again'],
      safety: 'Nothing of this backup became visible',
    });
    expect(run.secondsAfter).toBeLessThan(10);
  });

  test('that is cut off by the network ends', async () => {
    const run = await runAndStrike(() => proxy.set({ resetAfter: 0 }));
    await expectFailed(scenario, run, before, {
      code: ['ERR_DUMP_FAILED', 'ERR_SNAPSHOT_LOST'],
      happened: [/lost|closed|reset/],
      action: [/run the backup again/i],
      safety: 'Nothing of this backup became visible',
    });
  });

  test('that the network swallows is noticed by our own watchdog, not after hours', async () => {
    const run = await runAndStrike(() => proxy.set({ blackholeAfter: 0 }), { 'stall-timeout-seconds': '5' });
    // The sessions at the server know nothing of it; they are of no use any more.
    await scenario.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'backup'`);
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_STALLED',
      happened: [/pg_dump has been silent for \d+ s/, 'could not be asked'],
      action: ['The connection to the database is dead', 'firewalls', 'stall-timeout-seconds'],
      safety: 'Nothing of this backup became visible',
    });
    expect(run.secondsAfter).toBeLessThan(32);
  });

  test('ends when the server is killed', async () => {
    const run = await runAndStrike(() => scenario.server.stop({ mode: 'immediate' }));
    await expectFailed(scenario, run, before, {
      code: ['ERR_DUMP_FAILED', 'ERR_SNAPSHOT_LOST'],
      happened: [/terminating connection|server closed the connection|connection was closed|Connection terminated/],
      action: [/run the backup again/i],
      safety: 'Nothing of this backup became visible',
    });
    expect(run.secondsAfter).toBeLessThan(20);
  });
});
