import { describe, expect, test } from 'vitest';
import { isTimeZone, slotsIn } from '../../../src/domain/retention/calendar.ts';
import { describePolicy, isRelease, matchesLabel } from '../../../src/domain/retention/policy.ts';
import { readInputs } from '../../../src/inputs/read.ts';
import type { PruneInputs } from '../../../src/inputs/types.ts';
import { backupInputsOf, GOOD, problems, step } from '../../support/inputs.ts';

const PRUNE = { command: 'prune', name: 'shop', storage: 's3://acme-backups/postgres' };

function pruneInputs(given: Record<string, string>): PruneInputs {
  const inputs = readInputs(step({ ...PRUNE, ...given }));
  if (inputs.command !== 'prune') throw new Error(inputs.command);
  return inputs;
}

describe('a policy as inputs', () => {
  test('arrives as it was given, with the documented defaults', () => {
    expect(pruneInputs({ 'keep-daily': '14' })).toMatchObject({
      ...{ name: 'shop', dryRun: false, maxDurationMinutes: 330 },
      retention: { policy: { rules: { daily: 14 }, labels: [], timeZone: 'UTC' }, maxPrunePercent: 50 },
    });
    const given = {
      'keep-last': '3',
      'keep-hourly': '24',
      'keep-weekly': '12',
      'keep-monthly': '12',
      'keep-yearly': '5',
      'keep-within-days': '30',
      'keep-by-label': 'label=pre-migration: keep-within-days=30, keep-last=3\n\nlabel=audit-*: keep-forever',
      'time-zone': 'Europe/Berlin',
      'max-prune-percent': '80',
      'dry-run': 'true',
    };
    const { retention, dryRun } = pruneInputs(given);
    expect(dryRun).toBe(true);
    expect(retention.maxPrunePercent).toBe(80);
    expect(describePolicy(retention.policy)).toEqual([
      'keep-last=3',
      'keep-hourly=24',
      'keep-weekly=12',
      'keep-monthly=12',
      'keep-yearly=5',
      'keep-within-days=30',
      'label=pre-migration: keep-last=3, keep-within-days=30',
      'label=audit-*: keep-forever',
      'time-zone=Europe/Berlin',
    ]);
  });

  test('that keeps nothing is refused: it is what unset variables look like', () => {
    const [problem, ...more] = problems({ ...PRUNE, 'keep-daily': '', 'max-prune-percent': '100' });
    expect(problem).toMatch(
      /^keep-daily: nothing says what to keep, so nothing is removed\. .*keep-by-label.*empty string/,
    );
    expect(more).toEqual([]);
  });

  test('needs the name of the series', () => {
    const [problem] = problems({ command: 'prune', storage: PRUNE.storage, 'keep-daily': '7' });
    expect(problem).toMatch(/^name: it is empty, and a prune is of one series alone/);
  });

  test.each([
    ['keep-daily', '0', /not a whole number from 1/],
    ['keep-daily', '-1', /not a whole number from 1/],
    ['keep-daily', '7 days', /not a whole number/],
    ['max-prune-percent', '101', /from 1 to 100/],
    ['time-zone', 'Berlin', /not a time zone/],
    ['keep-by-label', 'pre-migration: keep-last=3', /names no label/],
    ['keep-by-label', 'label=: keep-last=3', /names no label/],
    ['keep-by-label', 'label=Pre: keep-last=3', /names no label/],
    ['keep-by-label', 'label=x: keep-sometimes=3', /is not a rule/],
    ['keep-by-label', 'label=x:', /is not a rule/],
    ['keep-by-label', 'label=x: keep-last', /no whole number/],
    ['keep-by-label', 'label=x: keep-last=0', /no whole number/],
    ['keep-by-label', 'label=x: keep-last=1, keep-last=2', /says keep-last twice/],
    ['keep-by-label', 'label=x: keep-forever, keep-last=2', /is not a rule/],
    ['keep-by-label', 'label=x: keep-last=1\nlabel=x: keep-daily=2', /stands there twice/],
  ])('with %s %j is refused', (input, value, words) => {
    const found = problems({ ...PRUNE, 'keep-last': '3', [input]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${input}: `));
    expect(found[0]).toMatch(words);
  });

  test('is an error in a restore, and a database URL is one in a prune', () => {
    expect(problems({ ...PRUNE, 'keep-last': '3', 'database-url': GOOD['database-url'] })).toEqual([
      'database-url: the command `prune` does not use it; it belongs to `backup` and `check`. Remove it.',
    ]);
    expect(problems({ ...PRUNE, 'keep-last': '3', 'critical-tables': 'public.orders' })[0]).toMatch(
      /`prune` does not use it/,
    );
    expect(problems({ command: 'drill', storage: PRUNE.storage, 'keep-last': '3' })[0]).toMatch(
      /belongs to `prune` and `backup`/,
    );
  });

  test('belongs to a backup only with prune-after-backup', () => {
    expect(problems({ ...GOOD, 'keep-daily': '7', 'time-zone': 'UTC' })).toEqual([
      'keep-daily: a backup removes nothing by itself. Set `prune-after-backup: true` too, or remove this.',
      'time-zone: a backup removes nothing by itself. Set `prune-after-backup: true` too, or remove this.',
    ]);
    expect(problems({ ...GOOD, 'prune-after-backup': 'true' })[0]).toMatch(/^keep-daily: nothing says what to keep/);
    expect(backupInputsOf(step({ ...GOOD, 'prune-after-backup': 'true', 'keep-daily': '7' })).pruneAfterBackup).toEqual(
      {
        policy: { rules: { daily: 7 }, labels: [], timeZone: 'UTC' },
        maxPrunePercent: 50,
      },
    );
    expect(backupInputsOf(step(GOOD))).not.toHaveProperty('pruneAfterBackup');
  });
});

describe('labels', () => {
  test.each([
    ['nightly', 'nightly', true],
    ['nightly', 'nightly2', false],
    ['pre-*', 'pre-migration', true],
    ['*', '', true],
    ['*-eu', 'prod-eu', true],
    ['a.b', 'axb', false],
    ['a*c*e', 'abcde', true],
  ])('%s fits %s: %s', (pattern, label, fits) => expect(matchesLabel(pattern, label)).toBe(fits));

  test.each(['release', 'release-2.4.0', 'release_2', 'releases-1', 'v2', 'v2.4', '2.4.0', '2.4-rc1'])(
    '%s is a release',
    (label) => {
      expect(isRelease(label)).toBe(true);
    },
  );

  test.each(['nightly', 'released', 'pre-release', 'version', '2', '20261121', 'v', 'vx.1'])('%s is none', (label) => {
    expect(isRelease(label)).toBe(false);
  });
});

describe('slots of a calendar', () => {
  test('are told by the clock of the zone, whatever that of the machine shows', () => {
    const at = new Date('2026-12-31T23:30:00Z');
    const name = (zone: string) =>
      (['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const).map((kind) => slotsIn(zone)(kind, at));
    expect(name('UTC')).toEqual(['2026-12-31 23:00+00:00', '2026-12-31', '2026-W53', '2026-12', '2026']);
    expect(name('Asia/Tokyo')).toEqual(['2027-01-01 08:00+09:00', '2027-01-01', '2026-W53', '2027-01', '2027']);
    expect(name('America/St_Johns')).toEqual(['2026-12-31 20:00-03:30', '2026-12-31', '2026-W53', '2026-12', '2026']);
  });

  test('weeks are those of ISO 8601 on every day of twelve years', () => {
    const weekly = slotsIn('UTC');
    // By another way: the year of the Thursday of the week, and how many Thursdays of it have passed.
    for (let at = Date.UTC(2020, 0, 1); at < Date.UTC(2032, 0, 1); at += 86_400_000) {
      let thursday = at;
      while (new Date(thursday).getUTCDay() !== 4)
        thursday += new Date(at).getUTCDay() === 0 || new Date(at).getUTCDay() > 4 ? -86_400_000 : 86_400_000;
      const year = new Date(thursday).getUTCFullYear();
      let count = 0;
      for (let day = Date.UTC(year, 0, 1); day <= thursday; day += 86_400_000)
        if (new Date(day).getUTCDay() === 4) count += 1;
      expect(weekly('weekly', new Date(at))).toBe(`${year}-W${String(count).padStart(2, '0')}`);
    }
  });

  test('know zones of the IANA and no others', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia']) expect(isTimeZone(zone)).toBe(true);
    for (const zone of ['Berlin', 'Europe/Atlantis', '', 'UTC+27']) expect(isTimeZone(zone)).toBe(false);
  });
});
