/** Replicas that are behind, seen from either end: a primary and a standby that streams from it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeIf } from '../support/availability.ts';
import { type CheckRun, runCheck } from '../support/check-bench.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { startStandby, streamFrom } from '../support/standby.ts';

const WAITING = { timeout: 30_000, interval: 200 };

describe.each([13, 18])('A replica of a Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(here, 'is looked at from both ends', () => {
    let primary: PostgresServer;
    let standby: PostgresServer;
    beforeAll(async () => {
      primary = await startPostgres({ major });
      await primary.query('CREATE TABLE orders (id int PRIMARY KEY); CREATE ROLE app LOGIN');
      standby = await startStandby(primary, {
        wal_receiver_status_interval: '1s',
        wal_retrieve_retry_interval: '200ms',
      });
    });
    afterAll(async () => {
      await standby?.stop();
      await primary.stop();
    });

    let orders = 0;
    async function order(): Promise<void> {
      orders += 1;
      await primary.query(`INSERT INTO orders VALUES (${orders})`);
    }
    const arrived = () =>
      expect.poll(() => standby.query('SELECT max(id) AS id FROM orders'), WAITING).toEqual([{ id: orders }]);
    async function set(setting: string): Promise<void> {
      await standby.query(`ALTER SYSTEM SET ${setting}`);
      await standby.query('SELECT pg_reload_conf()');
    }
    const run = (server: PostgresServer, checks = 'replication-lag=2', user = 'postgres'): Promise<CheckRun> =>
      runCheck({ 'database-url': server.uri('postgres', user), checks });

    test('and nothing streams to it: what it has replayed is all that it knows', async () => {
      expect((await run(standby)).of('replication-lag').status).toBe('passed');
      expect(await standby.query('SELECT pg_last_xact_replay_timestamp() AS at')).toEqual([{ at: null }]);
      await set("primary_conninfo = 'host=127.0.0.1 port=1'");
      await expect.poll(() => primary.query('SELECT FROM pg_stat_replication'), WAITING).toEqual([]);
      await order();
      await expect.poll(async () => (await run(standby)).of('replication-lag').status, WAITING).toBe('warning');
      await set(`primary_conninfo = '${streamFrom(primary)}'`);
      await arrived();
      expect((await run(standby)).of('replication-lag').status).toBe('passed');
    });

    test('and keeps up', async () => {
      await order();
      await arrived();
      for (const server of [primary, standby])
        expect((await run(server)).of('replication-lag')).toMatchObject({ status: 'passed', limit: 2 });
      expect((await run(standby)).result.overview).toContainEqual(['server', expect.stringContaining(', a standby, ')]);
    });

    test('and is behind', async () => {
      await set("recovery_min_apply_delay = '1h'");
      const late = async () => {
        await order();
        return await primary.query("SELECT FROM pg_stat_replication WHERE replay_lag > '2500 ms'");
      };
      await expect.poll(late, WAITING).toHaveLength(1);
      expect((await run(primary)).of('replication-lag')).toMatchObject({
        status: 'warning',
        seen: expect.stringMatching(/^Replication is \d+ s behind$/),
        details: [expect.stringMatching(/^walreceiver: \d+ s$/)],
      });
      expect((await run(standby)).of('replication-lag')).toMatchObject({
        status: 'warning',
        details: [expect.stringMatching(/^this standby: \d+ s$/)],
      });
      expect((await run(primary, 'replication-lag=60')).of('replication-lag').status).toBe('passed');
      expect((await run(primary, 'replication-lag=2', 'app')).of('replication-lag')).toMatchObject({
        status: 'not-run',
        seen: 'This role may not see how far 1 replica is behind',
      });
    });
  });
});
