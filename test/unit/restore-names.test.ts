import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formerName, MAX_NAME_BYTES, referenceName, restoredName } from '../../src/domain/restore-names.ts';

const ID = '20261121_020000_nightly_k3v9qa';
const bytes = (text: string): number => Buffer.byteLength(text);

describe('names of databases that a restore makes', () => {
  test('say which database, what for and which backup', () => {
    expect(restoredName('shop', ID, [])).toBe(`shop_restored_${ID}`);
    expect(formerName('shop', ID, [])).toBe(`shop_before_${ID}`);
    expect(referenceName('shop', ID, [])).toBe(`shop_reference_${ID}`);
  });

  test('lose the label first, then the end of the database name, whose hash stands for it', () => {
    expect(restoredName('a_rather_long_database', '20261121_020000_the.label.of.a.release_k3v9qa', [])).toBe(
      'a_rather_long_database_restored_20261121_020000_k3v9qa',
    );
    expect(restoredName('d'.repeat(40), ID, [])).toMatch(/^d{24}-[0-9a-f]{6}_restored_20261121_020000_k3v9qa$/);
    expect(restoredName(`${'d'.repeat(40)}1`, ID, [])).not.toBe(restoredName(`${'d'.repeat(40)}2`, ID, []));
  });

  test('are cut between characters', () => {
    expect(formerName('ü'.repeat(31), ID, [])).toMatch(/^ü{13}-[0-9a-f]{6}_before_20261121_020000_k3v9qa$/);
    expect(formerName('🐘'.repeat(15), ID, [])).toMatch(/^(🐘){6}-[0-9a-f]{6}_before_/u);
  });

  test('are others than those that are taken', () => {
    const first = restoredName('shop', ID, []);
    const second = restoredName('shop', ID, [first]);
    expect(second).toBe(`${first}_2`);
    expect(restoredName('shop', ID, [first, second])).toBe(`${first}_3`);
  });

  test('take the file name of a foreign dump for an id', () => {
    expect(restoredName('shop', 'shop-2026.sql.gz', [])).toBe('shop_restored_shop-2026.sql.gz');
    expect(restoredName('shop', 'Über den\nWolken.dump', [])).toMatch(/^shop_restored_-ber-den-wolken-[0-9a-f]{6}$/);
  });

  test('fit whatever the database and the dump are called, and are never one that is taken', () => {
    const name = fc.string({ minLength: 1, maxLength: 63, unit: 'grapheme' });
    fc.assert(
      fc.property(name, fc.string({ minLength: 1, maxLength: 100, unit: 'grapheme' }), (database, id) => {
        const taken: string[] = [];
        for (const make of [restoredName, formerName, referenceName, restoredName, formerName]) {
          const made = make(database, id, taken);
          expect(bytes(made)).toBeLessThanOrEqual(MAX_NAME_BYTES);
          expect(made.isWellFormed()).toBe(true);
          expect(taken).not.toContain(made);
          taken.push(made);
        }
      }),
    );
  });
});
