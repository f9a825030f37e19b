/** Messages as channels are given them: usual ones, and those whose words are too long or mean harm. */
import type { FailureWords } from '../../src/report/failure-words.ts';
import { failureNotice, type Notice, type NoticeSubject } from '../../src/report/notice.ts';
import { webhookRequest } from '../../src/report/notices/webhook.ts';

export const plain = (text: string): string => text;

export const ABOUT: NoticeSubject = {
  command: 'backup',
  series: 'shop',
  repository: 'acme/shop',
  runUrl: 'https://github.com/acme/shop/actions/runs/1/attempts/1',
  issue: { number: 7, url: 'https://github.com/acme/shop/issues/7' },
  at: new Date('2026-11-22T02:04:10.000Z'),
  id: '3f1c2a9e-7b6d-4e5f-8a90-1b2c3d4e5f60',
};
export const WORDS = {
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
} as const satisfies FailureWords;
export const GOOD = {
  known: 'found',
  id: '20261121_020000_nightly_k3v9qa',
  snapshotAt: '2026-11-21T02:00:00Z',
  uri: 's3://acme/x',
} as const;

/** Of a failed backup. */
export function failure(more: Partial<FailureWords> = {}, redact = plain): Notice {
  const facts = {
    words: { ...WORDS, ...more },
    gravity: { level: 'critical', why: 'no-good-backup' },
    good: GOOD,
    startedAt: '2026-11-22T02:00:00.000Z',
  } as const;
  return failureNotice('failure', 'it is the first', facts, ABOUT, redact);
}

const LONG = '<!channel> @everyone & <b> 🚨 *x* '.repeat(2_000);
export const ALL_LONG = failure({ title: LONG, happened: LONG, safety: LONG, action: LONG });
const HOSTILE =
  '<!channel> <@U123> <https://evil.example|click> @everyone @here [x](http://evil.example) `<!here>` </p><script>alert(1)</script>\r\nBcc: all@example.com\u202Egnp.exe';
export const HOSTILE_NOTICE = failure({ title: HOSTILE, happened: HOSTILE, safety: HOSTILE, action: HOSTILE });

/** Words with a line that would end a mail, and with characters outside of ASCII. */
export function someNotice(): Notice {
  return failure({ action: 'Correct it.\n.\nAnd look: ümläut 🚨' });
}

/** What a webhook at `url` is sent of it; undefined when it is not told. */
export function posted(url: URL, notice: Notice): Record<string, unknown> | undefined {
  const request = webhookRequest(url, undefined, notice);
  return request === undefined ? undefined : JSON.parse(request.body);
}
