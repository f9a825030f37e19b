/** Slack and webhook, delivered to real servers that misbehave. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Messenger } from '../../src/channels/messenger.ts';
import { adviceOf } from '../../src/channels/not-taken.ts';
import { slackMessenger } from '../../src/channels/slack.ts';
import { webhookMessenger } from '../../src/channels/webhook.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { someNotice } from '../support/notices.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';
import { startWatchingService, type WatchingService } from '../support/watching-service.ts';

const PATH = '/services/T0ABCDEF12/B0ABCDEF34/x9y8z7w6v5u4t3s2';
const SECRET = 'a secret of some length';
const KINDS = [
  ['slack-webhook-url', (url: string) => slackMessenger(new URL(url))],
  ['webhook-url', (url: string) => webhookMessenger(new URL(url), SECRET)],
] as const;

/** Of the last one that was not told. */
let advice = '';

async function told(messenger: Messenger, milliseconds = 20_000): Promise<string> {
  try {
    await messenger.send(someNotice(), { clock: systemClock, signal: AbortSignal.timeout(milliseconds) });
    return 'told';
  } catch (error) {
    const { name, message } = error as Error;
    advice = adviceOf(error);
    expect(name).toBe('NotTaken');
    for (const part of [PATH, '127.0.0.1', 'localhost', SECRET]) expect(message).not.toContain(part);
    return message;
  }
}

let service: WatchingService;
beforeEach(async () => {
  service = await startWatchingService();
});
afterEach(() => service.close());

describe.each(KINDS)('A message to `%s`', (_, open) => {
  const messenger = (): Messenger => open(`${service.url}${PATH}`);

  test('arrives once, as JSON', async () => {
    expect(await told(messenger())).toBe('told');
    expect(service.heard()).toEqual([`POST ${PATH}`]);
    expect(service.headers[0]?.['content-type']).toBe('application/json');
    expect(JSON.parse(service.calls[0]?.body ?? '')).toBeTypeOf('object');
  });

  test('is sent again, the very same, when the first answer is HTTP 500', async () => {
    service.answer = () => ({ status: service.calls.length === 1 ? 500 : 200 });
    expect(await told(messenger())).toBe('told');
    expect(service.calls[1]).toEqual(service.calls[0]);
    expect(service.calls).toHaveLength(2);
  });

  test('waits as long as it is asked to (429)', async () => {
    service.answer = () => (service.calls.length === 1 ? { status: 429, retryAfter: 2 } : { status: 200 });
    const started = performance.now();
    expect(await told(messenger())).toBe('told');
    expect(performance.now() - started).toBeGreaterThan(1_900);
  });

  test('is given up when it is asked to wait for an hour (429)', async () => {
    service.answer = () => ({ status: 429, retryAfter: 3_600 });
    expect(await told(messenger())).toBe('the answer was HTTP 429');
    expect(advice).toContain('status page');
    expect(service.calls).toHaveLength(1);
  });

  test('is given up in time when nobody answers', async () => {
    service.answer = () => 'hang';
    expect(await told(messenger(), 3_000)).toMatch(/no answer in time|no time left/);
    expect(advice).toContain('slow or down');
  });

  test('does not follow a redirect to another host', async () => {
    const other = await startWatchingService();
    service.answer = () => ({ status: 307, location: `${other.url}${PATH}` });
    expect(await told(messenger())).toBe('it redirects to another host, which is not followed');
    expect(advice).toContain('the address that it redirects to');
    expect(other.calls).toEqual([]);
    await other.close();
  });

  test('that is refused (404) is sent once', async () => {
    service.answer = () => ({ status: 404 });
    expect(await told(messenger())).toBe('the answer was HTTP 404');
    expect(advice).toContain('make a new one at the service');
    expect(service.calls).toHaveLength(1);
  });

  test('to nobody says so by a code', async () => {
    const gone = messenger();
    await service.close();
    expect(await told(gone)).toBe('it could not be reached (ECONNREFUSED)');
    expect(advice).toContain('whether this machine may go there');
  });
});

test('The body is signed as it arrives', async () => {
  await told(webhookMessenger(new URL(`${service.url}/hook`), SECRET));
  const expected = createHmac('sha256', SECRET)
    .update(service.calls[0]?.body ?? '')
    .digest('hex');
  expect(service.headers[0]?.['x-signature-256']).toBe(`sha256=${expected}`);
});

describeIf(programAvailable('openssl', ['version'], 'apt-get install openssl'), 'By HTTPS', () => {
  let folder: string;
  let secure: WatchingService;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'channels-'));
    secure = await startWatchingService(await makeSelfSignedCertificate(folder, ['localhost']));
  });
  afterEach(async () => {
    await secure.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(KINDS)('a message (%s) is not sent to a server that nobody vouches for', async (_, open) => {
    expect(await told(open(`${secure.url}${PATH}`))).toBe(
      'its certificate or TLS was not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    expect(secure.calls).toEqual([]);
  });
});
