import { describe, expect, test } from 'vitest';
import {
  isGivenUp,
  isNameOfOurs,
  type ListedObject,
  oldRecords,
  takeStock,
} from '../../../src/domain/retention/inventory.ts';

const ID = '20261121_020000_nightly_k3v9qa';
const NOW = new Date('2026-11-23T12:00:00Z');

function objects(...keys: string[]): ListedObject[] {
  return keys.map((key) => ({ key, sizeBytes: 1, modifiedAt: new Date('2026-11-21T02:10:00Z') }));
}

describe('the stock of a series', () => {
  test('tells finished sets, unfinished ones, records and foreign objects apart by their keys', () => {
    const listed = objects(
      `shop/${ID}/database.backup.age`,
      `shop/${ID}/metadata.json`,
      `shop/${ID.replace('21_', '22_')}/database.backup`,
      `shop/_drills/${ID}/20261201_040000_x7m2pq.json`,
      'shop/_audit/20261121_031500_k3v9qa.started.json',
      'shop/_checks/20261121_031500_k3v9qa.json',
    );
    const stock = takeStock(listed, 'shop');
    expect(stock.finished.map(({ id, objects: within }) => [id, [...within.keys()]])).toEqual([
      [ID, ['database.backup.age', 'metadata.json']],
    ]);
    expect(stock.unfinished.map(({ id }) => id)).toEqual([ID.replace('21_', '22_')]);
    expect([...stock.drills]).toMatchObject([[ID, [{ at: new Date('2026-12-01T04:00:00Z') }]]]);
    expect(stock.audits).toMatchObject([{ at: new Date('2026-11-21T03:15:00Z') }]);
    expect(stock.checks).toMatchObject([{ at: new Date('2026-11-21T03:15:00Z') }]);
    expect(stock.unknown).toEqual([]);
  });

  test.each([
    'shop/notes.txt',
    `shop/${ID}`,
    `shop/${ID.toUpperCase()}/metadata.json`,
    'shop/20261399_020000_nightly_k3v9qa/metadata.json',
    `shop/x/${ID}/metadata.json`,
    `shop/_drills/${ID}/notes.json`,
    `shop/_drills/${ID}/20269999_040000_x7m2pq.json`,
    `shop/_drills/${ID}/more/20261201_040000_x7m2pq.json`,
    'shop/_drills/20261201_040000_x7m2pq.json',
    'shop/_audit/mine.json',
    'shop/_checks/mine.json',
    `shop-eu/${ID}/metadata.json`,
    `${ID}/metadata.json`,
    'shop//metadata.json',
    'shop/../prod/metadata.json',
  ])('does not take %s for its own', (key) => {
    const stock = takeStock(objects(key), 'shop');
    expect(stock).toMatchObject({ finished: [], unfinished: [], audits: [], checks: [], unknown: [key] });
    expect(stock.drills.size).toBe(0);
  });

  test.each([
    'database.backup',
    'database.backup.age',
    'globals.sql.age',
    'contents.json',
    'RESTORE.md',
    'metadata.json',
  ])('%s in the folder of a set is a name of ours', (name) => expect(isNameOfOurs(name)).toBe(true));

  test.each([
    'notes.txt',
    'metadata.json.age',
    'RESTORE.md.age',
    'database.backup.bak',
    'x/metadata.json',
    '../metadata.json',
    '',
  ])('"%s" is not', (name) => expect(isNameOfOurs(name)).toBe(false));

  test('gives up what is older than a day by its id and by its newest object of ours', () => {
    const [folder] = takeStock(objects(`shop/${ID}/database.backup`), 'shop').unfinished;
    if (folder === undefined) throw new Error('no folder');
    expect(isGivenUp(folder, NOW)).toBe(true);
    expect(isGivenUp(folder, new Date('2026-11-22T02:09:59Z'))).toBe(false);
    const written = { key: '', sizeBytes: 1, modifiedAt: new Date('2026-11-23T11:00:00Z') };
    expect(isGivenUp({ ...folder, objects: new Map([['globals.sql', written]]) }, NOW)).toBe(false);
    expect(isGivenUp({ ...folder, at: new Date('2026-11-23T02:00:00Z') }, NOW)).toBe(false);
  });

  test('lets records of two years go, those of drills when the set is gone', () => {
    const drill = `shop/_drills/${ID}/20261201_040000_x7m2pq.json`;
    const audit = 'shop/_audit/20261201_031500_k3v9qa.finished.json';
    const check = 'shop/_checks/20261201_031500_k3v9qa.json';
    const gone = takeStock(objects(drill, audit, check), 'shop');
    const [before, after] = [new Date('2028-11-30T00:00:00Z'), new Date('2028-12-01T12:00:00Z')];
    expect(oldRecords(gone, before)).toEqual([]);
    expect(oldRecords(gone, after)).toEqual([drill, audit, check]);
    const there = takeStock(objects(drill, audit, check, `shop/${ID}/metadata.json`), 'shop');
    expect(oldRecords(there, after)).toEqual([audit, check]);
  });
});
