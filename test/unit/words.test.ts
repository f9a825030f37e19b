/** Numbers and lists in words. */
import { describe, expect, test } from 'vitest';
import { countOf, fewOf, listWords, shareOf } from '../../src/domain/words.ts';

describe('numbers in words', () => {
  test('one thing is not "1 things", also as a share', () => {
    expect(countOf(1, 'table')).toBe('1 table');
    expect(countOf(0, 'table')).toBe('0 tables');
    expect(countOf(1234, 'index is', 'indexes are')).toBe('1,234 indexes are');
    expect(shareOf(1, 1, 'entry', 'entries')).toBe('1 of 1 entry');
    expect(shareOf(1, 1234, 'entry', 'entries')).toBe('1 of 1,234 entries');
  });
});

describe('lists that stay short', () => {
  const many = Array.from({ length: 1300 }, (_, index) => String(index));

  test('say how many more there are', () => {
    expect(listWords(['a', 'b'], { most: 2 })).toBe('a, b');
    expect(listWords(['a', 'b', 'c'], { most: 2 })).toBe('a, b and 1 more');
    expect(listWords(many)).toBe('0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1,290 more');
    expect(fewOf(many, 1)).toEqual(['0', 'and 1,299 more']);
    expect(fewOf(many, 1, 'in the log')).toEqual(['0', 'and 1,299 more in the log']);
  });

  test('count what is not named, where examples alone are known', () => {
    expect(listWords(['a', 'b'], { all: 5 })).toBe('a, b and 3 more');
    expect(listWords(['a', 'b'], { all: 2 })).toBe('a, b');
  });
});
