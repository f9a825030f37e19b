/** Numbers in words. */
import { describe, expect, test } from 'vitest';
import { countOf, shareOf } from '../../src/domain/words.ts';

describe('numbers in words', () => {
  test('one thing is not "1 things", also as a share', () => {
    expect(countOf(1, 'table')).toBe('1 table');
    expect(countOf(0, 'table')).toBe('0 tables');
    expect(countOf(1234, 'index is', 'indexes are')).toBe('1,234 indexes are');
    expect(shareOf(1, 1, 'entry', 'entries')).toBe('1 of 1 entry');
    expect(shareOf(1, 1234, 'entry', 'entries')).toBe('1 of 1,234 entries');
  });
});
