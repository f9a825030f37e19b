/** A week of backups in one message. */
import { expect, test } from 'vitest';
import type { BackupPoint, SeriesStatus, StatusReport } from '../../src/domain/status/model.ts';
import { digestNotice } from '../../src/report/digest.ts';
import { plainText } from '../../src/report/notice.ts';
import { slackPayload } from '../../src/report/notices/slack.ts';

const NOW = new Date('2026-11-22T06:00:00Z');
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);
const ABOUT = { command: 'status', at: NOW, id: 'one' };
const plain = (text: string): string => text;

function backup(days: number, more: Partial<BackupPoint> = {}): BackupPoint {
  return {
    ...{ id: `id-${days}`, at: daysAgo(days), label: 'nightly', verdict: 'proven', restored: false, whole: true },
    ...{
      keepForever: false,
      seconds: 65,
      plainBytes: 1_000_000,
      storedBytes: 1,
      rows: 1,
      tables: 1,
      locations: ['s3://x'],
    },
    ...more,
  };
}

function series(more: Partial<SeriesStatus> = {}): SeriesStatus {
  const backups = [backup(9), backup(8), backup(1.2), backup(0.2, { plainBytes: 1_200_000 })];
  const drill = { at: daysAgo(3), backupId: 'x', verdict: 'passed', recoverySeconds: 700 } as const;
  return {
    ...{ name: 'shop', level: 'info', backups, days: [], findings: [], storedBytes: 1 },
    ...{ newestProven: backups[3] as BackupPoint, drills: [drill], lastDrill: drill, drillSuccessPercent: 91.7 },
    ...more,
  };
}

function report(all: readonly SeriesStatus[], more: Partial<StatusReport> = {}): StatusReport {
  return {
    now: NOW,
    level: 'info',
    series: all,
    destinations: [],
    findings: [],
    storage: { bytes: 5_000_000 },
    ...more,
  };
}

test('says of each series how many backups and drills there were, how large, how fast', () => {
  const notice = digestNotice(report([series()]), 'weekly', ABOUT, plain);
  expect(notice).toMatchObject({ kind: 'digest', title: 'Backups of the last 7 days: all is well' });
  expect(notice).not.toHaveProperty('level');
  expect(notice.sections.happened).toBe(
    "shop: 2 backups, 2 proven; the newest proven one is 4 h 48 min old; 1.1 MiB (+20 %), taken in 1 min 5 s; 1 drill, the last one passed on 2026-11-19, RTO 11 min 40 s, 92 % of the last year's passed",
  );
  expect(digestNotice(report([series()]), 'monthly', ABOUT, plain).sections.happened).toContain('4 backups');
});

test('says what is wrong, and what is missing', () => {
  const { newestProven: _newest, lastDrill: _last, drillSuccessPercent: _rate, ...bare } = series();
  const empty = { ...bare, name: 'blog', level: 'critical', backups: [], drills: [] } as const;
  const finding = {
    code: 'no-backup',
    level: 'critical',
    series: 'blog',
    seen: 'There is none',
    action: 'Take one',
  } as const;
  const storage = { bytes: 90, budgetBytes: 100, bytesPerDay: 2, fullInDays: 5 };
  const notice = digestNotice(
    report([series(), empty], { level: 'critical', findings: [finding], storage }),
    'weekly',
    ABOUT,
    (text) => text.replaceAll('blog', '***'),
  );
  expect(notice).toMatchObject({
    level: 'critical',
    title: 'Backups of the last 7 days: 1 of 2 series needs somebody',
  });
  expect(notice.sections).toEqual({
    happened: expect.stringContaining('***: 0 backups, 0 proven; NO proven backup at all; never drilled'),
    action: 'CRITICAL: ***: There is none. Take one.',
    details: '90 B stored, 90 % of 100 B used, +2 B a day, full in 5 days',
  });
  expect(plainText(notice)).toContain('What to do\nCRITICAL');
});

test('stays within the limits of a channel with a thousand series', () => {
  const many = Array.from({ length: 1_000 }, (_, at) => series({ name: `shop-${at}` }));
  const notice = digestNotice(report(many), 'monthly', ABOUT, plain);
  expect(notice.sections.happened).toContain('and 960 more in the job summary');
  const { blocks } = slackPayload(notice) as { blocks: { text?: { text: string } }[] };
  for (const { text } of blocks) expect(text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
});
