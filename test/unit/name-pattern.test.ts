import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import { parseSchemaPattern, parseTablePattern } from '../../src/domain/name-pattern.ts';
import { displayName } from '../../src/domain/relations.ts';

describe('a table pattern', () => {
  test.each([
    ['orders', undefined, '^(orders)$'],
    ['Orders', undefined, '^(orders)$'],
    ['"Orders"', undefined, '^(Orders)$'],
    ['Public.Or*', '^(public)$', '^(or.*)$'],
    ['*.order?', '^(.*)$', '^(order.)$'],
    ['a."x.y"', '^(a)$', '^(x\\.y)$'],
    ['a.od$d', '^(a)$', '^(od\\$d)$'],
    ['"a$""b"', undefined, '^(a\\$"b)$'],
    ['FOO"BAR"baz', undefined, '^(fooBARbaz)$'],
    ['"*"?', undefined, '^(\\*.)$'],
    ['(v|orders)', undefined, '^((v|orders))$'],
    ['ord[0-9]+', undefined, '^(ord[0-9]+)$'],
    ['ord[]', undefined, '^(ord\\[])$'],
    ['GRÖßE', undefined, '^(grÖße)$'],
  ])('%s becomes the regular expressions of psql', (text, schemaRegex, nameRegex) => {
    const pattern = parseTablePattern(text);
    expect([pattern.schemaRegex, pattern.nameRegex]).toEqual([schemaRegex, nameRegex]);
  });

  test('knows whether it names one thing', () => {
    const literal = ['orders', 'a.orders', '"a*"', 'a."x.y"', 'od$d'];
    const others = ['a*', '?.b', '(a|b)', 'a.[xy]', '*.*'];
    expect(literal.map((text) => parseTablePattern(text).literal)).toEqual(literal.map(() => true));
    expect(others.map((text) => parseTablePattern(text).literal)).toEqual(others.map(() => false));
  });

  test('may name the database in front, literally', () => {
    expect(parseTablePattern('"Sh*p".public.orders')).toMatchObject({ database: 'Sh*p', schemaRegex: '^(public)$' });
  });

  test.each(['a.b.c.d', '', 'public.', '.orders', 'a..b', '"open', 'a\0b'])('%j is refused by name', (text) => {
    expect(() => parseTablePattern(text)).toThrow(BackupError);
    try {
      parseTablePattern(text);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_PATTERN', hint: expect.stringContaining('pg_dump') });
    }
  });

  test('made by displayName matches exactly that name, whatever it holds', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(name, name, fc.string(), (schema, table, other) => {
        const pattern = parseTablePattern(displayName({ schema, name: table }));
        // POSIX and JavaScript agree on what the escapes of a quoted name mean.
        const matches = (regex: string | undefined, text: string): boolean => new RegExp(regex ?? '', 's').test(text);
        return (
          pattern.literal &&
          matches(pattern.schemaRegex, schema) &&
          matches(pattern.nameRegex, table) &&
          matches(pattern.nameRegex, other) === (other === table)
        );
      }),
    );
  });
});

describe('a schema pattern', () => {
  test('has one part', () => {
    expect(parseSchemaPattern('Auth*')).toMatchObject({ nameRegex: '^(auth.*)$', literal: false });
    expect(parseSchemaPattern('"Auth.x"')).toMatchObject({ nameRegex: '^(Auth\\.x)$', literal: true });
    expect(() => parseSchemaPattern('shop.public')).toThrow('has a dot');
  });
});
