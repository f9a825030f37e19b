/** One message for a webhook: told by its host, as the schema has it, signed where that is wanted. */
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { webhookForm } from '../../src/domain/webhook-form.ts';
import { startNotice, successNotice } from '../../src/report/notice.ts';
import { signature, webhookRequest } from '../../src/report/notices/webhook.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { fences, readDocument } from '../support/markdown.ts';
import { ABOUT, ALL_LONG, failure, HOSTILE_NOTICE, plain, posted } from '../support/notices.ts';
import { publishedSchema, schemaErrors } from '../support/published-schemas.ts';

const DISCORD = new URL('https://discord.com/api/webhooks/123456789012345678/abcDEF123');
const TEAMS = new URL(
  'https://prod-01.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=abc',
);
const PAGERDUTY = new URL('https://events.pagerduty.com/v2/enqueue?routing_key=R0UT1NGK3Y');
const HOOK = new URL('https://hooks.example.com/x');

describe('PagerDuty', () => {
  const key = 'db-backup-action/acme/shop/shop/backup';

  test('is sent an incident by a failure and its end by a recovery, under one key', () => {
    expect(posted(PAGERDUTY, failure())).toMatchObject({
      routing_key: 'R0UT1NGK3Y',
      event_action: 'trigger',
      dedup_key: key,
      payload: { severity: 'critical', source: 'acme/shop', component: 'shop', class: 'ERR_AUTH' },
    });
    const recovery = successNotice('recovery', 'over', { warnings: [] }, ABOUT, plain);
    expect(posted(PAGERDUTY, recovery)).toEqual({ routing_key: 'R0UT1NGK3Y', event_action: 'resolve', dedup_key: key });
    expect(webhookRequest(PAGERDUTY, undefined, failure())?.url).toBe('https://events.pagerduty.com/v2/enqueue');
  });

  test('takes its key from the path too, and hears of nothing else', () => {
    const url = new URL('https://events.eu.pagerduty.com/integration/R0UT1NGK3Y/enqueue');
    expect(posted(url, failure())).toMatchObject({ routing_key: 'R0UT1NGK3Y' });
    expect(webhookRequest(url, undefined, failure())?.url).toBe('https://events.eu.pagerduty.com/v2/enqueue');
    expect(posted(url, successNotice('success', 'all', { warnings: [] }, ABOUT, plain))).toBeUndefined();
    expect(posted(url, startNotice({}, 'x', ABOUT, plain))).toBeUndefined();
  });

  test('has limits for the summary and the key', () => {
    const long = { ...ALL_LONG, about: { ...ABOUT, repository: `acme/${'x'.repeat(300)}` } };
    const { payload, dedup_key: dedup } = posted(PAGERDUTY, long) as {
      payload: { summary: string };
      dedup_key: string;
    };
    expect(payload.summary.length).toBeLessThanOrEqual(1_024);
    expect(dedup.length).toBeLessThanOrEqual(255);
  });
});

describe('Any other host', () => {
  test.each([
    [DISCORD.href, 'discord'],
    ['https://canary.discord.com/api/v10/webhooks/1/x', 'discord'],
    [TEAMS.href, 'teams'],
    ['https://default123.4a.environment.api.powerplatform.com/powerautomate/x', 'teams'],
    ['https://acme.webhook.office.com/webhookb2/x', 'teams'],
    [PAGERDUTY.href, 'pagerduty'],
    ['https://discord.com.example.com/api/webhooks/1/x', 'json'],
    ['https://logic.azure.com.example.com/x', 'json'],
    ['https://example.com/discord.com/api/webhooks/', 'json'],
  ])('is told by its name: %s is %s', (url, form) => expect(webhookForm(new URL(url))).toBe(form));

  test.each([
    ['a failure', failure()],
    ['very long words', ALL_LONG],
    ['hostile words', HOSTILE_NOTICE],
    ['a recovery', successNotice('recovery', 'over', { warnings: [] }, ABOUT, plain)],
    ['a run on a desk', startNotice({}, 'x', { command: 'backup', at: ABOUT.at, id: 'x' }, plain)],
  ])('is sent what docs/webhook.schema.json describes: %s', (_, notice) => {
    expect(schemaErrors('webhook', posted(HOOK, notice))).toEqual([]);
    expect(publishedSchema('webhook')({ ...posted(HOOK, notice), later: 1 })).toBe(true);
  });

  test('would be caught with a field that is missing or not described', () => {
    const { reason: _, ...rest } = posted(HOOK, failure()) ?? {};
    expect(schemaErrors('webhook', rest)).toHaveLength(1);
    expect(schemaErrors('webhook', { ...posted(HOOK, failure()), url: '' })).toHaveLength(1);
  });

  test('can check the signature of the bytes that it got', () => {
    const request = webhookRequest(HOOK, 'a secret of some length', failure());
    const expected = createHmac('sha256', 'a secret of some length')
      .update(request?.body ?? '')
      .digest('hex');
    expect(request?.headers['x-signature-256']).toBe(`sha256=${expected}`);
    expect(signature(`${request?.body} `, 'a secret of some length')).not.toBe(`sha256=${expected}`);
    expect(webhookRequest(HOOK, undefined, failure())?.headers).not.toHaveProperty('x-signature-256');
    // A known answer: RFC 4231, test case 2.
    expect(signature('what do ya want for nothing?', 'Jefe')).toBe(
      'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describeIf(programAvailable('python3', ['--version'], 'apt-get install python3'), 'docs/alarms.md', () => {
  const page = readDocument('docs/alarms.md');
  const SECRET = 'a secret of some length';
  function signed(at: number): { body: string; header: string } {
    const request = webhookRequest(HOOK, SECRET, { ...failure(), about: { ...ABOUT, at: new Date(at) } });
    return { body: request?.body ?? '', header: request?.headers['x-signature-256'] ?? '' };
  }
  const { body, header } = signed(Date.now());
  const old = signed(Date.now() - 3_600_000);
  const cases: [string, string, string, boolean][] = [
    ['the body as it came', body, header, true],
    ['another body', body.replace('shop', 'blog'), header, false],
    ['no signature', body, '', false],
    ['an old body', old.body, old.header, false],
  ];

  test.each(cases)('shows in Node and in Python how to check %s', async (_, given, sign, genuine) => {
    const [js = ''] = fences(page, 'js');
    const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(js)}`);
    expect(isGenuine(given, sign, SECRET)).toBe(genuine);
    const [python = ''] = fences(page, 'python');
    const script = `${python}\nimport sys\nprint(is_genuine(sys.argv[1].encode(), sys.argv[2], sys.argv[3]))`;
    expect(execFileSync('python3', ['-c', script, given, sign, SECRET], { encoding: 'utf8' }).trim()).toBe(
      genuine ? 'True' : 'False',
    );
  });

  test('shows a body as the schema has it', () => {
    const [example = ''] = fences(page, 'json');
    expect(schemaErrors('webhook', JSON.parse(example))).toEqual([]);
  });
});
