/** One message in the form of each channel: within its limits, escaped for it, signed where that is wanted. */
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { webhookForm } from '../../src/domain/webhook-form.ts';
import {
  failureNotice,
  type Notice,
  type NoticeSubject,
  notToldNotice,
  startNotice,
  successNotice,
} from '../../src/report/notice.ts';
import { discordPayload } from '../../src/report/notices/discord.ts';
import { emailText } from '../../src/report/notices/email.ts';
import { fitted } from '../../src/report/notices/fit.ts';
import { slackPayload } from '../../src/report/notices/slack.ts';
import { teamsPayload } from '../../src/report/notices/teams.ts';
import { signature, webhookRequest } from '../../src/report/notices/webhook.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { fences, readDocument } from '../support/markdown.ts';
import { publishedSchema, schemaErrors } from '../support/published-schemas.ts';

const plain = (text: string): string => text;
const ABOUT: NoticeSubject = {
  command: 'backup',
  series: 'shop',
  repository: 'acme/shop',
  runUrl: 'https://github.com/acme/shop/actions/runs/1/attempts/1',
  issue: { number: 7, url: 'https://github.com/acme/shop/issues/7' },
  at: new Date('2026-11-22T02:04:10.000Z'),
  id: '3f1c2a9e-7b6d-4e5f-8a90-1b2c3d4e5f60',
};
const WORDS = {
  command: 'backup',
  code: 'ERR_AUTH',
  outcome: 'failed',
  title: 'The backup of "shop" failed (ERR_AUTH)',
  happened: 'The password was refused',
  problems: ['public.customers'],
  causes: ['DETAIL: Key (email)=(a@b.c)'],
  safety: 'Older backups are untouched.',
  action: 'Correct `database-url`.',
  toType: [],
} as const;
const GOOD = {
  known: 'found',
  id: '20261121_020000_nightly_k3v9qa',
  snapshotAt: '2026-11-21T02:00:00Z',
  uri: 's3://acme/x',
} as const;

function failure(more: Partial<typeof WORDS> | Record<string, string> = {}, redact = plain): Notice {
  const facts = {
    words: { ...WORDS, ...more },
    gravity: { level: 'critical', why: 'no-good-backup' },
    good: GOOD,
    startedAt: '2026-11-22T02:00:00.000Z',
  } as const;
  return failureNotice('failure', 'it is the first', facts, ABOUT, redact);
}

const LONG = '<!channel> @everyone & <b> 🚨 *x* '.repeat(2_000);
const ALL_LONG = failure({ title: LONG, happened: LONG, safety: LONG, action: LONG });
const HOSTILE =
  '<!channel> <@U123> <https://evil.example|click> @everyone @here [x](http://evil.example) `<!here>` </p><script>alert(1)</script>\r\nBcc: all@example.com\u202Egnp.exe';
const HOSTILE_NOTICE = failure({ title: HOSTILE, happened: HOSTILE, safety: HOSTILE, action: HOSTILE });

const DISCORD = new URL('https://discord.com/api/webhooks/123456789012345678/abcDEF123');
const TEAMS = new URL(
  'https://prod-01.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=abc',
);
const PAGERDUTY = new URL('https://events.pagerduty.com/v2/enqueue?routing_key=R0UT1NGK3Y');

function posted(url: URL, notice: Notice): Record<string, unknown> | undefined {
  const request = webhookRequest(url, undefined, notice);
  return request === undefined ? undefined : JSON.parse(request.body);
}

describe('A message about a failure', () => {
  test('says what, whether the data is safe, which backup is good, what to do, and how long it took', () => {
    const { title, sections, level, code } = failure();
    expect({ title, level, code }).toEqual({ title: WORDS.title, level: 'critical', code: 'ERR_AUTH' });
    expect(sections).toEqual({
      happened: 'The password was refused.',
      safety: 'Older backups are untouched.',
      goodBackup: expect.stringContaining('is 1 day old'),
      action: 'Correct `database-url`.',
      details: 'It took 4 min 10 s.',
    });
  });

  test('keeps names of tables and rows to the issue, and is redacted', () => {
    const all = JSON.stringify(
      failure({ happened: 'the password s3cr3t', title: 's3cr3t' }, (text) => text.replaceAll('s3cr3t', '***')),
    );
    for (const word of ['public.customers', 'a@b.c', 's3cr3t']) expect(all).not.toContain(word);
  });
});

test('Messages of other kinds have words of their own', () => {
  const proven = { command: 'backup', id: GOOD.id, uri: GOOD.uri } as const;
  expect(successNotice('recovery', 'over', { proven }, ABOUT, plain)).toMatchObject({
    title: 'Recovered: the backup of "shop" is proven again',
    sections: { happened: expect.stringContaining(GOOD.id) },
  });
  expect(successNotice('success', 'all', {}, ABOUT, plain).sections.happened).toContain('nothing new was proven');
  const restore = { ...ABOUT, command: 'restore' };
  expect(
    startNotice({ backupId: GOOD.id, target: 'db/shop', expectedSeconds: 700 }, 'x', restore, plain),
  ).toMatchObject({
    title: 'The restore of "shop" begins',
    sections: { happened: expect.stringMatching(/k3v9qa.*db\/shop.*The last drill took 11 min 40 s\./) },
  });
  expect(startNotice({}, 'x', restore, plain).sections.happened).toContain('no drill of this series');
  const untold = ['slack', 'webhook'].map((each) => {
    return { seen: `\`${each}-url\` was not told: HTTP 404.`, advice: 'Make a new one.' };
  });
  expect(notToldNotice(untold, ABOUT, plain).sections).toMatchObject({
    happened: '`slack-url` was not told: HTTP 404. `webhook-url` was not told: HTTP 404.',
    action: 'Make a new one.',
  });
});

describe('Slack', () => {
  const blocksOf = (notice: Notice) =>
    (slackPayload(notice) as { blocks: { type: string; text?: { type: string; text: string; verbatim?: boolean } }[] })
      .blocks;

  test('is sent blocks within its limits, however long the words are', () => {
    const blocks = blocksOf(ALL_LONG);
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const { type, text } of blocks) {
      if (text === undefined) continue;
      expect(text.text.length).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000);
      expect(text.text.toWellFormed()).toBe(text.text);
    }
    expect(JSON.stringify(blocks.slice(1))).not.toMatch(/&(?!amp;|lt;|gt;)/);
  });

  test('calls nobody and shows no link of somebody else, whatever the words are', () => {
    const blocks = blocksOf(HOSTILE_NOTICE);
    const sections = blocks.flatMap(({ text }) => (text === undefined ? [] : [text]));
    for (const { type, text, verbatim } of sections) {
      expect(text).not.toMatch(/[<>]/);
      if (type === 'mrkdwn') expect(verbatim).toBe(true);
    }
    expect((slackPayload(HOSTILE_NOTICE) as { text: string }).text).not.toContain('<!');
    const links = JSON.stringify(blocks).match(/<[^>]*>/g);
    expect(links).toEqual([`<${ABOUT.runUrl}|The run>`, `<${ABOUT.issue?.url}|Issue 7>`]);
  });
});

describe('Discord', () => {
  interface Embed {
    title: string;
    description: string;
  }
  const sent = (notice: Notice) => discordPayload(notice) as { allowed_mentions: object; embeds: Embed[] };

  test('is sent an embed within its limits', () => {
    const { embeds } = sent(ALL_LONG);
    for (const { title, description } of embeds) {
      expect(title.length).toBeLessThanOrEqual(256);
      expect(description.length).toBeLessThanOrEqual(4_096);
      expect(description).toContain('**What to do**');
    }
  });

  test('calls nobody, whatever the words are', () => {
    const { allowed_mentions, embeds } = sent(HOSTILE_NOTICE);
    expect(allowed_mentions).toEqual({ parse: [] });
    expect(embeds[0]?.description).toContain('\\@everyone');
    expect(embeds[0]?.description).not.toMatch(/(?<!\\)\]\(http/);
  });
});

describe('Teams', () => {
  test('is sent a card of less than 28 KB, in which no words have a meaning', () => {
    expect(Buffer.byteLength(JSON.stringify(teamsPayload(ALL_LONG)))).toBeLessThan(28_000);
    const card = JSON.stringify(teamsPayload(HOSTILE_NOTICE));
    expect(card).not.toContain('"TextBlock"');
    expect(card).not.toContain('"url":"http://evil');
    expect(teamsPayload(failure())).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } }],
    });
  });
});

describe('PagerDuty', () => {
  const key = 'db-backup-action/acme/shop/shop/backup';

  test('is sent an incident by a failure and its end by a recovery, under one key', () => {
    expect(posted(PAGERDUTY, failure())).toMatchObject({
      routing_key: 'R0UT1NGK3Y',
      event_action: 'trigger',
      dedup_key: key,
      payload: { severity: 'critical', source: 'acme/shop', component: 'shop', class: 'ERR_AUTH' },
    });
    const recovery = successNotice('recovery', 'over', {}, ABOUT, plain);
    expect(posted(PAGERDUTY, recovery)).toEqual({ routing_key: 'R0UT1NGK3Y', event_action: 'resolve', dedup_key: key });
    expect(webhookRequest(PAGERDUTY, undefined, failure())?.url).toBe('https://events.pagerduty.com/v2/enqueue');
  });

  test('takes its key from the path too, and hears of nothing else', () => {
    const url = new URL('https://events.eu.pagerduty.com/integration/R0UT1NGK3Y/enqueue');
    expect(posted(url, failure())).toMatchObject({ routing_key: 'R0UT1NGK3Y' });
    expect(webhookRequest(url, undefined, failure())?.url).toBe('https://events.eu.pagerduty.com/v2/enqueue');
    expect(posted(url, successNotice('success', 'all', {}, ABOUT, plain))).toBeUndefined();
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
  const HOOK = new URL('https://hooks.example.com/x');

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
    ['a recovery', successNotice('recovery', 'over', {}, ABOUT, plain)],
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
  const request = webhookRequest(new URL('https://hooks.example.com/x'), SECRET, {
    ...failure(),
    about: { ...ABOUT, at: new Date() },
  });
  const { body = '', headers } = request ?? {};
  const header = headers?.['x-signature-256'] ?? '';
  const stale = posted(new URL('https://hooks.example.com/x'), failure());
  const cases: [string, string, string, boolean][] = [
    ['the body as it came', body, header, true],
    ['another body', body.replace('shop', 'blog'), header, false],
    ['no signature', body, '', false],
    ['an old body', JSON.stringify(stale), signature(JSON.stringify(stale), SECRET), false],
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

describe('A mail', () => {
  test('has a subject of one line, whatever the words are', () => {
    for (const notice of [HOSTILE_NOTICE, ALL_LONG]) {
      const { subject } = emailText(notice);
      expect(subject).not.toMatch(/[\r\n\p{Cf}]/u);
      expect(subject.length).toBeLessThanOrEqual(200);
    }
  });

  test('says the same in plain text and in HTML, in which no words have a meaning', () => {
    const { text, html } = emailText(failure());
    for (const words of ['The password was refused.', 'Older backups are untouched.', 'k3v9qa', ABOUT.runUrl ?? '']) {
      expect(text).toContain(words);
      expect(html).toContain(words);
    }
    const hostile = emailText(HOSTILE_NOTICE).html;
    expect(hostile).not.toMatch(/<script|<\/p><|<!channel/);
    expect(hostile.match(/<a /g)).toHaveLength(2);
    expect(html).not.toMatch(/src=|<link|url\(/);
  });
});

test('Text is cut so that no character and no escape is cut in two', () => {
  const escaped = (text: string): string => text.replaceAll('&', '&amp;');
  for (let most = 10; most < 40; most += 1) {
    const cut = fitted('🚨&'.repeat(20), most, escaped);
    expect(cut.length).toBeLessThanOrEqual(most);
    expect(cut).toMatch(/^(🚨|&amp;)*…$/u);
  }
  expect(fitted('short', 10)).toBe('short');
});
