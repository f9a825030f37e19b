import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { StatusReport } from '../../../src/domain/status/model.ts';
import { dashboardPage } from '../../../src/report/dashboard/page.ts';
import { tagsOf, textOf } from '../../support/html.ts';
import { readDocument, section } from '../../support/markdown.ts';
import {
  BUCKETS,
  backupPoint,
  evenly,
  finding,
  NOW,
  pictureReport,
  reportOf,
  richReport,
  seriesOf,
  yearOf,
} from '../../support/status-reports.ts';

const OPTIONS = { version: '1.2.3', redact: (text: string) => text };
const page = (report: StatusReport): string => dashboardPage(report, OPTIONS);
const rich = page(richReport());

describe('The dashboard', () => {
  test('is the same bytes for the same report', () => {
    expect(page(richReport())).toBe(rich);
  });

  test('is tried, and shown in docs/dashboard.png, with codes that docs/status.md has', () => {
    const table = section(readDocument('docs/status.md'), 'What it finds');
    for (const { code } of [...richReport().findings, ...pictureReport().findings])
      expect(table).toContain(`\`${code}\``);
    expect(page(pictureReport())).not.toContain('billing');
  });

  test('shows every finding with what was seen and what to do', () => {
    const text = textOf(rich);
    for (const { code, seen, action } of richReport().findings) {
      expect(text).toContain(code);
      expect(text).toContain(textOf(seen.replaceAll('`', ' ')));
      expect(text.replaceAll(' ', '')).toContain(action.replaceAll(/[`\s]/g, ''));
    }
  });

  test('says how many findings it leaves out, and never a worse one', () => {
    const findings = [
      ...Array.from({ length: 120 }, (_, index) => finding('critical', `first-${index}`)),
      ...Array.from({ length: 200 }, (_, index) => finding('info', `second-${index}`)),
    ];
    const text = textOf(page(reportOf({ series: [seriesOf('shop')], findings })));
    expect(text).toContain('first-119');
    expect(text).toContain('second-179');
    expect(text).not.toContain('second-180');
    expect(text).toContain('20 findings more, none of them worse, are in the job summary.');
    expect(text).toContain('Found: 120 critical, 200 notes.');
  });

  test('says when it was made, by which version, and that an old page proves nothing', () => {
    const text = textOf(rich);
    expect(rich).toContain(`<time datetime="${NOW.toISOString()}">2026-11-21 05:12 UTC</time>`);
    expect(text).toContain('db-backup-action 1.2.3');
    expect(text).toContain('If that is more than a day ago, status itself has stopped');
  });

  test('leads to the run that made it, and makes no link of any other address', () => {
    const of = (runUrl: string): string => dashboardPage(richReport(), { ...OPTIONS, runUrl });
    const links = (html: string): (string | undefined)[] =>
      tagsOf(html).flatMap(({ name, attributes }) => (name === 'a' ? [attributes.href] : []));
    expect(links(of('https://github.com/acme/shop/actions/runs/7'))).toContain(
      'https://github.com/acme/shop/actions/runs/7',
    );
    expect(links(of('javascript:alert(1)')).filter((href) => !href?.startsWith('#'))).toEqual([]);
  });

  test('says what to type to bring each series back', () => {
    const { newestProven } = seriesOf('shop');
    const text = textOf(page(reportOf({ series: [seriesOf('shop')] })));
    expect(text).toContain(`gh workflow run restore.yml \\ --field backup=${newestProven?.id} \\`);
    expect(text).toContain(`aws s3 cp '${BUCKETS[0]}/shop/${newestProven?.id}/RESTORE.md' .`);
    const onDisk = seriesOf('shop', { backups: [backupPoint({ locations: ['/srv/backups'] })] });
    const disk = textOf(page(reportOf({ series: [onDisk] })));
    expect(disk).toContain(`/srv/backups/shop/${newestProven?.id}/RESTORE.md`);
    expect(disk).not.toContain('aws s3');
  });

  test('lists the newest twenty backups with verdict, label, size, rows and where', () => {
    const [, table = ''] = rich.split('aria-label="Newest backups of shop"');
    const body = textOf(table.slice(table.indexOf('<tbody>'), table.indexOf('</tbody>')));
    expect(table.slice(0, table.indexOf('</table>')).match(/<tr>/g)).toHaveLength(21);
    expect(body).toContain('release-4.9');
    expect(body).toContain('kept for ever');
    expect(body).toMatch(/\bunproven\b/);
    expect(body).toMatch(/\brestored\b/);
    expect(body).toMatch(/GiB \d[\d,]+ \d+ s 1, 2 20261121/);
    expect(body).toMatch(/ 1 20261118_/);
    expect(textOf(rich)).toContain('The newest 20 of');
  });

  test('shows use, budget and growth of the storage, and each destination', () => {
    const text = textOf(rich);
    expect(text).toContain('402 GiB of 500 GiB (80 %) at the fullest destination.');
    expect(text).toContain('It grows by 420 MiB a day. The budget is full in 239 days, about 2027-07-18.');
    expect(text).toContain(`1 ${BUCKETS[0]} listed 61 402 GiB`);
    expect(text).toContain('Today 4 backups (23.0 GiB) were read again, every byte: nothing is damaged.');
  });

  test('says that a destination could not be listed, and why', () => {
    const text = textOf(rich);
    expect(text).toContain('/mnt/nas/backups not listed – – ERR_STORAGE_READ: the folder is not there');
    expect(text).toContain('One could not be listed: nothing on this page is known of it.');
  });

  test('names what was read again and is damaged', () => {
    const damaged = ['20261101_020000_nightly_k3v9qa'];
    const text = textOf(page(reportOf({ series: [seriesOf('shop')], verified: { sets: 1, bytes: 5, damaged } })));
    expect(text).toContain(
      'Today 1 backup (5 B) was read again, every byte: 1 is damaged: 20261101_020000_nightly_k3v9qa.',
    );
  });

  test('of an empty storage says that nothing could be recovered', () => {
    const empty = page({ ...reportOf({ series: [] }), destinations: [], storage: { bytes: 0 } });
    tagsOf(empty);
    expect(textOf(empty)).toContain('Nothing could be recovered today: no backup is here.');
    expect(textOf(empty)).toContain('No budget is given');
  });

  test('of a name without any backup, or any proven one, offers nothing to bring back', () => {
    const none = seriesOf('shop', { backups: [] });
    const unproven = seriesOf('shop', { backups: [backupPoint({ verdict: 'unproven' })] });
    for (const series of [none, unproven]) {
      const html = page(reportOf({ series: [series] }));
      tagsOf(html);
      const text = textOf(html);
      expect(text).toContain('You could not recover shop today: it has no proven backup.');
      expect(text).toContain('No proven backup is there to be drawn.');
      expect(text).not.toContain('gh workflow run');
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  test('has no number that is none', () => {
    expect(textOf(rich)).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(rich).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });
});

describe('Its HTML', () => {
  test('is well-formed, with each id once and each reference to one that is there', () => {
    const tags = tagsOf(rich);
    const ids = tags.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { attributes } of tags) {
      const references = (attributes['aria-labelledby'] ?? '').split(' ').filter((id) => id !== '');
      const target = attributes.href?.startsWith('#') ? [attributes.href.slice(1)] : [];
      expect(ids).toEqual(expect.arrayContaining([...references, ...target]));
    }
    expect(() => tagsOf('<p><b></p></b>')).toThrow('out of turn');
    expect(() => tagsOf('<p>1 < 2</p>')).toThrow('no tag');
  });

  test('has headings in order, landmarks, a language and scopes', () => {
    const tags = tagsOf(rich);
    const levels = tags.flatMap(({ name }) => (/^h[1-6]$/.test(name) ? [Number(name.slice(1))] : []));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.slice(1).forEach((level, index) => {
      expect(level - (levels[index] ?? 0)).toBeLessThanOrEqual(1);
    });
    expect(tags.map(({ name }) => name)).toEqual(expect.arrayContaining(['header', 'nav', 'main', 'footer']));
    expect(tags[0]).toEqual({ name: 'html', attributes: { lang: 'en' } });
    expect(tags.filter(({ name, attributes }) => name === 'th' && attributes.scope === undefined)).toEqual([]);
    expect(tags.filter(({ name, attributes }) => name === 'table' && attributes.class !== 'calendar').length).toBe(
      tags.filter(({ attributes }) => attributes.class === 'scroll' && attributes.tabindex === '0').length,
    );
  });

  test('holds no script, no handler, no style but its own, and no address that a browser would ask', () => {
    const tags = tagsOf(rich);
    const names = tags.map(({ name }) => name);
    for (const active of ['script', 'iframe', 'object', 'embed', 'form', 'img', 'base']) {
      expect(names).not.toContain(active);
    }
    const keys = tags.flatMap(({ attributes }) => Object.keys(attributes));
    expect(keys.filter((key) => key.startsWith('on') || key === 'style' || key === 'src')).toEqual([]);
    const icon = tags.find(({ name }) => name === 'link');
    expect(icon?.attributes.href).toMatch(/^data:image\/svg\+xml,/);
    expect(rich).not.toMatch(/url\(|@import/);
  });

  test('has a policy that allows its own style sheet alone', () => {
    const style = /<style>([^<]*)<\/style>/.exec(rich)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = tagsOf(rich).find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes.content).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`,
    );
  });
});

describe('Text from outside', () => {
  const HOSTILE = [
    '</style><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '`</code><b>`',
    '<!--',
    ']]>&lt;&amp;',
    '\u202Egnp.exe',
    'one\ntwo\u2028three\u0000',
    '\uD800',
  ];
  const everywhere = (text: string): StatusReport => {
    const label = backupPoint({ label: text, id: text, locations: [text] });
    const drills = [{ at: NOW, backupId: text, verdict: 'failed' as const }];
    const findings = [finding('critical', text, { series: text, seen: text, action: text })];
    return reportOf({
      series: [seriesOf(text, { backups: [label], drills, findings }), seriesOf(`${text}2`)],
      destinations: [{ location: text, error: text }, { location: `s3://${text}` }],
      verified: { sets: 1, bytes: 1, damaged: [text] },
    });
  };

  test.each(HOSTILE)('%j changes nothing of the page around it', (text) => {
    const names = (html: string): string[] =>
      tagsOf(html).map(({ name, attributes }) => `${name} ${Object.keys(attributes).join(' ')}`);
    const harmless = dashboardPage(everywhere('x'), { ...OPTIONS, runUrl: 'https://github.com/x' });
    const hostile = dashboardPage(everywhere(text), { ...OPTIONS, runUrl: `https://github.com/${text}` });
    // What is between backticks is code on purpose.
    const expected = names(harmless);
    const seen = names(hostile);
    if (text.startsWith('`'))
      expect(seen.filter((name) => name !== 'code ')).toEqual(expected.filter((name) => name !== 'code '));
    else expect(seen).toEqual(expected);
    expect(hostile).not.toMatch(/[\p{Cf}\u2028]|\\n/u);
  });

  test('never shows a secret, also one that escaping would change', () => {
    const secret = `p<ss&"w'rd`;
    const redact = (text: string): string => text.replaceAll(secret, '***');
    const html = dashboardPage(everywhere(`before ${secret} after`), {
      ...OPTIONS,
      redact,
      runUrl: `https://${secret}`,
    });
    expect(textOf(html).includes(secret)).toBe(false);
    expect(/p(?:<|&#60;)ss/.test(html)).toBe(false);
    expect(textOf(html)).toContain('before *** after');
  });
});

describe('However much there is', () => {
  const MOST_BYTES = 2_000_000;

  test('50 series of 400 backups each stay below 2 MB', () => {
    const findings = (name: string) =>
      ['backup-too-old', 'runs-missed', 'size-anomaly', 'never-drilled'].map((code) =>
        finding('warning', code, { series: name, seen: 'word '.repeat(40), action: 'word '.repeat(40) }),
      );
    const series = Array.from({ length: 50 }, (_, index) => {
      const name = `${'database'.repeat(7)}-${index}`;
      const backups = evenly(400, 400, {
        label: 'before-a-migration',
        restored: true,
        keepForever: true,
        whole: false,
      });
      const drills = backups
        .slice(-100)
        .map(({ at, id }) => ({ at, backupId: id, verdict: 'passed' as const, recoverySeconds: 700 }));
      return seriesOf(name, { backups, drills, findings: findings(name) });
    });
    const html = page(reportOf({ series }));
    tagsOf(html);
    expect(html.length).toBeLessThan(MOST_BYTES);
    expect(textOf(html)).toContain('Of the drills the last 12.');
    expect(textOf(html)).toContain(
      'Drawn: the median of each day, of 400 proven backups; the last 40 of 400 days that have any',
    );
  });

  test('one series of 10,000 backups stays below 2 MB', () => {
    const html = page(reportOf({ series: [seriesOf('shop', { backups: evenly(10_000, 417) })] }));
    expect(html.length).toBeLessThan(MOST_BYTES);
    expect(textOf(html)).toContain(
      'Drawn: the median of each day, of 10,000 proven backups; the last 366 of 418 days that have any',
    );
  });

  test('300 series stay below 2 MB: all are in the list, the worst in full', () => {
    const series = Array.from({ length: 300 }, (_, index) =>
      index === 299
        ? seriesOf('the-bad-one', {
            backups: [],
            findings: [finding('critical', 'no-backup', { series: 'the-bad-one' })],
          })
        : yearOf(`database-number-${index}`),
    );
    const html = page(reportOf({ series }));
    const text = textOf(html);
    expect(html.length).toBeLessThan(MOST_BYTES);
    expect(text).toContain('Below are the 50 that are worst off.');
    expect(text).toContain('database-number-298');
    expect(text).toContain('Newest backups of the-bad-one');
    expect(text).not.toContain('Newest backups of database-number-60');
  });
});
