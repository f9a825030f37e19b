/** The inputs of Slack, webhook and mail: what is refused, what is a secret, who is the sender. */
import { describe, expect, test } from 'vitest';
import { parseSmtpUrl } from '../../src/domain/smtp.ts';
import { readChannelInputs } from '../../src/inputs/channels.ts';
import { secretsIn } from '../../src/inputs/secrets.ts';
import { GOOD, problems, step } from '../support/inputs.ts';

const SMTP = 'smtps://ops%40example.com:p%40ss%2Fw0rd@mail.example.com';
const given = (inputs: Record<string, string>) => problems({ ...GOOD, ...inputs });

describe('A mail server', () => {
  test.each([
    [
      SMTP,
      {
        host: 'mail.example.com',
        port: 465,
        tls: 'immediate',
        login: { user: 'ops@example.com', password: 'p@ss/w0rd' },
      },
    ],
    [
      'smtp://u:p@mail.example.com',
      { host: 'mail.example.com', port: 587, tls: 'starttls', login: { user: 'u', password: 'p' } },
    ],
    ['SMTP://mail.example.com:25/', { host: 'mail.example.com', port: 25, tls: 'starttls' }],
    [
      'smtps://u:p@[2001:db8::1]:1465',
      { host: '2001:db8::1', port: 1465, tls: 'immediate', login: { user: 'u', password: 'p' } },
    ],
  ] as const)('%s is read', (url, server) => expect(parseSmtpUrl(url)).toEqual(server));

  test.each([
    'mail.example.com:587',
    'https://u:p@mail.example.com',
    'smtp://',
    'smtp://u@mail.example.com',
    'smtp://u:p%zz@mail.example.com',
    'smtp://u:p@mail.example.com/?tls=false',
  ])('%s is refused, in words without it', (url) => {
    expect(parseSmtpUrl(url)).toBeUndefined();
    const [problem = ''] = given({ 'smtp-url': url, 'email-to': 'a@example.com', 'email-from': 'b@example.com' });
    expect(problem).toMatch(/^smtp-url: it is not of the form/);
    expect(problem).not.toContain('mail.example.com');
  });
});

describe('Inputs', () => {
  test('that fit are read', () => {
    const inputs = {
      ...GOOD,
      'smtp-url': SMTP,
      'email-to': 'a@example.com, b@example.com',
      'notify-on': 'start,success',
    };
    expect(problems(inputs)).toEqual([]);
    expect(readChannelInputs(step(inputs))).toMatchObject({
      email: { from: 'ops@example.com', to: ['a@example.com', 'b@example.com'] },
      notifyOn: ['start', 'success'],
      remindAfterHours: 20,
      series: 'shop',
    });
  });

  test.each([
    [
      'a recipient that begins another header',
      { 'smtp-url': SMTP, 'email-to': 'a@example.com\nBcc:x@example.com' },
      'email-to',
    ],
    ['a recipient with a name', { 'smtp-url': SMTP, 'email-to': 'Ops <ops@example.com>' }, 'email-to'],
    ['a sender that is two', { 'smtp-url': SMTP, 'email-to': 'a@example.com', 'email-from': 'a@x,b@x' }, 'email-from'],
    ['nobody to write to', { 'smtp-url': SMTP }, 'email-to'],
    ['no server', { 'email-to': 'a@example.com' }, 'smtp-url'],
    [
      'a user that is no sender',
      { 'smtp-url': 'smtp://apikey:p@m.example', 'email-to': 'a@example.com' },
      'email-from',
    ],
    ['a secret without a webhook', { 'webhook-secret': '0123456789abcdef' }, 'webhook-url'],
    ['a secret that is short', { 'webhook-url': 'https://x.example/', 'webhook-secret': 's3cr3t' }, 'webhook-secret'],
    ['PagerDuty without its key', { 'webhook-url': 'https://events.pagerduty.com/v2/enqueue' }, 'webhook-url'],
    ['an occasion that is none', { 'notify-on': 'failure, always' }, 'notify-on'],
    ['a time that is none', { 'remind-after-hours': '-1' }, 'remind-after-hours'],
    ['Slack without https', { 'slack-webhook-url': 'hooks.slack.com/services/T/B/x' }, 'slack-webhook-url'],
  ])('with %s are refused', (_, inputs, name) => {
    const found = given(inputs as Record<string, string>);
    expect(found.map((problem) => problem.split(':')[0])).toEqual([name]);
    expect(found.join()).not.toMatch(/s3cr3t|p%40ss|services/);
  });

  test('of a digest that nobody would get are refused', () => {
    const status = { command: 'status', storage: 's3://acme/x', digest: 'weekly' };
    expect(problems(status)).toEqual([expect.stringMatching(/^digest: nobody would get it/)]);
    expect(problems({ ...status, 'slack-webhook-url': 'https://hooks.slack.com/services/T/B/x' })).toEqual([]);
  });
});

describe('Secret is', () => {
  const masked = (inputs: Record<string, string>): string[] => secretsIn(step(inputs));

  test('every part of a webhook that looks like a token, and never its host', () => {
    const slack = 'https://hooks.slack.com/services/T0ABCDEF12/B0ABCDEF34/x9y8z7w6v5u4t3s2';
    const found = masked({ 'slack-webhook-url': slack });
    for (const part of [slack, 'T0ABCDEF12', 'B0ABCDEF34', 'x9y8z7w6v5u4t3s2']) expect(found).toContain(part);
    expect(found).not.toContain('hooks.slack.com');
    expect(found).toContain(encodeURIComponent(slack));
  });

  test('the signature of a workflow and the key of an integration, however they look', () => {
    const teams =
      'https://x.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?api-version=2016-06-01&sig=abcdefghijklmnop';
    expect(masked({ 'webhook-url': teams })).toContain('abcdefghijklmnop');
    expect(masked({ 'webhook-url': teams })).not.toContain('2016-06-01');
    const key = 'https://events.pagerduty.com/v2/enqueue?routing_key=ABCDEFGHIJKLMNOP';
    expect(masked({ 'webhook-url': key })).toContain('ABCDEFGHIJKLMNOP');
  });

  test('the password of a mail server, as it was written, as it is, and as it is sent', () => {
    const found = masked({ 'smtp-url': `${SMTP}\n` });
    const sent = Buffer.from('\0ops@example.com\0p@ss/w0rd').toString('base64');
    for (const form of [SMTP, 'p@ss/w0rd', 'p%40ss%2Fw0rd', sent]) expect(found).toContain(form);
    for (const open of ['ops@example.com', 'mail.example.com']) expect(found).not.toContain(open);
    expect(masked({ 'smtp-url': 'smtp://u:p%zzword@host' })).toContain('p%zzword');
    expect(masked({ 'smtp-url': 'smtp://SG1x9y8z7w6v:password1@host' })).toContain('SG1x9y8z7w6v');
  });

  test('the secret of a webhook', () =>
    expect(masked({ 'webhook-secret': '0123456789abcdef' })).toContain('0123456789abcdef'));
});
