import { describe, expect, test } from 'vitest';
import { criticalEntries } from '../../src/domain/restore-order.ts';
import { restorePasses } from '../../src/postgres/restore-args.ts';
import { plan, tocOf } from '../support/entry-plans.ts';

describe('the order', () => {
  test('takes rows, keys and sequences of critical tables first, and nothing twice', () => {
    const { restored } = plan();
    const first = criticalEntries(restored, [{ schema: 'public', name: 'orders' }]);
    expect(first.map(({ dumpId }) => dumpId)).toEqual([51, 52, 61]);
    const passes = restorePasses({ restored, whole: false }, [{ schema: 'public', name: 'orders' }], true);
    expect(passes.map(({ sections, endsCritical }) => [sections.join(), endsCritical])).toEqual([
      ['pre-data', false],
      ['', true],
      ['data,post-data', false],
    ]);
    const rest = passes[2]?.entries?.map(({ dumpId }) => dumpId) ?? [];
    expect(rest.filter((id) => [51, 52, 61].includes(id))).toEqual([]);
    expect(rest.length).toBe(restored.length - 3);
    expect(restorePasses({ restored, whole: true }, [], true)).toEqual([{ sections: [], endsCritical: false }]);
    expect(restorePasses({ restored, whole: false }, [{ schema: 'public', name: 'orders' }], false)).toHaveLength(1);
  });

  test('takes a partitioned table for all its leaves', () => {
    const { entries } = tocOf(
      '1; 1259 1 TABLE public parent o',
      '2; 1259 2 TABLE public middle o > 1',
      '3; 1259 3 TABLE public leaf o > 2',
      '4; 0 0 TABLE ATTACH public middle o > 2 1',
      '5; 0 0 TABLE ATTACH public leaf o > 3 2',
      '6; 0 3 TABLE DATA public leaf o > 3',
    );
    const first = criticalEntries(entries, [{ schema: 'public', name: 'parent' }]);
    expect(first.map(({ dumpId }) => dumpId)).toEqual([6]);
  });
});
