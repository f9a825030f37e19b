/** One message: what it says, how it is cut, and as a mail. */
import { describe, expect, test } from 'vitest';
import { notToldNotice, startNotice, successNotice } from '../../src/report/notice.ts';
import { emailText } from '../../src/report/notices/email.ts';
import { fitted } from '../../src/report/notices/fit.ts';
import { ABOUT, ALL_LONG, failure, GOOD, HOSTILE_NOTICE, plain, WORDS } from '../support/notices.ts';

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
  expect(successNotice('recovery', 'over', { proven, warnings: [] }, ABOUT, plain)).toMatchObject({
    title: 'Recovered: the backup of "shop" is proven again',
    sections: { happened: expect.stringContaining(GOOD.id) },
  });
  expect(successNotice('success', 'all', { warnings: [] }, ABOUT, plain).sections.happened).toContain(
    'nothing new was proven',
  );
  const warnings = [
    { condition: 'primary-keys', level: 'warning', seen: 'public.customers has none', action: 'Add one.' },
    { condition: 'slots', level: 'warning', seen: 'a slot is read by nobody', action: '' },
  ] as const;
  expect(successNotice('warning', 'new', { proven, warnings }, ABOUT, plain)).toMatchObject({
    level: 'warning',
    code: 'primary-keys',
    title: 'The backup of "shop" is proven, with 2 warnings',
    sections: { happened: expect.stringContaining('\n- public.customers has none\n'), action: 'Add one.' },
  });
  const check = successNotice('reminder', 'lasts', { proven, warnings }, { ...ABOUT, command: 'check' }, plain);
  expect(check.title).toBe('Still: The check of "shop" has passed, with 2 warnings');
  expect(check.sections.happened).toMatch(/\n- primary-keys\n- slots$/);
  expect(JSON.stringify(check)).not.toContain('public.customers');
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
