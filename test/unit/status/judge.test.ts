/** What a status concludes of storages of several series and destinations, and what it must not conclude. */
import { describe, expect, test } from 'vitest';
import { parseDestination } from '../../../src/domain/destination.ts';
import { seriesIn } from '../../../src/domain/status/listing.ts';
import { ownerOf } from '../../../src/domain/status/owners.ts';
import { backup, drill, judge, NOW, nightly, part, place, second, told } from '../../support/status-facts.ts';

const unseen = {
  location: '/second',
  owner: { provider: 'another' },
  error: 'List failed',
  hint: 'Look at it.',
};

describe('Several series', () => {
  const shop = part(nightly(5));

  test('each have findings of their own, the worst first, and the level of the worst', () => {
    const report = judge(shop, {
      destinations: [place([shop, part([backup(40)], { name: 'crm', drills: [drill(24)] })])],
    });
    expect(report.series.map(({ name, level }) => [name, level])).toEqual([
      ['crm', 'critical'],
      ['shop', 'info'],
    ]);
    expect(report.level).toBe('critical');
    expect(report.findings[0]).toMatchObject({ code: 'backup-too-old', series: 'crm' });
  });

  test('whose only backup cannot be judged, or seems to come from the future, are not told that there is none', () => {
    const unreadable = [{ id: 'x', uri: '/first/shop/x', why: 'newer', isNewer: true }];
    for (const only of [part([], { unreadable }), part([backup(-48)])]) {
      const [finding] = judge(only).findings;
      expect(finding).toMatchObject({ code: 'nothing-proven', level: 'critical' });
      expect(finding?.seen).toBe(
        'No backup of shop is known to be proven, of 0 that are finished and 1 that cannot be judged',
      );
      expect(finding?.action).toContain('the backups may be whole');
    }
  });

  test('are critical when one that is expected has nothing at all', () => {
    const report = judge(shop, { expectedNames: ['shop', 'billing'] });
    expect(told(report)).toEqual(['critical series-missing']);
    expect(report.findings[0]?.seen).toBe('There is no backup of billing at all in /first');
  });

  test('do not count one of safety backups alone', () => {
    const saved = part([backup(900, { label: 'emergency' })], { name: 'shop-emergency', drills: [] });
    expect(judge(shop, { destinations: [place([shop, saved])] }).series.map(({ name }) => name)).toEqual(['shop']);
  });

  test('that are none at all are critical, and say where nothing is', () => {
    const report = judge(shop, { destinations: [place([]), second([])] });
    expect(told(report)).toContain('critical nothing-there');
    expect(report.findings[0]?.seen).toBe('There is no backup at all in /first and in /second');
    const one = judge(shop, { destinations: [place([]), unseen] });
    expect(one.findings.map(({ seen }) => seen)).toContain('There is no backup at all in /first');
  });
});

describe('Several destinations', () => {
  const sets = nightly(5);

  test('that agree say nothing, and know a drill whose record one of them has', () => {
    const report = judge(sets, {
      destinations: [place([part(sets, { drills: [] })]), second([part(sets, { drills: [drill(24)] })])],
    });
    expect(told(report)).toEqual([]);
    expect(report.series[0]?.newestProven?.locations).toEqual(['/first', '/second']);
  });

  test('of which the second is behind are a warning until it has the newest again', () => {
    const behind = (own: typeof sets) => judge(sets, { destinations: [place([part(sets)]), second([part(own)])] });
    const report = behind(sets.slice(2));
    expect(told(report)).toEqual(['warning copy-behind']);
    expect(report.findings[0]?.seen).toContain('/second lacks the newest 2 proven backups of shop');
    expect(behind([]).findings[0]?.seen).toContain('no proven one at all');
    expect(told(behind(sets))).toEqual([]);
    expect(told(behind([sets[0] as (typeof sets)[0], ...sets.slice(2)]), 'info')).toContain('info copy-missing');
  });

  test('of which one holds a damaged copy name the other, and when none is whole that is critical', () => {
    const [newest, ...older] = sets;
    const bad = { ...(newest as (typeof sets)[0]), damaged: ['database.backup.age'] };
    const one = judge(sets, { destinations: [place([part([bad, ...older])]), second([part(sets)])] });
    expect(told(one)).toEqual(['warning copy-damaged']);
    expect(one.findings[0]?.action).toContain('Copy it again from /second');
    expect(one.series[0]?.newestProven).toMatchObject({ id: bad.facts.id, locations: ['/second'] });
    const none = judge(sets, { destinations: [place([part([bad, ...older])]), second([part([bad, ...older])])] });
    expect(told(none)).toContain('critical copy-damaged');
    expect(none.series[0]?.newestProven?.id).toBe(older[0]?.facts.id);
  });

  test('of which one cannot be listed: critical, and nothing is concluded about it', () => {
    const report = judge(sets, { destinations: [place([part(sets)]), unseen] });
    expect(told(report)).toEqual(['critical destination-unreadable']);
    expect(report.destinations[1]).toEqual({ location: '/second', error: 'List failed' });
    expect(report.series[0]?.newestProven?.locations).toEqual(['/first']);
  });

  test.each([
    [
      ['s3://a-a/x?region=eu-central-1', 's3://b-b/x?region=eu-central-1'],
      'one account of Amazon in the region eu-central-1',
    ],
    [['s3://a-a/x?region=eu-central-1', 's3://b-b/x?region=us-east-1'], 'one account of Amazon:'],
    [
      ['s3://a-a/x?region=us-east-1', 's3://b-b/x?region=us-east-1&credentials=OTHER'],
      'Amazon in the region us-east-1:',
    ],
    [['s3://a-a/x', 's3://b-b/x?endpoint=https://b2.example.com'], undefined],
    [['/one', '/two'], 'this machine:'],
  ])('that share what they depend on say so: %j', (lines, words) => {
    const destinations = lines.map((line, index) =>
      place([part(sets)], { location: `/${index}`, owner: ownerOf(parseDestination(line)) }),
    );
    const finding = judge(sets, { destinations }).findings.find(({ code }) => code === 'copies-share');
    if (words === undefined) expect(finding).toBeUndefined();
    else expect(`${finding?.seen}`).toContain(words);
  });
});

describe('What does not belong there', () => {
  test('is told, and counts for nothing', () => {
    const own = part(nightly(5), {
      unreadable: [{ id: 'x', uri: '/first/shop/x', why: 'it is not JSON', isNewer: false }],
      doubtfulDrills: ['/first/shop/_drills/x.json does not count'],
      unknown: ['shop/notes.txt', 'shop/\u001b[31mred'],
    });
    const report = judge(own, { destinations: [place([own], { stray: ['README'] })] });
    expect(told(report, 'info').sort()).toEqual([
      'info drill-record',
      'info unknown-objects',
      'info unknown-objects',
      'warning drill-record-unreadable',
      'warning manifest-unreadable',
    ]);
    expect(JSON.stringify(report.findings)).not.toContain('\u001b');
  });

  test('from the future counts for nothing, from an hour on', () => {
    expect(told(judge([backup(-1), ...nightly(5)]))).toEqual([]);
    const report = judge([backup(-1.01), ...nightly(5, 30)]);
    expect(told(report)).toEqual(['critical backup-too-old', 'warning from-the-future']);
  });

  test('is found beside series of similar names', () => {
    const modifiedAt = NOW;
    const id = backup(1).facts.id;
    const keys = [
      `prod/${id}/metadata.json`,
      `prod-eu/${id}/x`,
      'prod/notes',
      'notes',
      'Prod/x/y',
      '_audit/20260102_040000_aaaaaa.started.json',
      'empty/x',
      'empty/_checks/mine.json',
      'staging/_checks/20261121_031500_k3v9qa.json',
    ];
    const { series, stray } = seriesIn(keys.map((key) => ({ key, sizeBytes: 1, modifiedAt })));
    expect([...series].map(([name, objects]) => [name, objects.length])).toEqual([
      ['prod', 2],
      ['prod-eu', 1],
      ['staging', 1],
    ]);
    expect(stray).toEqual(['notes', 'Prod/x/y', 'empty/x', 'empty/_checks/mine.json']);
  });
});

describe('Keys', () => {
  const old = backup(100, { recipients: ['age1old'] });
  const sets = (...newer: string[]) => [backup(10, { recipients: newer }), old];
  const told1 = (newer: string[], of: string) =>
    told(judge(part(sets(...newer), { drills: [drill(24, 'passed', { of })] })));

  test('that no drill has opened are a warning, unless the backup has another key that one has', () => {
    expect(told1(['age1new'], old.facts.id)).toEqual(['warning key-never-drilled']);
    expect(told1(['age1new', 'age1old'], old.facts.id)).toEqual([]);
    expect(told1(['age1new'], backup(10).facts.id)).toEqual(['warning key-never-drilled']);
  });
});

describe('The last 30 days', () => {
  test('tell proven, unproven, missed and unexpected days apart, and what drills said', () => {
    const sets = nightly(12).filter((_, index) => index !== 3 && index !== 4);
    sets.push(backup(10 + 24 * 4, { verdict: 'unproven' }));
    const [only] = judge(part(sets, { drills: [drill(30, 'failed'), drill(26, 'passed')] })).series;
    expect(only?.days).toHaveLength(30);
    expect(only?.days.map(({ state }) => state[0]).join('')).toBe(`${'n'.repeat(18)}pppppppumppp`);
    expect(only?.days.at(-1)).toEqual({ day: '2026-11-21', state: 'proven', backups: 1 });
    expect(only?.days.at(-2)?.drill).toBe('passed');
    expect(only?.cadenceHours).toBe(24);
  });

  test('do not take what was pruned for missed', () => {
    const weekly = [17, 24, 31].map((days) => backup(days * 24 + 10));
    const [only] = judge([...nightly(10), ...weekly]).series;
    expect(only?.days.map(({ state }) => state)).not.toContain('missed');
  });
});

describe('What is read again', () => {
  test('is critical where it is damaged, and names the good copy; what was not read is no proof', () => {
    const damage = { series: 'shop', id: 'x', object: 'database.backup.age', location: '/first', how: 'other bytes' };
    const verified = {
      sets: 3,
      bytes: 5,
      damage: [{ ...damage, goodIn: ['/second'] }],
      unread: ['/first/y could not'],
      unknown: 0,
    };
    const report = judge(nightly(5), { verified });
    expect(told(report)).toEqual(['critical stored-damaged', 'warning stored-unverified']);
    expect(report.findings[0]?.seen).toContain('A good copy is in /second');
    expect(report.series[0]?.level).toBe('critical');
    expect(report.verified).toEqual({ sets: 3, bytes: 5, damaged: ['x'] });
  });

  test('says of how many copies nobody knows when they were read, which is no warning', () => {
    const verified = { sets: 0, bytes: 0, damage: [], unread: [], unknown: 2 };
    const report = judge(nightly(5), { verified });
    expect(report.level).toBe('info');
    const finding = report.findings.find(({ code }) => code === 'stored-reading-unknown');
    expect(finding?.seen).toContain('The last reading of 2 copies of sets is not known');
    expect(finding?.action).toContain('run it daily');
  });
});
