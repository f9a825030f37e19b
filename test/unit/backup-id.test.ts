import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBackupId,
  isSeriesName,
  normalizeLabel,
  parseBackupId,
  randomSuffix,
  seriesNameFrom,
} from '../../src/domain/backup-id.ts';
import { objectKey, seriesPrefix, setPrefix } from '../../src/domain/set-layout.ts';

describe('the id of a backup', () => {
  test('says when, what for, and which of several in one second', () => {
    const at = new Date('2026-11-21T02:03:04.999Z');
    const id = formatBackupId(at, 'nightly', 'k3v9qa');
    expect(id).toBe('20261121_020304_nightly_k3v9qa');
    expect(parseBackupId(id)).toEqual({
      id,
      at: new Date('2026-11-21T02:03:04Z'),
      label: 'nightly',
      random: 'k3v9qa',
    });
  });

  test('is taken apart again whatever the label holds, also underscores', () => {
    const character = fc.constantFrom(...'abcxyz019._-');
    const label = fc
      .tuple(fc.constantFrom(...'abz09'), fc.string({ unit: character, maxLength: 39 }))
      .map((parts) => parts.join(''));
    const at = fc.date({ min: new Date('2000-01-01T00:00:00Z'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(at, label, fc.uint8Array({ minLength: 6, maxLength: 6 }), (date, text, bytes) => {
        const random = randomSuffix(bytes);
        const parsed = parseBackupId(formatBackupId(date, text, random));
        expect(parsed).toMatchObject({ label: text, random });
        expect(parsed?.at.getTime()).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });

  test('sorts by time as a text', () => {
    const times = ['2026-01-31T23:59:59Z', '2026-02-01T00:00:00Z', '2027-01-01T00:00:00Z'];
    const ids = times.map((time) => formatBackupId(new Date(time), 'z', '000000'));
    expect([...ids].sort()).toEqual(ids);
  });

  test.each([
    ['a month that is none', '20261321_020000_nightly_k3v9qa'],
    ['30 February', '20260230_020000_nightly_k3v9qa'],
    ['29 February of a common year', '20270229_020000_nightly_k3v9qa'],
    ['hour 24', '20261121_240000_nightly_k3v9qa'],
    ['second 60', '20261121_020060_nightly_k3v9qa'],
    ['upper case', '20261121_020000_Nightly_k3v9qa'],
    ['a letter that base32 lacks', '20261121_020000_nightly_k3v9qu'],
    ['five random characters', '20261121_020000_nightly_k3v9q'],
    ['no label', '20261121_020000__k3v9qa'],
    ['a label that begins with a dot', '20261121_020000_.x_k3v9qa'],
    ['a label of 41 characters', `20261121_020000_${'a'.repeat(41)}_k3v9qa`],
    ['a slash', '20261121_020000_a/b_k3v9qa'],
    ['a line break behind it', '20261121_020000_nightly_k3v9qa\n'],
    ['something in front', 'x20261121_020000_nightly_k3v9qa'],
    ['another tool', 'backup-2026-11-21.dump'],
    ['a folder of ours', '_drills'],
    ['nothing', ''],
  ])('is not seen in %s', (_what, text) => {
    expect(parseBackupId(text)).toBeUndefined();
  });

  test('is a mistake of the caller when its parts do not fit', () => {
    const at = new Date('2026-11-21T02:00:00Z');
    expect(() => formatBackupId(at, 'Nightly', 'k3v9qa')).toThrow(RangeError);
    expect(() => formatBackupId(at, 'nightly', 'k3')).toThrow(RangeError);
    expect(() => formatBackupId(new Date('+010000-01-01T00:00:00Z'), 'nightly', 'k3v9qa')).toThrow(RangeError);
    expect(() => randomSuffix(new Uint8Array(5))).toThrow(RangeError);
  });

  test('uses every character of its alphabet, each for the same share of bytes', () => {
    const seen = Array.from({ length: 256 }, (_, byte) => randomSuffix(new Uint8Array(6).fill(byte))[0]);
    expect(new Set(seen).size).toBe(32);
    expect(seen.filter((character) => character === 'z')).toHaveLength(8);
  });
});

describe('a label', () => {
  test('may hold letters of either case, digits, dot, underscore and hyphen; letters are lowered', () => {
    expect(normalizeLabel('Release-2.4.0_RC1')).toBe('release-2.4.0_rc1');
    expect(normalizeLabel('a'.repeat(40))).toBe('a'.repeat(40));
  });

  test.each(['', '.x', '_x', '-x', 'a b', 'a/b', 'ä', 'a\n', '\u212A', 'a'.repeat(41)])('is not %j', (text) => {
    expect(() => normalizeLabel(text)).toThrow(expect.objectContaining({ code: 'ERR_INPUT' }));
  });
});

describe('the series of a database', () => {
  test('has its name where that is legal', () => {
    for (const name of ['shop', 'shop_2', '0', 'a.b-c', 'x'.repeat(63)]) expect(seriesNameFrom(name)).toBe(name);
  });

  test('has a readable name with a hash where it is not, and always the same', () => {
    expect(seriesNameFrom('Shop')).toMatch(/^shop-[0-9a-f]{8}$/);
    expect(seriesNameFrom('Shop')).toBe(seriesNameFrom('Shop'));
    expect(seriesNameFrom('My Shop (new)')).toMatch(/^my-shop-new-[0-9a-f]{8}$/);
    expect(seriesNameFrom('東京')).toMatch(/^db-[0-9a-f]{8}$/);
    expect(seriesNameFrom('../../etc')).toMatch(/^etc-[0-9a-f]{8}$/);
  });

  test('is legal for every name, and another one for another database', () => {
    const names = [
      'Shop',
      'shop',
      'SHOP',
      'shop ',
      ' shop',
      '_shop',
      'shop-',
      'shop!',
      'shop?',
      'x'.repeat(64),
      'X'.repeat(64),
    ];
    expect(new Set(names.map(seriesNameFrom)).size).toBe(names.length);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
        expect(isSeriesName(seriesNameFrom(name))).toBe(true);
      }),
    );
  });
});

test('keys are relative to the root of the destination', () => {
  expect(seriesPrefix('shop')).toBe('shop/');
  expect(setPrefix('shop', 'ID')).toBe('shop/ID/');
  expect(objectKey('shop', 'ID', 'metadata.json')).toBe('shop/ID/metadata.json');
});
