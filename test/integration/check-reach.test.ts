/** The way to the server, and that a check neither blocks anybody nor waits for anybody. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import { runCheck } from '../support/check-bench.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { ownAddress } from '../support/own-address.ts';
import { pgBouncerProgram, startPgBouncer } from '../support/pgbouncer.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';

const MAJOR = 17;
const here = availableMajors().includes(MAJOR) || { skipped: `no server of major ${MAJOR}` };
const bouncer = await pgBouncerProgram();

describeIf(here, 'The way to a server', () => {
  let server: PostgresServer;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'check-reach-'));
    server = await startPostgres({ major: MAJOR, ssl: await makeSelfSignedCertificate(folder, ['localhost']) });
    await server.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)');
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('TLS: verified, and on this machine not even needed', async () => {
    const verified = await runCheck({
      'database-url': `postgresql://postgres@localhost:${server.port}/postgres?sslmode=verify-full&sslrootcert=${folder}/self.crt`,
    });
    expect(verified.of('tls')).toMatchObject({ status: 'passed', seen: expect.stringContaining('name too') });
    const plain = await runCheck({ 'database-url': `${server.uri()}?sslmode=disable` });
    expect(plain.of('tls')).toMatchObject({ status: 'passed', seen: expect.stringContaining('on this machine') });
  });

  test('latency, behind a network that takes its time', async () => {
    const near = await runCheck({ 'database-url': server.uri() });
    expect(near.of('latency')).toMatchObject({ status: 'passed', limit: 500 });
    expect(near.of('clock').status).toBe('passed');
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: server.port }, { latencyMs: 30 });
    try {
      const url = server.uri().replace(`:${server.port}/`, `:${proxy.port}/`);
      const { of } = await runCheck({ 'database-url': url, 'max-latency-ms': '40' });
      expect(of('latency')).toMatchObject({ status: 'failed', limit: 40 });
      // Twice 30 ms; a timer may fire a millisecond early.
      expect(of('latency').value).toBeGreaterThanOrEqual(55);
    } finally {
      await proxy.close();
    }
  });

  test('clocks that are apart: that of the runner is set wrong, since the server has that of this machine', async () => {
    const wrongBy = (seconds: number): Clock => ({
      ...systemClock,
      now: () => new Date(Date.now() + seconds * 1000),
    });
    const clockOf = async (seconds: number) =>
      (await runCheck({ 'database-url': server.uri() }, wrongBy(seconds))).of('clock');
    expect(await clockOf(45)).toMatchObject({
      status: 'warning',
      seen: "The server's clock is 45 s behind this runner's",
      value: 45,
    });
    expect((await clockOf(-45)).seen).toBe("The server's clock is 45 s ahead of this runner's");
    expect((await clockOf(20)).status).toBe('passed');
  });

  test('a group that is switched off is not looked at', async () => {
    const { result } = await runCheck({ 'database-url': server.uri(), checks: 'reach=off' });
    expect(result.results.filter(({ group }) => group === 'reach')).toEqual([]);
  });

  test('a server that does not answer fails at once, with the words of the connection', async () => {
    const { result, notPassed } = await runCheck({
      'database-url': 'postgresql://postgres@127.0.0.1:1/postgres',
      'connect-window-seconds': '0',
    });
    expect(notPassed).toEqual(['connect failed']);
    expect(result).toMatchObject({
      verdict: 'failed',
      error: { code: 'ERR_CONNECT' },
      record: { verdict: 'failed', error: 'ERR_CONNECT', server: null },
    });
  });

  test('a server that falls silent in the middle is not waited for, and fails when nobody answers again', async () => {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: server.port }, { latencyMs: 20 });
    try {
      const url = server.uri().replace(`:${server.port}/`, `:${proxy.port}/`);
      const running = runCheck({ 'database-url': `${url}?connect_timeout=2`, 'connect-window-seconds': '3' });
      await sleep(900);
      proxy.set({ blackholeAfter: 0 });
      const from = performance.now();
      const { notPassed, result } = await running;
      expect((performance.now() - from) / 1000).toBeLessThan(40);
      expect(notPassed).toEqual(['connect failed']);
      expect(result.error?.code).toBe('ERR_CONNECT');
    } finally {
      await proxy.close();
    }
  });

  test('a session that the server ends in the middle is opened again', async () => {
    const running = runCheck({
      'database-url': server.uri(),
      assertions: 'SELECT pg_catalog.pg_sleep(1.5) IS NOT NULL',
      'orphan-checks': 'auto',
    });
    await sleep(700);
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'db-backup-action check'",
    );
    const { of } = await running;
    expect(of('assertions').status).toBe('not-run');
    expect(of('backup-readiness').status).toBe('passed');
  });
});

describeWith(ownAddress(), 'The way to another machine', ({ address }) => {
  describeIf(here, 'is looked at', () => {
    let server: PostgresServer;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'check-reach-'));
      server = await startPostgres({
        major: MAJOR,
        ssl: await makeSelfSignedCertificate(folder, [address]),
        settings: { listen_addresses: address },
        hba: 'host all all all trust',
      });
    });
    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const tls = async (settings: string) =>
      (await runCheck({ 'database-url': `postgresql://postgres@${address}:${server.port}/postgres?${settings}` })).of(
        'tls',
      );

    test('with TLS, verified: passed', async () => {
      const root = `sslrootcert=${folder}/self.crt`;
      expect(await tls(`sslmode=verify-full&${root}`)).toMatchObject({
        status: 'passed',
        seen: expect.stringContaining('name too'),
      });
      expect(await tls(`sslmode=require&${root}`)).toMatchObject({
        status: 'passed',
        seen: expect.stringContaining('its chain'),
      });
    });

    test('with TLS and a certificate that nobody verified: a warning', async () => {
      for (const mode of ['require', 'prefer'])
        expect(await tls(`sslmode=${mode}`), mode).toMatchObject({
          status: 'warning',
          seen: expect.stringContaining('nobody verified'),
        });
    });

    test('without TLS, asked for or not offered: failed', async () => {
      expect(await tls('sslmode=disable')).toMatchObject({
        status: 'failed',
        seen: expect.stringContaining('not encrypted'),
      });
      await server.query('ALTER SYSTEM SET ssl = off');
      await server.query('SELECT pg_reload_conf()');
      await expect.poll(async () => (await tls('sslmode=prefer')).status, { timeout: 20_000 }).toBe('failed');
    });
  });
});

describeIf(here, 'A check beside others', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: MAJOR });
    await server.query(
      `CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int);
       CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO orders (customer_id) SELECT i FROM generate_series(1, 300000) i;
       INSERT INTO customers SELECT i FROM generate_series(1, 300000) i;
       ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (customer_id) REFERENCES customers NOT VALID`,
    );
  });
  afterAll(() => server.stop());
  const everything = (): Record<string, string> => ({
    'database-url': server.uri(),
    'critical-tables': 'public.orders rows>=1000 newest(id)<1h\npublic.customers',
    'orphan-checks': 'auto\npublic.orders.customer_id -> public.customers.id',
    assertions: 'SELECT count(*) > 1 FROM public.orders o JOIN public.customers c ON c.id = o.customer_id',
  });

  /** But for that on the database itself, which every session takes for a moment when it logs in. */
  test('holds no lock that is stronger than that of a SELECT, watched all the time', async () => {
    const watcher = await server.connect();
    const modes = new Set<string>();
    let over = false;
    const watching = (async () => {
      while (!over) {
        const { rows } = await watcher.query<{ mode: string; locktype: string }>(
          `SELECT l.mode, l.locktype FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE a.application_name = 'db-backup-action check' AND l.locktype <> 'virtualxid'
              AND l.classid IS DISTINCT FROM 'pg_database'::regclass`,
        );
        for (const { mode, locktype } of rows) modes.add(`${locktype} ${mode}`);
      }
    })();
    for (let round = 0; round < 3; round += 1) await runCheck(everything());
    over = true;
    await watching;
    await watcher.end();
    expect([...modes]).toEqual(['relation AccessShareLock']);
  });

  test('waits for nobody: a table that a migration holds is not run, within seconds', async () => {
    const migration = await server.connect();
    await migration.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    const from = performance.now();
    const { of } = await runCheck(everything());
    expect((performance.now() - from) / 1000).toBeLessThan(15);
    for (const code of ['critical-tables', 'orphans', 'assertions']) expect(of(code).status, code).toBe('not-run');
    expect(of('critical-tables').details).toEqual([
      expect.stringMatching(/^public\.orders: Somebody holds a lock that is in the way/),
    ]);
    expect(of('lock-waits').status).toBe('passed');
    await migration.query('ROLLBACK');
    await migration.end();
  });

  test('cannot write, whatever an assertion says', async () => {
    const { of } = await runCheck({
      'database-url': server.uri(),
      assertions: "SELECT nextval('public.orders_id_seq') > 0",
    });
    expect(of('assertions')).toMatchObject({ status: 'not-run', details: [expect.stringContaining('read-only')] });
  });
});

describeWith(bouncer, 'A check through PgBouncer', (program) => {
  describe.each(['transaction', 'session'] as const)('in %s mode', (mode) => {
    describeIf(here, 'looks', () => {
      let server: PostgresServer;
      beforeAll(async () => {
        server = await startPostgres({ major: MAJOR, settings: { fsync: 'on', full_page_writes: 'on' } });
        await server.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)');
      });
      afterAll(() => server.stop());

      test('and says what cannot be seen from there', async () => {
        const pool = await startPgBouncer(program, { server: server.port, mode });
        try {
          const { of, notPassed } = await runCheck({
            'database-url': `postgresql://postgres@127.0.0.1:${pool.port}/postgres`,
            'critical-tables': 'orders',
            assertions: 'SELECT count(*) = 1 FROM public.orders',
          });
          expect(notPassed).toEqual(
            mode === 'transaction'
              ? ['pooler warning', 'checksums not-run', 'backup-readiness not-run']
              : ['checksums not-run'],
          );
          if (mode === 'transaction')
            expect(of('backup-readiness').action).toBe('Give the direct URL in `database-url`.');
          const [left] = await server.query<{ settings: string[] }>(
            "SELECT ARRAY(SELECT 1 WHERE current_setting('lock_timeout') <> '0') AS settings",
          );
          expect(left?.settings).toEqual([]);
        } finally {
          await pool.stop();
        }
      });
    });
  });
});
