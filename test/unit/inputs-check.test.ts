/** Inputs of `check` that are wrong: each problem shows a line that is right. */
import { describe, expect, test } from 'vitest';
import { readInputs } from '../../src/inputs/read.ts';
import { problems, step, URL } from '../support/inputs.ts';

const GOOD = { command: 'check', 'database-url': URL };
const STORAGE = { storage: 's3://acme-backups/postgres' };

describe('a line that is wrong', () => {
  test.each<[input: string, line: string, problem: string]>([
    [
      'checks',
      'long-query=5m',
      '"long-query=5m" says neither off, warning, failed nor a limit. A right line is `long-query=60` (minutes, without a unit behind it), `long-query=off`, `long-query=warning` or `long-query=failed`.',
    ],
    [
      'checks',
      'long-query=5=10',
      '"long-query=5=10" says neither off, warning, failed nor a limit. A right line is `long-query=60` (minutes, without a unit behind it), `long-query=off`, `long-query=warning` or `long-query=failed`.',
    ],
    ['checks', 'tls=5', '"tls" has no limit. A right line is `tls=off`, `tls=warning` or `tls=failed`.'],
    ['checks', 'load=5', '"load" has no limit. A right line is `load=off`, `load=warning` or `load=failed`.'],
    ['checks', 'tls', '"tls" has no value. A right line is `tls=off`, `tls=warning` or `tls=failed`.'],
    [
      'checks',
      'latency=100',
      'the limit of "latency" has an input of its own: `max-latency-ms`. Write `max-latency-ms: 100` beside `checks`.',
    ],
    [
      'checks',
      'clok=10',
      '"clok=10" names no check. Did you mean `clock`? A right line is `clock=30` (seconds, without a unit behind it), `clock=off`, `clock=warning` or `clock=failed`.',
    ],
    [
      'checks',
      'rows>100',
      '"rows>100" names no check. docs/check.md lists all of them; a right line is `long-query=5` or `primary-keys=off`. What must hold of single tables stands in `critical-tables` and `orphan-checks`.',
    ],
    [
      'critical-tables',
      'orders rows>100',
      '`orders rows>100` has a condition that is none. A right line is `public.orders rows>=100 newest(created_at)<2h`, or one of both, with `min`, `h` or `d`.',
    ],
    [
      'orphan-checks',
      'orders -> customers',
      '"orders -> customers" is neither auto nor a pair. A right line is `orders.customer_id -> customers.id`, with the schema in front where it is not in search_path.',
    ],
  ])('of %s, %s, is told with one that is right', (input, line, problem) => {
    expect(problems({ ...GOOD, [input]: line })).toEqual([`${input}: ${problem}`]);
  });

  test('and every line that is shown as right is one', () => {
    const right = ['long-query=60', 'tls=off', 'load=warning', 'clock=30', 'primary-keys=off', 'long-query=5'];
    const given = {
      checks: right.join('\n'),
      'critical-tables': 'public.orders rows>=100 newest(created_at)<2h',
      'orphan-checks': 'orders.customer_id -> customers.id',
      'max-latency-ms': '100',
    };
    expect(problems({ ...GOOD, ...given })).toEqual([]);
  });
});

describe('`max-row-drop-percent`', () => {
  test('without critical tables would check nothing, and is an error', () => {
    expect(problems({ ...GOOD, ...STORAGE, 'max-row-drop-percent': '20' })).toEqual([
      'max-row-drop-percent: nothing uses it: `critical-tables` is empty. Name the tables there, or remove this.',
    ]);
  });

  test('with critical tables and a storage is the limit', () => {
    const given = { ...GOOD, ...STORAGE, 'critical-tables': 'public.orders', 'max-row-drop-percent': '20' };
    expect(readInputs(step(given))).toMatchObject({ settings: { limits: { 'row-drop': 20 } } });
  });

  test('is told once when the tables themselves are wrong', () => {
    const given = { ...GOOD, ...STORAGE, 'critical-tables': 'orders rows>1', 'max-row-drop-percent': '20' };
    expect(problems(given)).toEqual([expect.stringContaining('critical-tables: ')]);
  });
});
