/** What the planner decides, case by case: each file in `golden/` shows plans as a person would read them. */
import { describe, expect, test } from 'vitest';
import { type RetentionCase, render } from '../../support/retention-cases.ts';

const WEEK = '2026-11-15..2026-11-21 02:00';

const CASES: Readonly<Record<string, readonly RetentionCase[]>> = {
  counts: [
    {
      title: 'the last three, however far apart',
      policy: { rules: { last: 3 } },
      sets: '2024-02-29 02:00\n2025-01-01 02:00\n2026-01-01 02:00\n2026-11-20 02:00\n2026-11-20 03:00',
    },
    { title: 'more than there are', policy: { rules: { last: 30 } }, sets: '2026-11-19..2026-11-21 02:00' },
    {
      title: 'a single backup stays under every policy',
      policy: { rules: { withinDays: 1 } },
      sets: '2020-01-01 02:00',
    },
    { title: 'three days of seven', policy: { rules: { daily: 3 } }, sets: WEEK },
    {
      title: 'days without a backup are not counted',
      policy: { rules: { daily: 3 } },
      sets: '2026-10-01 02:00\n2026-10-15 02:00\n2026-11-01 02:00\n2026-11-21 02:00',
    },
    {
      title: 'of several backups of a day the newest',
      policy: { rules: { daily: 2 } },
      sets: `2026-11-20..2026-11-21 02:00\n2026-11-20..2026-11-21 08:00\n2026-11-20 23:59`,
    },
    {
      title: 'hours',
      policy: { rules: { hourly: 3 } },
      sets: '2026-11-21 08:30\n2026-11-21 09:00\n2026-11-21 09:59\n2026-11-21 10:00\n2026-11-21 11:30',
    },
    {
      title: 'several rules keep what any of them keeps',
      policy: { rules: { last: 1, daily: 2, monthly: 2 } },
      sets: '2026-10-30..2026-11-02 02:00\n2026-11-19..2026-11-21 02:00',
    },
    {
      title: 'rules that nothing is old enough for',
      policy: { rules: { yearly: 5 } },
      sets: '2026-11-20..2026-11-21 02:00',
    },
  ],
  calendar: [
    {
      title: 'weeks begin on Monday',
      policy: { rules: { weekly: 2 } },
      sets: '2026-11-06..2026-11-10 02:00\n2026-11-15..2026-11-17 02:00',
    },
    {
      title: 'a week across New Year is one week',
      policy: { rules: { weekly: 2 } },
      now: '2027-01-05T12:00',
      sets: '2026-12-26..2027-01-04 02:00',
    },
    {
      title: 'ISO week 53 and the first of January that belongs to it',
      policy: { rules: { weekly: 1, yearly: 2 } },
      now: '2021-01-04T00:30',
      sets: '2020-12-31..2021-01-03 02:00',
    },
    {
      title: 'months of different lengths',
      policy: { rules: { monthly: 3 } },
      now: '2026-03-31T12:00',
      sets: '2026-01-30..2026-01-31 02:00\n2026-02-27..2026-03-01 02:00\n2026-03-30..2026-03-31 02:00',
    },
    {
      title: '29 February is a day and ends a month',
      policy: { rules: { daily: 2, monthly: 2 } },
      now: '2028-03-01T12:00',
      sets: '2028-02-27..2028-03-01 02:00',
    },
    {
      title: 'no 29 February',
      policy: { rules: { daily: 2, monthly: 2 } },
      now: '2027-03-01T12:00',
      sets: '2027-02-27..2027-03-01 02:00',
    },
    {
      title: 'years',
      policy: { rules: { yearly: 2 } },
      now: '2026-01-01T12:00',
      sets: '2024-12-31 02:00\n2025-01-01 02:00\n2025-12-31 02:00\n2026-01-01 02:00',
    },
    {
      title: 'around midnight of New Year',
      policy: { rules: { hourly: 2, daily: 2, monthly: 2, yearly: 2 } },
      now: '2027-01-01T12:00',
      sets: '2026-12-31 23:59\n2027-01-01 00:00',
    },
  ],
  'time zones': [
    {
      title: 'a night in Berlin is one day later than in UTC',
      policy: { rules: { daily: 2 }, timeZone: 'Europe/Berlin' },
      sets: '2026-11-19..2026-11-20 22:30\n2026-11-19..2026-11-20 23:30',
    },
    {
      title: 'the same in UTC',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-19..2026-11-20 22:30\n2026-11-19..2026-11-20 23:30',
    },
    {
      title: 'the day with 25 hours has an hour twice',
      policy: { rules: { hourly: 4 }, timeZone: 'Europe/Berlin' },
      now: '2026-10-25T12:00',
      sets: '2026-10-24 23:30\n2026-10-25 00:30\n2026-10-25 00:45\n2026-10-25 01:30\n2026-10-25 02:30',
    },
    {
      title: 'the day with 23 hours lacks one',
      policy: { rules: { hourly: 3 }, timeZone: 'Europe/Berlin' },
      now: '2026-03-29T12:00',
      sets: '2026-03-28 23:30\n2026-03-29 00:30\n2026-03-29 01:30\n2026-03-29 02:30',
    },
    {
      title: 'days around both changes are whole days',
      policy: { rules: { daily: 3 }, timeZone: 'America/New_York' },
      now: '2026-11-02T18:00',
      sets: '2026-10-31 04:30\n2026-11-01 03:30\n2026-11-01 04:30\n2026-11-02 04:30\n2026-11-02 05:30',
    },
    {
      title: 'half an hour off',
      policy: { rules: { daily: 2, hourly: 1 }, timeZone: 'Asia/Kolkata' },
      sets: '2026-11-19 18:29\n2026-11-19 18:30\n2026-11-20 18:29\n2026-11-20 18:30',
    },
    {
      title: 'beyond the date line',
      policy: { rules: { monthly: 2 }, timeZone: 'Pacific/Kiritimati' },
      now: '2026-12-02T12:00',
      sets: '2026-10-31 09:59\n2026-11-30 09:59\n2026-11-30 10:00',
    },
  ],
  verdicts: [
    {
      title: 'an unproven one never takes the place of a proven one',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-20..2026-11-21 02:00\n2026-11-20..2026-11-21 08:00 unproven',
    },
    {
      title: 'a week of failures pushes no proven one out',
      policy: { rules: { daily: 3 } },
      sets: '2026-11-10..2026-11-14 02:00\n2026-11-15..2026-11-21 02:00 unproven',
    },
    {
      title: 'once one is proven again, older failures go',
      policy: { rules: { daily: 3 } },
      sets: '2026-11-10..2026-11-14 02:00\n2026-11-15..2026-11-20 02:00 unproven\n2026-11-21 02:00',
    },
    {
      title: 'an unproven one stands in where a recent day has nothing better',
      policy: { rules: { daily: 4 } },
      sets: '2026-11-17..2026-11-21 02:00\n2026-11-19 02:00 unproven\n2026-11-19 03:00 unproven',
    },
    {
      title: 'the last ones count proven ones',
      policy: { rules: { last: 2 } },
      sets: '2026-11-15..2026-11-17 02:00\n2026-11-18..2026-11-20 02:00 unproven\n2026-11-21 02:00',
    },
    {
      title: 'nothing is proven: nothing is removed',
      policy: { rules: { daily: 1 } },
      sets: '2026-11-18..2026-11-21 02:00 unproven',
    },
    {
      title: 'the newest proven one is a year old and stays',
      policy: { rules: { withinDays: 7 } },
      sets: '2025-11-01..2025-11-02 02:00\n2026-11-01..2026-11-03 02:00 unproven',
    },
  ],
  restored: [
    {
      title: 'a restored one holds its day before a newer proven one',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-19..2026-11-21 02:00\n2026-11-20 01:00 restored',
    },
    {
      title: 'and its month',
      policy: { rules: { monthly: 2 } },
      sets: '2026-10-05 02:00 restored\n2026-10-31 02:00\n2026-11-20..2026-11-21 02:00',
    },
    {
      title: 'the newest restored one stays, however old',
      policy: { rules: { daily: 1 } },
      sets: '2025-01-01 02:00 restored\n2025-06-01 02:00 restored\n2026-11-20..2026-11-21 02:00',
    },
    {
      title: 'of two restored ones of a day the newer',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-20 02:00 restored\n2026-11-20 03:00 restored\n2026-11-20 04:00\n2026-11-21 02:00 restored',
    },
  ],
  parts: [
    {
      title: 'a part of the database never takes the place of the whole',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-19..2026-11-21 02:00\n2026-11-19..2026-11-21 09:00 part',
    },
    {
      title: 'parts alone have slots like any',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-18..2026-11-21 09:00 part',
    },
    {
      title: 'the newest proven one of the whole database stays beside newer parts',
      policy: { rules: { daily: 2 } },
      sets: '2026-11-01..2026-11-02 02:00\n2026-11-18..2026-11-21 09:00 part',
    },
  ],
  labels: [
    {
      title: 'a label with rules of its own, and slots of its own',
      policy: { rules: { daily: 2 }, labels: [{ pattern: 'pre-migration', keep: { withinDays: 2 } }] },
      sets: '2026-11-18..2026-11-21 02:00\n2026-11-18..2026-11-21 10:00 label=pre-migration',
    },
    {
      title: 'the first line that fits counts',
      policy: {
        rules: { daily: 1 },
        labels: [
          { pattern: 'audit-2026', keep: { last: 1 } },
          { pattern: 'audit-*', keep: 'forever' },
        ],
      },
      sets: '2026-11-18..2026-11-20 10:00 label=audit-2026\n2026-11-17 10:00 label=audit-2025\n2026-11-20..2026-11-21 02:00',
    },
    {
      title: 'rules for a label alone keep all else',
      policy: { labels: [{ pattern: 'pre-*', keep: { last: 1 } }] },
      sets: '2026-11-18..2026-11-20 10:00 label=pre-migration\n2026-11-18..2026-11-21 02:00',
    },
  ],
  'for ever': [
    {
      title: 'what is marked stays, and takes no slot',
      policy: { rules: { daily: 1 } },
      sets: '2020-01-01 02:00 forever\n2026-11-20..2026-11-21 02:00\n2026-11-21 08:00 forever',
    },
    {
      title: 'releases stay',
      policy: { rules: { last: 1 } },
      sets: '2024-01-01 02:00 label=release-2.4.0\n2024-01-02 02:00 label=v2.4.1\n2024-01-03 02:00 label=2.5\n2024-01-04 02:00 label=released\n2024-01-05 02:00 label=version\n2026-11-21 02:00',
    },
    {
      title: 'what a restore saved stays, fills no slot, and is no newest proven one',
      policy: { rules: { daily: 1 } },
      sets: '2026-11-18..2026-11-19 02:00\n2026-11-20 02:00 unproven\n2026-11-21 02:00 label=emergency',
    },
    {
      title: 'safety backups alone: nothing here is proven',
      policy: { rules: { daily: 1 } },
      sets: '2026-11-19..2026-11-20 02:00 label=emergency\n2026-11-20 03:00 unproven',
    },
  ],
  'clocks and ages': [
    {
      title: 'within days counts 24 hours each, to the minute',
      policy: { rules: { withinDays: 2 } },
      sets: '2026-11-19 11:59\n2026-11-19 12:00\n2026-11-21 02:00',
    },
    {
      title: 'a set from the future stays and counts for nothing',
      policy: { rules: { daily: 1 } },
      sets: '2026-11-19..2026-11-21 02:00\n2026-11-23 02:00',
    },
    {
      title: 'a clock two days behind removes less',
      policy: { rules: { daily: 2 } },
      now: '2026-11-19T12:00',
      sets: '2026-11-16..2026-11-21 02:00',
    },
    {
      title: 'a clock a minute behind the server is no liar',
      policy: { rules: { daily: 1 } },
      sets: '2026-11-20 02:00\n2026-11-21 12:01',
    },
    {
      title: 'only sets from the future',
      policy: { rules: { daily: 1 } },
      sets: '2027-01-01..2027-01-02 02:00',
    },
  ],
  'policies that teams ask for': [
    {
      title: '3 daily, 2 weekly, 2 monthly over ten weeks of Sundays and three days',
      policy: { rules: { daily: 3, weekly: 2, monthly: 2 } },
      sets: '2026-09-13 02:00\n2026-09-27 02:00\n2026-10-04 02:00\n2026-10-18 02:00\n2026-10-25 02:00\n2026-11-01 02:00\n2026-11-08 02:00\n2026-11-15 02:00\n2026-11-18..2026-11-21 02:00',
    },
    {
      title: '30 days rolling and one archive a year',
      policy: { rules: { withinDays: 30, yearly: 3 } },
      sets: '2023-06-01 02:00\n2023-12-31 02:00\n2024-12-31 02:00\n2025-06-01 02:00\n2025-12-31 02:00\n2026-10-22 02:00\n2026-10-23 02:00\n2026-11-21 02:00',
    },
  ],
};

describe('the plan of', () => {
  test.each(Object.entries(CASES))('%s is the one that was read and found right', async (theme, cases) => {
    const text = cases.map(render).join('\n');
    await expect(text).toMatchFileSnapshot(`./golden/${theme.replaceAll(' ', '-')}.txt`);
  });

  test('at least 40 cases is written down', () => {
    const titles = Object.values(CASES).flatMap((cases) => cases.map(({ title }) => title));
    expect(titles.length).toBeGreaterThanOrEqual(40);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
