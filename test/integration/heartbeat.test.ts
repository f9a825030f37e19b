/** Small requests to an address that is a secret, to real servers that misbehave. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sendSmall } from '../../src/channels/send.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';
import { startWatchingService, type WatchingService } from '../support/watching-service.ts';

const SECRET = '/ping/3f1c2a9e-7b6d-4e5f-8a90-1b2c3d4e5f60';

async function told(url: string, milliseconds = 20_000): Promise<string> {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    await sendSmall({ url, method: 'POST', body: 'words' }, { clock: systemClock, signal });
    return 'told';
  } catch (error) {
    const { name, message } = error as Error;
    expect(name).toBe('NotTaken');
    for (const part of [SECRET, '127.0.0.1', 'localhost', url]) expect(message).not.toContain(part);
    return message;
  }
}

describe('A small request', () => {
  let service: WatchingService;
  beforeEach(async () => {
    service = await startWatchingService();
  });
  afterEach(() => service.close());
  const url = (): string => `${service.url}${SECRET}`;

  test('is over when it was taken', async () => {
    expect(await told(url())).toBe('told');
    expect(service.calls).toEqual([{ method: 'POST', path: SECRET, query: {}, body: 'words' }]);
  });

  test.each([500, 503, 429])('is made three times when the answer is %i', async (status) => {
    service.answer = () => ({ status });
    expect(await told(url())).toBe(`the answer was HTTP ${status}`);
    expect(service.calls).toHaveLength(3);
  });

  test('goes through as soon as the service is back', async () => {
    service.answer = () =>
      service.calls.length < 3 ? (service.calls.length < 2 ? 'reset' : { status: 502 }) : { status: 200 };
    expect(await told(url())).toBe('told');
    expect(service.calls).toHaveLength(3);
  });

  test.each([400, 404, 410])('is made once when the answer is %i', async (status) => {
    service.answer = () => ({ status });
    expect(await told(url())).toBe(`the answer was HTTP ${status}`);
    expect(service.calls).toHaveLength(1);
  });

  test('to a service that never answers is given up in time', async () => {
    service.answer = () => 'hang';
    const started = performance.now();
    expect(await told(url(), 4_000)).toMatch(/no answer in time|no time left/);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(service.calls).toHaveLength(2);
  });

  test('to nobody says so by a code', async () => {
    await service.close();
    expect(await told(url())).toBe('it could not be reached (ECONNREFUSED)');
  });

  test('follows a redirect on the same host with the same words, and none to another', async () => {
    const other = await startWatchingService();
    service.answer = ({ path }) => (path === SECRET ? { status: 301, location: `${SECRET}/` } : { status: 200 });
    expect(await told(url())).toBe('told');
    expect(service.calls[1]).toEqual({ method: 'POST', path: `${SECRET}/`, query: {}, body: 'words' });
    for (const location of [
      `${other.url}${SECRET}`,
      url().replace('127.0.0.1', 'localhost'),
      'https://[',
      'file:///x',
    ]) {
      service.answer = () => ({ status: 307, location });
      expect(await told(url())).toBe('it redirects to another host, which is not followed');
    }
    expect(other.calls).toEqual([]);
    await other.close();
  });

  test('does not follow a redirect for ever', async () => {
    service.answer = () => ({ status: 302, location: SECRET });
    expect(await told(url())).toBe('it redirects in circles');
    expect(service.calls).toHaveLength(4);
  });
});

describeIf(programAvailable('openssl', ['version'], 'apt-get install openssl'), 'A small request by HTTPS', () => {
  let folder: string;
  let service: WatchingService;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'watching-'));
    service = await startWatchingService(await makeSelfSignedCertificate(folder, ['localhost']));
  });
  afterEach(async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is not made to a server that nobody vouches for', async () => {
    expect(await told(`${service.url}${SECRET}`)).toBe(
      'its certificate or TLS was not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    expect(service.calls).toEqual([]);
  });

  test('is not made to a server that speaks no TLS', async () => {
    const plain = await startWatchingService();
    expect(await told(plain.url.replace('http:', 'https:'))).toMatch(/TLS was not accepted|could not be reached/);
    expect(plain.calls).toEqual([]);
    await plain.close();
  });

  test('is not sent on in the clear', async () => {
    const plain = await startWatchingService();
    plain.answer = () => ({ status: 301, location: `${service.url.replace('localhost', '127.0.0.1')}/` });
    // The certificate is not trusted, which shows that the request went on by HTTPS.
    expect(await told(plain.url)).toMatch(/certificate/);
    await plain.close();
  });
});
