/** What a session does when the server does not answer: how long it waits, and when it does not. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, type ConnectionBench, startConnectionBench, unusedPort } from '../support/connection-bench.ts';
import { startPostgres } from '../support/postgres-server.ts';

let bench: ConnectionBench;
beforeAll(async () => {
  bench = await startConnectionBench();
});
afterAll(() => bench?.stop());

describe('a server that does not answer', () => {
  it('is waited for while it wakes up', async () => {
    const port = await unusedPort();
    const opening = bench.open(`host=127.0.0.1 port=${port} user=postgres`, { windowSeconds: 30 });
    await sleep(2000);
    const late = await startPostgres({ major: 16, port });
    try {
      const { client, log } = await opening;
      await client.end();
      expect(log.join('\n')).toMatch(/the connection was refused\. Trying again for \d+ s\./);
    } finally {
      await late.stop();
    }
  });

  it('is given up when the window is over', async () => {
    const port = await unusedPort();
    const begun = Date.now();
    const error = await bench.failure(`host=127.0.0.1 port=${port} user=u password=hunter22`, { windowSeconds: 1 });
    expect(error).toMatchObject({ code: 'ERR_CONNECT', retryable: true });
    expect(error.message).toMatch(/127\.0\.0\.1:\d+ as u: the connection was refused, tried for 1 s\./);
    expect(Date.now() - begun).toBeLessThan(5000);
  });

  it('but accepts connections is given up after the timeout, or at once when the run is cancelled', async () => {
    const silent = createServer((socket) => socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    try {
      const error = await bench.failure(`host=127.0.0.1 port=${port} user=u connect_timeout=1`);
      expect(error.message).toContain('there was no answer in time');
      const controller = new AbortController();
      const opening = bench.open(`host=127.0.0.1 port=${port} user=u`, {
        windowSeconds: 60,
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(new Error('cancelled')), 200);
      await expect(opening).rejects.toThrow('cancelled');
    } finally {
      silent.close();
    }
  });

  it('because its name does not exist is not waited for', async () => {
    const begun = Date.now();
    const error = await bench.failure('host=no-such-host.invalid user=u', { windowSeconds: 60 });
    expect(error).toMatchObject({ code: 'ERR_CONNECT' });
    expect(Date.now() - begun).toBeLessThan(20_000);
  });

  it('because the password is wrong is not asked twice', async () => {
    const wrong = at(bench.plainServer, "password='wrong horse' sslmode=disable");
    const before = bench.plainServer.log().split('password authentication failed').length;
    expect(await bench.failure(wrong, { windowSeconds: 60 })).toMatchObject({ code: 'ERR_AUTH', retryable: false });
    expect(bench.plainServer.log().split('password authentication failed').length - before).toBe(1);
  });
});
