/** What each kind of service that waits for jobs is sent, and what of its address is a secret. */
import { describe, expect, test } from 'vitest';
import { heartbeatRequest } from '../../src/domain/heartbeat.ts';
import { isLoopback, secretsOfUrl } from '../../src/domain/secret-url.ts';
import { secretUrl } from '../../src/inputs/channel-values.ts';
import { secretsIn } from '../../src/inputs/secrets.ts';
import { describeRunEnd } from '../../src/report/run-end.ts';
import { GOOD, problems, step } from '../support/inputs.ts';

const UUID = '3f1c2a9e-7b6d-4e5f-8a90-1b2c3d4e5f60';
const KEY = 'fqOOd6-F4MMNuCEnzTU01w';
const secrets = (text: string): string[] => secretsOfUrl(text, { everyToken: false });
const TEXT = 'The backup is proven.\nIt took 4 s.';

function sent(url: string): string[] {
  return (['start', 'success', 'failure'] as const).map((signal) => {
    const request = heartbeatRequest(new URL(url), signal, signal === 'start' ? '' : TEXT);
    return request === undefined
      ? 'nothing'
      : `${request.method} ${request.url}${request.body === undefined ? '' : ' + text'}`;
  });
}

describe('A heartbeat', () => {
  test.each([
    ['healthchecks.io', `https://hc-ping.com/${UUID}`],
    ['healthchecks.io, by key and name', `https://hc-ping.com/${KEY}/shop-nightly`],
    ['Healthchecks of one’s own', `https://health.example.com/ping/${UUID}`],
    ['Healthchecks of one’s own, in a folder, by key and name', `https://example.com/hc/ping/${KEY}/shop`],
  ])('of %s tells the start, the success and the failure, with words', (_what, url) => {
    expect(sent(url)).toEqual([`POST ${url}/start`, `POST ${url} + text`, `POST ${url}/fail + text`]);
  });

  test('keeps the query, and knows a slash at the end', () => {
    expect(sent(`https://hc-ping.com/${KEY}/shop/?create=1`)[2]).toBe(
      `POST https://hc-ping.com/${KEY}/shop/fail?create=1 + text`,
    );
  });

  test('of Better Stack, Cronitor and Uptime Kuma has their own words', () => {
    const better = 'https://uptime.betterstack.com/api/v1/heartbeat/abcDEF123456';
    expect(sent(better)).toEqual(['nothing', `POST ${better} + text`, `POST ${better}/fail + text`]);
    const words = 'The+backup+is+proven.%2C+It+took+4+s.';
    const cronitor = 'https://cronitor.link/p/abc123/shop';
    expect(sent(cronitor)).toEqual([
      `GET ${cronitor}?state=run`,
      `GET ${cronitor}?state=complete&message=${words}`,
      `GET ${cronitor}?state=fail&message=${words}`,
    ]);
    const kuma = 'https://kuma.example.com/api/push/4Gdp9cHeNu';
    expect(sent(`${kuma}?status=up&msg=OK&ping=`)).toEqual([
      'nothing',
      `GET ${kuma}?status=up&msg=${words}&ping=`,
      `GET ${kuma}?status=down&msg=${words}&ping=`,
    ]);
  });

  test.each([
    'https://nosnch.in/c2354d53d2',
    `https://ping.checklyhq.com/${UUID}`,
    'https://example.com/ping/shop',
    'https://betterstack.com.example.com/heartbeat/x',
    'https://hc-ping.com.example.com/x',
  ])('of any other service is one call, of a green run alone: %s', (url) => {
    expect(sent(url)).toEqual(['nothing', `GET ${url}`, 'nothing']);
  });
});

describe('The address of a heartbeat', () => {
  test('is a secret as a whole and in its token, but not in the name of the job', () => {
    const url = `https://hc-ping.com/${KEY}/shop-nightly-2026?create=1`;
    const found = secrets(`${url}\n`);
    for (const secret of [url, url.split('?')[0], KEY]) expect(found).toContain(secret);
    for (const open of ['shop-nightly-2026', 'hc-ping.com', '1', '']) expect(found).not.toContain(open);
    expect(secrets(`https://hc-ping.com/${UUID}`)).toContain(UUID);
    expect(secrets('https://x.example/a?token=abcdef12345')).toContain('abcdef12345');
    expect(secrets('https://me:s3cret%zz@x.example/')).toContain('s3cret%zz');
    expect(secrets(' not a URL ')).toContain('not a URL');
    expect(secretsIn(step({ 'heartbeat-url': url }))).toEqual(expect.arrayContaining([url, KEY]));
  });

  test('must be a URL, and the message about a wrong one does not repeat it', () => {
    for (const wrong of ['hc-ping.com/s3cr3t', 'ftp://x/s3cr3t', 'https://', 'https://me:s3cr3t@x/']) {
      const [problem = '', ...more] = problems({ ...GOOD, 'heartbeat-url': wrong });
      expect(more).toEqual([]);
      expect(problem).toMatch(/^heartbeat-url: it /);
      expect(problem).not.toContain('s3cr3t');
    }
    expect(problems({ ...GOOD, 'heartbeat-url': `https://hc-ping.com/${UUID}` })).toEqual([]);
    expect(secretUrl('HTTPS://HC-Ping.com/X', {}).href).toBe('https://hc-ping.com/X');
  });

  test('on this machine needs no TLS', () => {
    const near = ['http://localhost/x', 'http://127.0.0.1:8000/x', 'http://127.8.9.10/', 'http://[::1]:80/'];
    for (const url of near) expect(isLoopback(new URL(url)), url).toBe(true);
    const far = ['http://127.example.com/', 'http://localhost.example.com/', 'http://10.0.0.1/'];
    for (const url of far) expect(isLoopback(new URL(url)), url).toBe(false);
  });
});

describe('The words about the end of a run', () => {
  const facts = {
    startedAt: '2026-11-21T02:00:00.000Z',
    now: new Date('2026-11-21T02:04:10.000Z'),
    runUrl: 'https://github.com/acme/shop/actions/runs/1/attempts/1',
  };
  const plain = (text: string): string => text;

  test('are the verdict, the time and where to read on', () => {
    const proven = { command: 'backup', id: '20261121_020000_nightly_k3v9qa', uri: 's3://acme/x' } as const;
    expect(describeRunEnd({ exitCode: 0, proven, warnings: [] }, facts, plain)).toEqual({
      green: true,
      text: `The backup 20261121_020000_nightly_k3v9qa is proven.\nIt took 4 min 10 s.\n${facts.runUrl}`,
    });
    const drill = describeRunEnd({ exitCode: 0, proven: { ...proven, command: 'drill' }, warnings: [] }, facts, plain);
    expect(drill.text).toMatch(/^The drill of .* has passed\.\n/);
    expect(describeRunEnd({ exitCode: 0, warnings: [] }, facts, plain)).toMatchObject({
      green: true,
      text: expect.stringContaining('nothing new was proven'),
    });
  });

  test('of a failure are its title alone, without a secret', () => {
    const failure = {
      title: 'The backup of "shop" failed (ERR_AUTH)',
      happened: 'public.customers',
      command: 'backup',
    };
    const ending = { exitCode: 1, failure: failure as never } as const;
    const late = { ...facts, startedAt: undefined, runUrl: undefined };
    expect(describeRunEnd(ending, late, (text) => text.replace('shop', '***'))).toEqual({
      green: false,
      text: 'The backup of "***" failed (ERR_AUTH)',
    });
    const back = { ...facts, startedAt: '2026-11-21T03:00:00.000Z' };
    expect(describeRunEnd(ending, back, plain).text).toContain('It took 0 ms.');
  });
});
