/** The words of a status: job summary, failure, inputs. */
import { describe, expect, test } from 'vitest';
import type { StatusResult } from '../../../src/command.ts';
import { InputError } from '../../../src/domain/errors.ts';
import { asFinding } from '../../../src/domain/status/finding.ts';
import type { StatusReport } from '../../../src/domain/status/model.ts';
import { variableOf } from '../../../src/inputs/names.ts';
import { readInputs } from '../../../src/inputs/read.ts';
import { describeRunEnd } from '../../../src/report/run-end.ts';
import { statusLine, statusSummary } from '../../../src/report/status-summary.ts';
import { describeUnwell, lastGoodOf } from '../../../src/report/status-words.ts';
import { readable } from '../../support/expect-run.ts';
import { backup, drill, judge, nightly, part, place } from '../../support/status-facts.ts';

function resultOf(report: StatusReport, over: Partial<StatusResult> = {}): StatusResult {
  const findings = report.findings.map(asFinding);
  return { command: 'status', outcome: 'watched', report, failOn: 'critical', findings, ...over };
}

const summary = (result: StatusResult) => readable(statusSummary(result, (text) => text));

describe('the summary of a status', () => {
  test('begins with the verdict, has a row for each series and a picture of 30 days', () => {
    const crm = part(nightly(3, 200), { name: 'crm-of-a-very-long-name-indeed', drills: [] });
    const text = summary(resultOf(judge([], { destinations: [place([part(nightly(9)), crm])] })));
    expect(text.split('\n')[0]).toBe('## ❌ The backups are in danger');
    expect(text).toContain(`| ✅ | shop | ${backup(10).facts.id}, 10 h 0 min old |`);
    expect(text).toContain('shop                      ·····················●●●●●●●●●');
    expect(text).toContain('crm-of-a-very-long-name…  ');
    expect(text).toContain('× missed');
    expect(text.indexOf('backup-too-old')).toBeLessThan(text.indexOf('drill-record'));
  });

  test('says what is not known, and what was read again', () => {
    const unseen = { location: '/b', owner: { provider: 'x' }, error: 'List | failed', hint: '' };
    const verified = { sets: 2, bytes: 1024, damage: [], unread: [], unknown: 0 };
    const report = judge([], {
      destinations: [place([part(nightly(40, 1))]), unseen],
      limits: { budgetBytes: 1_000_000_000 },
      verified,
    });
    const text = summary(resultOf(report));
    expect(text).toContain('not looked at: List');
    expect(text).toContain('40 % of 954 MiB used, +9.5 MiB a day, full in 60 days');
    expect(text).toContain('Read again today: 2 copies of sets, 1.0 KiB; nothing is damaged.');
  });

  test('lets no key, label or message break out', () => {
    const own = part(nightly(5), { unknown: ['shop/`</details>|<img src=x>'] });
    expect(statusSummary(resultOf(judge(own)), (text) => text)).not.toMatch(/<img|<\/details>/);
  });
});

describe('a status that is red', () => {
  const report = judge(part([backup(40)], { drills: [drill(900)] }));

  test('says what is wrong, what could be restored, and what to do', () => {
    const words = describeUnwell(resultOf(report, { name: 'shop' }));
    expect(words).toMatchObject({
      title: 'The status of "shop" is critical (ERR_STATUS)',
      happened: expect.stringContaining('The newest proven backup of shop is 1 day 16 h old'),
      problems: [],
      safety: expect.stringContaining(
        `Nothing was written or removed. The newest proven backup of shop is 1 day 16 h old: /first/shop/${backup(40).facts.id}; none was brought back by a drill yet.`,
      ),
      action: expect.stringContaining('Take a backup now.'),
    });
  });

  test('is so from the level on that fail-on says', () => {
    const warned = judge(part([backup(1)], { drills: [] }));
    expect(describeUnwell(resultOf(warned))).toBeUndefined();
    expect(describeUnwell(resultOf(warned, { failOn: 'warning' }))?.title).toBe('The status has warnings (ERR_STATUS)');
    expect(describeUnwell(resultOf(report, { failOn: 'never' }))).toBeUndefined();
    expect(describeUnwell(resultOf(judge(nightly(3)), { failOn: 'warning' }))).toBeUndefined();
  });

  test('names the newest proven backup of the series that is worst', () => {
    const two = judge([], { destinations: [place([part(nightly(3)), part([backup(40)], { name: 'crm' })])] });
    expect(lastGoodOf(two).lastGood).toMatchObject({ known: 'found', uri: `/first/crm/${backup(40).facts.id}` });
    expect(lastGoodOf(judge([backup(1, { verdict: 'unproven' })])).lastGood).toEqual({ known: 'none' });
    expect(statusLine(resultOf(two))).toContain('1 critical finding');
  });

  test('tells whoever waits for it when it is green again', () => {
    const proven = { command: 'status', id: 'x', uri: '/x' } as const;
    const facts = { startedAt: undefined, now: new Date(), runUrl: undefined };
    const { text } = describeRunEnd({ exitCode: 0, proven, warnings: [] }, facts, (words) => words);
    expect(text).toBe('Nothing is critical. The newest proven backup is x.');
  });
});

describe('the inputs of a status', () => {
  const read = (inputs: Record<string, string>) =>
    readInputs(
      Object.fromEntries(
        Object.entries({ command: 'status', storage: '/backups', ...inputs }).map(([name, value]) => [
          variableOf(name),
          value,
        ]),
      ),
    );
  const problems = (inputs: Record<string, string>): string[] => {
    try {
      read(inputs);
    } catch (error) {
      if (error instanceof InputError) return error.problems.map(({ input, message }) => `${input}: ${message}`);
      throw error;
    }
    return [];
  };

  test('have defaults, also as unset variables make them', () => {
    expect(read({ 'expected-names': '', 'max-age-hours': '' })).toMatchObject({
      expectedNames: [],
      limits: { maxAgeHours: 26, maxDrillAgeDays: 35 },
      failOn: 'critical',
      cacheManifests: true,
    });
  });

  test.each([
    ['24h', 24],
    ['1d', 24],
    ['90m', 1.5],
    ['2w', 336],
  ])('take %s for a time', (text, expectedEveryHours) => {
    expect(read({ 'expected-every': text })).toMatchObject({ limits: { expectedEveryHours } });
  });

  test('are refused when they are wrong', () => {
    for (const text of ['daily', '0h', '1m', '-1d', '2y', '400d']) {
      expect(problems({ 'expected-every': text })).toEqual([expect.stringContaining('is not a time from 15m')]);
    }
    expect(problems({ 'fail-on': 'error' })).toEqual([expect.stringContaining('critical, warning, never')]);
    expect(problems({ name: 'shop', 'expected-names': 'shop, crm' })).toEqual([expect.stringContaining('names crm')]);
    expect(problems({ 'storage-budget-gb': '1.5' })).toHaveLength(1);
    expect(problems({ 'database-url': 'postgresql://u@h/d' })).toEqual([expect.stringContaining('does not use it')]);
  });
});
