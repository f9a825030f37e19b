/** What a check is told in small grammars of its own: critical tables, pairs of columns, extensions, lists of objects. */
import { describe, expect, test } from 'vitest';
import { hasConditions, parseCriticalRule } from '../../src/domain/check/critical-rule.ts';
import { isOlderVersion, parseExpectedExtension } from '../../src/domain/check/expected-extension.ts';
import { parseOrphanChoice } from '../../src/domain/check/orphan-pair.ts';
import { compareSchema, formatSchemaList, parseSchemaList } from '../../src/domain/check/schema-list.ts';

describe('small grammars', () => {
  test('critical tables with conditions', () => {
    expect(parseCriticalRule('public.orders rows>=100 newest(created_at)<2h')).toEqual({
      pattern: 'public.orders',
      least: 100,
      newest: { column: 'created_at', seconds: 7200 },
    });
    expect(parseCriticalRule('"My Table"  newest("At")<30min')).toEqual({
      pattern: '"My Table"',
      newest: { column: 'At', seconds: 1800 },
    });
    expect(hasConditions(parseCriticalRule('public.*'))).toBe(false);
    for (const wrong of ['orders rows>10', 'orders newest(x)<2m', 'orders rows>=x'])
      expect(() => parseCriticalRule(wrong), wrong).toThrow(/condition that is none/);
  });

  test('pairs of columns', () => {
    expect(parseOrphanChoice('auto')).toBe('auto');
    expect(parseOrphanChoice('Sales.orders."Customer" -> customers.id')).toEqual({
      child: { schema: 'sales', table: 'orders', column: 'Customer' },
      parent: { table: 'customers', column: 'id' },
    });
    for (const wrong of ['orders -> customers', 'a.b', 'a.b -> c.d -> e.f', 'a.b->"'])
      expect(() => parseOrphanChoice(wrong), wrong).toThrow(/neither auto nor a pair/);
  });

  test('extensions with a least version', () => {
    expect(parseExpectedExtension('postgis >= 3.4')).toEqual({ name: 'postgis', least: '3.4' });
    expect(parseExpectedExtension('uuid-ossp')).toEqual({ name: 'uuid-ossp' });
    expect(parseExpectedExtension('postgis > 3')).toBeUndefined();
    expect([isOlderVersion('3.9', '3.10'), isOlderVersion('3.10', '3.9'), isOlderVersion('1.0', '1.0.0')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('lists of objects', () => {
    const text = formatSchemaList(['table public.b', 'table public.a']);
    expect(parseSchemaList(`\uFEFF${text}\r\n  # mine\n`)).toEqual(['table public.a', 'table public.b']);
    expect(() => parseSchemaList('# nothing\n')).toThrow(/lists no object/);
    expect(() => parseSchemaList('# ours\ntable public.a\n<<<<<<< HEAD\n')).toThrow(
      /Line 3 .* is no object.*<<<<<<< HEAD/,
    );
    expect(() => parseSchemaList('{"checks": []}')).toThrow(/Line 1 .* is no object/);
    expect(compareSchema(['table a', 'table b'], ['table b', 'table c'])).toEqual({
      missing: ['table a'],
      unexpected: ['table c'],
      expected: 2,
    });
  });
});
