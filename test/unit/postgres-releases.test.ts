/** What is known of Postgres releases, how a check judges a server by it, and what docs/check.md tells of it. */
import { describe, expect, test } from 'vitest';
import { judgeHealth } from '../../src/domain/check/judge.ts';
import type { HealthResult } from '../../src/domain/check/model.ts';
import { END_OF_LIFE, openHoles, SECURITY_RELEASES, safeMinor } from '../../src/domain/postgres-releases.ts';
import { readDocument, section, tableRows } from '../support/markdown.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');

function judged(code: string, version: string): HealthResult | undefined {
  const server = { seen: { version, major: Number.parseInt(version, 10), isStandby: false } };
  return judgeHealth({ server }, { levels: {}, limits: {} }, NOW).find((each) => each.code === code);
}

describe('releases of Postgres', () => {
  test('holes that a minor release mends, and those that nothing mends any more', () => {
    expect(openHoles('server', 18, 4)).toEqual([]);
    const open = openHoles('server', 17, 9);
    expect(open).toMatchObject([{ cve: 'CVE-2026-6473' }, { cve: 'CVE-2026-6479' }]);
    expect(safeMinor(open)).toBe(10);
    const lasting = openHoles('server', 13, 23);
    expect(safeMinor(lasting)).toBeUndefined();
    expect(lasting.length).toBeGreaterThan(0);
    expect(openHoles('server', 19)).toEqual([]);
  });

  test('a major that ended longer ago keeps what was found since, and no more', () => {
    const cves = openHoles('server', 12, 22).map(({ cve }) => cve);
    expect(cves).toContain('CVE-2025-8713');
    expect(cves).not.toContain('CVE-2024-10979');
  });

  test('a server is judged by the version that it names', () => {
    expect(judged('server-version', '17.9 (Debian 17.9-1.pgdg120+1)')).toMatchObject({
      status: 'warning',
      value: 2,
      action: expect.stringContaining('17.10'),
    });
    expect(judged('server-version', '18.4')).toMatchObject({ status: 'passed' });
    expect(judged('server-version', '18beta1')).toMatchObject({ action: expect.stringContaining('18.4') });
    expect(judged('server-version', '19beta1')).toMatchObject({ status: 'passed' });
    for (const version of ['13.23', '12.22']) {
      expect(judged('server-version', version)).toMatchObject({
        status: 'warning',
        action: expect.stringContaining('upgrade'),
      });
    }
  });

  test('a major near its end, past it, and one that nobody knows', () => {
    const at = (major: number) => judged('end-of-life', `${major}.99`);
    expect(at(13)).toMatchObject({ status: 'warning', seen: expect.stringContaining('no fixes since 2025-11-13') });
    expect(at(15)).toMatchObject({ status: 'passed' });
    expect(at(25)).toMatchObject({ status: 'passed' });
    expect(at(12)).toMatchObject({ status: 'warning', seen: 'Postgres 12 has had no fixes for years' });
    expect(Object.keys(END_OF_LIFE).map(Number)).toEqual([13, 14, 15, 16, 17, 18]);
  });
});

describe('docs/check.md', () => {
  const page = readDocument('docs/check.md');
  const [majors = [], holes = []] = section(page, 'Releases of Postgres')
    .split(/\n\n(?=\| hole )/)
    .map(tableRows);

  test('names for each major the first release without a known hole, and none where there is none', () => {
    expect(majors.map(([major]) => Number(major))).toEqual(Object.keys(END_OF_LIFE).map(Number));
    for (const [major = '', end, safe = ''] of majors) {
      expect(end).toBe(END_OF_LIFE[Number(major)]);
      const known = (minor: number) => openHoles('server', Number(major), minor).length > 0;
      if (safe === 'none: upgrade') {
        expect(known(99), major).toBe(true);
        continue;
      }
      const [, minor = ''] = safe.split('.');
      expect([safe, known(Number(minor) - 1), known(Number(minor))]).toEqual([`${major}.${minor}`, true, false]);
    }
  });

  test('has every hole that a check can name, and sends nobody to the source', () => {
    const known = SECURITY_RELEASES.flatMap(({ server = {} }) => Object.entries(server));
    expect(holes.length).toBe(known.length);
    for (const [cve, allows] of known) expect(page).toContain(`${cve}/) | ${allows} |`);
    expect(page).not.toMatch(/\bsrc\//);
  });
});
