/** Sessions of our own that fall silent: a dead network ends the run soon, a server at work does not. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, SNAPSHOT_SESSION, startScenario, until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven } from '../support/expect-run.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { pgBouncerProgram, startPgBouncer } from '../support/pgbouncer.ts';

const STALL = { 'stall-timeout-seconds': '5' };
/** More than a greeting and its first answers, less than the catalog that the preflight reads. */
const IN_PREFLIGHT_BYTES = 4_000;

/** The rows of an extension's table are those of a condition, which here takes longer than the patience. */
const SLOW = `
  CREATE EXTENSION hstore;
  CREATE TABLE slow AS SELECT 1 AS id;
  ALTER EXTENSION hstore ADD TABLE slow;
  UPDATE pg_extension SET extconfig = ARRAY['slow'::regclass::oid],
    extcondition = ARRAY['WHERE (SELECT pg_catalog.pg_sleep(9)) IS NOT NULL'] WHERE extname = 'hstore';
`;

/** AuthenticationOk, BackendKeyData and ReadyForQuery, as the protocol writes them. */
const GREETING = Buffer.concat([
  Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1'),
  Buffer.from('K\0\0\0\x0c\0\0\x30\x39\0\0\0\x01', 'latin1'),
  Buffer.from('Z\0\0\0\x05I', 'latin1'),
]);

const bouncer = await pgBouncerProgram();

describeWith(await clientTools(17), 'A server that falls silent', (clients) => {
  let scenario: Scenario;
  let proxy: FaultProxy;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await scenario.query('CREATE DATABASE slow TEMPLATE shop', 'postgres');
    await scenario.query(SLOW, 'slow');
    await expectProven(scenario, await scenario.run(), new Map());
  });

  beforeEach(async () => {
    before = scenario.state();
    proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port });
  });

  /** The sessions at the server know nothing of what became of their clients. */
  async function endSessions(): Promise<void> {
    await proxy.close();
    await scenario.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'backup'`);
  }

  afterAll(() => scenario?.stop());

  test('during the preflight does not hold the run for hours', async () => {
    proxy.set({ direction: 'to-client', blackholeAfter: IN_PREFLIGHT_BYTES, strikes: 1 });
    const run = await scenario.run({ url: scenario.url({ port: proxy.port }), inputs: STALL });
    expect(proxy.counts.struck).toBe(1);
    await endSessions();
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_STALLED',
      happened: [/The preflight session has been silent for \d+ s/, 'the network between them is dead'],
      action: ['Run the backup again', 'firewalls', 'stall-timeout-seconds'],
      safety: 'Nothing was written',
    });
    expect(run.seconds).toBeLessThan(25);
  });

  test('and is gone during the preflight is told as that, not as a defect', async () => {
    proxy.set({ direction: 'to-client', resetAfter: IN_PREFLIGHT_BYTES, strikes: 1 });
    const run = await scenario.run({ url: scenario.url({ port: proxy.port }), inputs: STALL });
    expect(proxy.counts.struck).toBe(1);
    await endSessions();
    await expectFailed(scenario, run, before, {
      code: 'ERR_CONNECT',
      happened: ['The preflight session was ended in the middle'],
      action: ['Run it again', 'log of the server'],
      safety: 'Nothing was written',
    });
  });

  test('to a role that is idle for a moment is no matter for a backup', async () => {
    await scenario.query(`ALTER ROLE backup SET idle_in_transaction_session_timeout = '1ms'`);
    const run = await scenario.run().finally(() => scenario.query('ALTER ROLE backup RESET ALL'));
    await expectProven(scenario, run, before);
  });

  test('to a role that takes its time is never told as a defect, whatever is in its way', async () => {
    await scenario.query(`ALTER ROLE backup SET statement_timeout = '1ms'`);
    const run = await scenario.run().finally(() => scenario.query('ALTER ROLE backup RESET ALL'));
    expect(run.maskedLog).not.toContain('ERR_INTERNAL');
  });

  test('from the first byte on does not hold the run for hours', async () => {
    proxy.set({ direction: 'to-client', blackholeAfter: 0 });
    const run = await scenario.run({ url: `${scenario.url({ port: proxy.port })}?connect_timeout=4`, inputs: STALL });
    await endSessions();
    await expectFailed(scenario, run, before, {
      code: 'ERR_CONNECT',
      happened: ['no answer in time'],
      action: ['firewall'],
      safety: 'Nothing was written',
    });
    expect(run.seconds).toBeLessThan(25);
  });

  test('as soon as it has let us in does not hold the run for hours', async () => {
    const greeter = createServer((socket) => socket.once('data', () => socket.write(GREETING)));
    greeter.listen(0, '127.0.0.1');
    await once(greeter, 'listening');
    const { port } = greeter.address() as AddressInfo;
    const url = `postgresql://backup@127.0.0.1:${port}/shop?sslmode=disable`;
    const run = await scenario.run({ url, inputs: STALL });
    greeter.close();
    await endSessions();
    await expectFailed(scenario, run, before, {
      code: 'ERR_DUMP_STALLED',
      happened: ['The server let the preflight session in and then fell silent'],
      action: ['Run the backup again', 'stall-timeout-seconds'],
      safety: 'Nothing was written',
    });
    expect(run.seconds).toBeLessThan(25);
  });

  test.each([
    ['once', { strikes: 1 }, 'the network between them is dead'],
    ['for every connection', {}, 'the server could not be asked'],
  ])('while the snapshot is taken does not hold the run for hours: %s', async (_what, strikes, why) => {
    const other = await scenario.connect();
    try {
      await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const running = scenario.run({
        url: scenario.url({ port: proxy.port }),
        inputs: { ...STALL, 'lock-timeout-seconds': '60' },
      });
      const waiting = () =>
        scenario.query(`SELECT FROM pg_stat_activity WHERE ${SNAPSHOT_SESSION} AND wait_event_type = 'Lock'`);
      expect(await until(waiting, (rows) => rows.length === 1, 15_000)).toHaveLength(1);
      proxy.set({ direction: 'to-client', blackholeAfter: 0, ...strikes });
      const run = await running;
      await other.query('COMMIT');
      await endSessions();
      await expectFailed(scenario, run, before, {
        code: 'ERR_DUMP_STALLED',
        happened: [/The snapshot session has been silent for \d+ s/, why],
        action: ['Run the backup again', 'firewalls', 'stall-timeout-seconds'],
        safety: 'Nothing was written',
      });
      expect(run.seconds).toBeLessThan(45);
    } finally {
      await other.end();
    }
  });

  test('because it counts and copies for longer than the patience is waited for', async () => {
    const url = scenario.url({ database: 'slow' });
    const run = await scenario.run({ url, inputs: { ...STALL, name: 'slow' } });
    await proxy.close();
    await expectProven(scenario, run, before);
    expect(run.maskedLog).toMatch(
      /The snapshot session is at work, silent for \d+ s|the server says that it is at work/,
    );
  });

  describeWith(bouncer, 'behind PgBouncer in session mode', (program) => {
    test('because it counts and copies for longer than the patience is waited for', async () => {
      await proxy.close();
      const pooler = await startPgBouncer(program, { server: scenario.server.port, mode: 'session' });
      try {
        const url = scenario.url({ port: pooler.port, database: 'slow' });
        const inputs = { ...STALL, name: 'slow', 'accept-new-source': 'true', 'exclude-tables': 'order_items' };
        const run = await scenario.run({ url, inputs });
        await expectProven(scenario, run, before);
        expect(run.maskedLog).toMatch(/silent for \d+ s\. Waiting on|the server says that it is at work/);
      } finally {
        await pooler.stop();
      }
    });
  });
});
