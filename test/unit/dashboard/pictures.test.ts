import { describe, expect, test } from 'vitest';
import { calendar } from '../../../src/report/dashboard/calendar.ts';
import { Markup } from '../../../src/report/dashboard/markup.ts';
import { bytesScale, secondsScale } from '../../../src/report/dashboard/scale.ts';
import { trendOf } from '../../../src/report/dashboard/trend-points.ts';
import { trends } from '../../../src/report/dashboard/trends.ts';
import { tagsOf, textOf } from '../../support/html.ts';
import { backupPoint, evenly, NOW, seriesOf, yearOf } from '../../support/status-reports.ts';

const markup = new Markup((text) => text);
const PLACE = { id: 's', now: NOW, seriesShown: 1 };

describe('The calendar', () => {
  const series = yearOf('shop', { missed: [2], unproven: [5], drills: ['passed', 'failed'] });
  const html = calendar(series, markup).source;

  test('has a row a week from Monday on, and thirty days', () => {
    expect(html.match(/<tr>/g)).toHaveLength(1 + 5);
    expect(html.match(/class="day /g)).toHaveLength(30);
    // 2026-10-23, the first of them, was a Friday.
    expect(html).toMatch(/19 Oct<\/th>(<td><\/td>){4}<td><span class="day good"/);
  });

  test('says each day in words and by a sign, besides its colour', () => {
    expect(html).toContain('title="2026-11-19: missed"');
    expect(html).toContain('title="2026-11-16: unproven, 1 backup"');
    expect(html).toContain('title="2026-11-09: proven, 1 backup, drill failed"');
    expect(html).toContain('title="2026-11-21: proven, 1 backup, today"');
    const text = textOf(html);
    expect(text).toContain('9 ✓ D× 9 Nov: proven, 1 backup, drill failed');
    expect(text).toContain('19 × 19 Nov: missed');
  });

  test('says of each day how its worst health check went, and explains that only where there were some', () => {
    const checked = { ...series, days: series.days.map((each) => ({ ...each, check: 'failed' as const })) };
    const page = calendar(checked, markup).source;
    expect(page).toContain('title="2026-11-09: proven, 1 backup, drill failed, health check failed"');
    expect(textOf(page)).toContain('9 ✓ D× H× 9 Nov: proven, 1 backup, drill failed, health check failed');
    expect(textOf(page)).toContain('H! health check with warnings');
    expect(textOf(html)).not.toContain('health check');
  });

  test('expects nothing before the first backup', () => {
    expect(calendar(seriesOf('new', { backups: [backupPoint()] }), markup).source).toContain(
      'title="2026-10-23: none expected"',
    );
  });
});

describe('What is drawn', () => {
  test('is every proven backup while they are few', () => {
    const backups = [...evenly(5, 5), backupPoint({ verdict: 'unproven', plainBytes: 1 })];
    const { points, words } = trendOf(seriesOf('shop', { backups }), 1);
    expect(points).toHaveLength(5);
    expect(words).toBe('Drawn: all 5 proven backups; percentages are against the first of them.');
  });

  test('is the median of each day when they are many: one outlier an hour long does not show', () => {
    const backups = evenly(480, 20).map((backup, index) => (index === 100 ? { ...backup, seconds: 90_000 } : backup));
    const { points } = trendOf(seriesOf('shop', { backups }), 1);
    expect(points.length).toBeLessThanOrEqual(21);
    expect(points.every(({ seconds }) => seconds === 260)).toBe(true);
  });

  test('is the whole database, where parts of it were backed up too', () => {
    const backups = [...evenly(3, 3), backupPoint({ whole: false, plainBytes: 5 })];
    const { points, words } = trendOf(seriesOf('shop', { backups }), 1);
    expect(points.map(({ plainBytes }) => plainBytes)).not.toContain(5);
    expect(words).toContain('proven backups of the whole database');
    const parts = trendOf(seriesOf('parts', { backups: [backupPoint({ whole: false })] }), 1);
    expect(parts.points).toHaveLength(1);
  });

  test('is said in words, with the numbers in tables', () => {
    const series = yearOf('shop', { drills: ['passed', 'failed', 'partial'] });
    const html = trends(series, PLACE, markup).source;
    const pictures = tagsOf(html).filter(({ name, attributes }) => name === 'svg' && attributes.role === 'img');
    expect(pictures.map(({ attributes }) => attributes['aria-labelledby'])).toEqual([
      's-size-title s-size-words',
      's-time-title s-time-words',
      's-drill-title s-drill-words',
    ]);
    const text = textOf(html);
    expect(text).toMatch(/Plain from 12\.\d GiB to 2\d\.\d GiB, 21\.\d GiB at last\. Stored from 3\.\d GiB/);
    expect(text).toMatch(/3 drills, 1 failed; bringing back took from 7 min \d+ s to 8 min \d+ s/);
    expect(text).toContain('Drills of shop as a table');
    expect(text).toContain('2026-10-12 04:30 failed –');
  });

  test('does without drills, without backups, and with one', () => {
    const none = textOf(trends(seriesOf('shop', { backups: [] }), PLACE, markup).source);
    expect(none).toContain('No proven backup is there to be drawn. No drill has been made.');
    const one = trends(
      seriesOf('shop', { backups: [backupPoint({ plainBytes: 0, storedBytes: 0, seconds: 0 })] }),
      PLACE,
      markup,
    ).source;
    expect(one).not.toMatch(/NaN|Infinity/);
    expect(textOf(one)).toContain('No drill has brought one back yet');
  });

  test('never leaves its picture, whatever clocks say', () => {
    const backups = [backupPoint({ at: new Date('2030-01-01T00:00:00Z') }), backupPoint({ at: new Date(0) })];
    const html = trends(seriesOf('shop', { backups }), PLACE, markup).source;
    for (const [, x, y] of html.matchAll(/cx="([^"]+)" cy="([^"]+)"/g)) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x)).toBeLessThanOrEqual(340);
      expect(Number(y)).toBeLessThanOrEqual(150);
    }
  });
});

describe('Axes', () => {
  const GIB = 1024 ** 3;
  test.each([
    [21.7 * GIB, '30 GiB'],
    [900, '1000 B'],
    [1.2 * GIB, '1.5 GiB'],
    [0, '1 B'],
    [5000 * 1024 ** 5, '10000 PiB'],
  ])('of %d bytes end at %s', (most, label) => {
    const { top, ticks } = bytesScale(most);
    expect(ticks.at(-1)?.label).toBe(label);
    expect(ticks.at(-1)?.value).toBe(top);
    expect(top).toBeGreaterThanOrEqual(most);
  });

  test.each([
    [9, '10 s'],
    [45 * 60, '45 min'],
    [61, '1.5 min'],
    [7 * 3600, '8 h'],
  ])('of %d seconds end at %s', (most, label) => {
    expect(secondsScale(most).ticks.at(-1)?.label).toBe(label);
  });
});
