/** Several simulated years, pruned every day: what is left is what another way of working it out keeps. */
import { describe, expect, test } from 'vitest';
import { planRetention, type RetentionSet } from '../../../src/domain/retention.ts';
import { idOf } from '../../support/prune-bench.ts';
import { type KnownToReference, keptByReference, simulatedYear, YEAR_POLICY } from '../../support/simulated-year.ts';

function known(set: KnownToReference): RetentionSet {
  const { at, label = 'nightly', unproven = false, keepForever = false, restored = false } = set;
  const verdict = unproven ? 'unproven' : 'proven';
  return { id: idOf(set), at: new Date(at), label, verdict, restored, whole: true, keepForever };
}

describe('a year of nightly backups that is pruned every day', () => {
  test.each([1, 2, 3, 4])('leaves what the reference keeps, at each day (year %d)', (seed) => {
    let sets: KnownToReference[] = [];
    let removed = 0;
    for (const day of simulatedYear(new Date('2026-11-21T00:00:00Z'), seed)) {
      sets.push(...day.backups);
      if (day.drill) {
        const target = sets.filter(({ unproven, label }) => unproven !== true && label !== 'emergency').at(-1);
        sets = sets.map((set) => (set === target ? { ...set, restored: true } : set));
      }
      const plan = planRetention(sets.map(known), YEAR_POLICY, day.now);
      const kept = plan.keep.map(({ set }) => set.id).sort();
      expect(kept, day.now.toISOString()).toEqual(keptByReference(sets, day.now));
      sets = sets.filter((set) => kept.includes(idOf(set)));
      removed += plan.remove.length;
    }
    expect(removed).toBeGreaterThan(200);
    expect(sets.length).toBeGreaterThan(40);
  });
});
