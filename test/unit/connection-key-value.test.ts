import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeyValue } from '../../src/domain/connection/dsn.ts';

const pairs = (text: string) => {
  const read = parseKeyValue(text);
  return read.ok ? Object.fromEntries(read.value.map(({ key, value }) => [key, value])) : read.problems;
};

describe('key=value pairs are read as libpq reads them', () => {
  // Each compared with PQconninfoParse.
  it.each([
    ["host = h  user= 'a\\'b' password='x'dbname=y", { host: 'h', user: "a'b", password: 'x', dbname: 'y' }],
    ['host=h\\ x', { host: 'h x' }],
    ['host=h password=', { host: 'h', password: '' }],
    ["host=h password=''", { host: 'h', password: '' }],
    ['host=a host=b', { host: 'b' }],
    ['host=h\nport=1\tuser=u', { host: 'h', port: '1', user: 'u' }],
    ["password=it's", { password: "it's" }],
    ["password='a\\\\b'", { password: 'a\\b' }],
    ['password=a=b#c?d', { password: 'a=b#c?d' }],
    ['password=x\\', { password: 'x' }],
    ['', {}],
  ])('%j', (text, expected) => {
    expect(pairs(text)).toEqual(expected);
  });

  it.each([
    ["host=h user='ab", 'never closed'],
    ['host', 'neither a URL'],
    ['host=h secret word=c', 'must stand in single quotes'],
  ])('%j is refused without quoting it', (text, words) => {
    const problems = pairs(text);
    expect(problems).toEqual([expect.stringContaining(words)]);
    expect(String(problems)).not.toMatch(/secret|ab/);
  });

  it('gives back every value that was quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const quoted = `'${value.replace(/[\\']/g, '\\$&')}'`;
        expect(pairs(`a=1 password=${quoted} b=2`)).toEqual({ a: '1', password: value, b: '2' });
      }),
    );
  });
});
