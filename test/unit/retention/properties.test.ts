/** What holds for every series and every policy, however strange. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeepRules, type RetentionPolicy, SLOT_KINDS } from '../../../src/domain/retention/policy.ts';
import { isGood, planRetention, type RetentionPlan, type RetentionSet } from '../../../src/domain/retention.ts';
import { retentionSet } from '../../support/retention-cases.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const HOUR_MS = 3_600_000;
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Kiritimati', 'Asia/Kathmandu'];

/** Close together, months apart, and some from the future. */
const hoursAgo = fc.oneof(fc.integer({ min: -72, max: 60 }), fc.integer({ min: 0, max: 24 * 900 }));

const anySet = fc.record({
  hours: hoursAgo,
  label: fc.constantFrom('nightly', 'nightly', 'nightly', 'manual', 'pre-migration', 'release-1.0', 'emergency'),
  verdict: fc.constantFrom('proven', 'proven', 'unproven'),
  restored: fc.boolean(),
  whole: fc.constantFrom(true, true, false),
  keepForever: fc.constantFrom(false, false, false, false, true),
} as const);
type Drawn = typeof anySet extends fc.Arbitrary<infer T> ? T : never;

const anySeries = fc.array(anySet, { maxLength: 40 }).map((drawn) => drawn.map(made));
const number = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
const anyRules: fc.Arbitrary<KeepRules> = fc
  .record({ last: number, withinDays: number, ...Object.fromEntries(SLOT_KINDS.map((kind) => [kind, number])) })
  .map((rules) => Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined)));
const anyPolicy: fc.Arbitrary<RetentionPolicy> = fc.record({
  rules: anyRules,
  labels: fc.array(
    fc.record({
      pattern: fc.constantFrom('pre-migration', 'pre-*', 'm*', '*'),
      keep: fc.oneof(
        fc.constant('forever' as const),
        anyRules.filter((rules) => Object.keys(rules).length > 0),
      ),
    }),
    { maxLength: 2 },
  ),
  timeZone: fc.constantFrom(...ZONES),
});

function made({ hours, ...facts }: Drawn, place: number): RetentionSet {
  return retentionSet({ at: new Date(NOW.getTime() - hours * HOUR_MS), ...facts }, place);
}

function ids(decisions: RetentionPlan['keep']): string[] {
  return decisions.map(({ set }) => set.id);
}

function plan(sets: readonly RetentionSet[], policy: RetentionPolicy, now = NOW): RetentionPlan {
  return planRetention(sets, policy, now);
}

/** Kept sets, as they were given. */
function left(sets: readonly RetentionSet[], policy: RetentionPolicy): RetentionSet[] {
  const kept = new Set(ids(plan(sets, policy).keep));
  return sets.filter(({ id }) => kept.has(id));
}

const past = (sets: readonly RetentionSet[]) => sets.filter(({ at }) => at <= NOW);

function newest(sets: readonly RetentionSet[]): RetentionSet | undefined {
  return [...sets].sort((one, other) => other.at.getTime() - one.at.getTime() || (one.id < other.id ? 1 : -1))[0];
}

function holds(property: (sets: RetentionSet[], policy: RetentionPolicy) => void): void {
  fc.assert(fc.property(anySeries, anyPolicy, property), { numRuns: 500 });
}

describe('a plan', () => {
  test('decides about every set once, with a reason', () => {
    holds((sets, policy) => {
      const { keep, remove } = plan(sets, policy);
      expect([...ids(keep), ...ids(remove)].sort()).toEqual(sets.map(({ id }) => id).sort());
      for (const { reasons } of [...keep, ...remove]) expect(reasons.filter((words) => words !== '')).not.toEqual([]);
    });
  });

  test('never removes the last proven one, nor the last that was restored', () => {
    holds((sets, policy) => {
      const kept = left(sets, policy);
      for (const is of [
        isGood,
        (set: RetentionSet) => isGood(set) && set.restored,
        (set: RetentionSet) => isGood(set) && set.whole,
      ]) {
        const last = newest(past(sets).filter(is));
        if (last !== undefined) expect(kept).toContain(last);
      }
    });
  });

  test('never removes anything that is younger than the newest proven one', () => {
    holds((sets, policy) => {
      const last = newest(past(sets).filter(isGood));
      for (const { set } of plan(sets, policy).remove) {
        expect(last).toBeDefined();
        expect(set.at.getTime()).toBeLessThanOrEqual((last as RetentionSet).at.getTime());
      }
    });
  });

  test('never removes what is kept for ever, a release, what a restore saved, or what comes from the future', () => {
    holds((sets, policy) => {
      for (const { set } of plan(sets, policy).remove) {
        expect(set.keepForever).toBe(false);
        expect(['release-1.0', 'emergency']).not.toContain(set.label);
        expect(set.at.getTime()).toBeLessThanOrEqual(NOW.getTime() + HOUR_MS);
      }
    });
  });

  test('removes nothing more from what it left', () => {
    holds((sets, policy) => {
      expect(ids(plan(left(sets, policy), policy).remove)).toEqual([]);
    });
  });

  test('is the same when it was carried out in part only, and then again', () => {
    fc.assert(
      fc.property(anySeries, anyPolicy, fc.func(fc.boolean()), (sets, policy, isDone) => {
        const gone = new Set(ids(plan(sets, policy).remove).filter((id) => isDone(id)));
        const rest = sets.filter(({ id }) => !gone.has(id));
        expect(left(rest, policy)).toEqual(left(sets, policy));
      }),
      { numRuns: 300 },
    );
  });

  test('does not resurrect anything when a backup is added, whatever it is', () => {
    fc.assert(
      fc.property(anySeries, anySet, anyPolicy, (sets, drawn, policy) => {
        const added = made(drawn, 999);
        const kept = ids(plan([...sets, added], policy).keep);
        for (const id of ids(plan(sets, policy).remove)) expect(kept).not.toContain(id);
      }),
      { numRuns: 500 },
    );
  });

  test('does not lose a proven one when an unproven one is added', () => {
    fc.assert(
      fc.property(anySeries, anySet, anyPolicy, (sets, drawn, policy) => {
        const added = made({ ...drawn, verdict: 'unproven' }, 999);
        const proven = (decisions: RetentionPlan['keep']) =>
          ids(decisions.filter(({ set }) => set.verdict === 'proven'));
        expect(proven(plan([...sets, added], policy).keep)).toEqual(proven(plan(sets, policy).keep));
      }),
      { numRuns: 500 },
    );
  });

  test('does not depend on the order in which sets are given', () => {
    fc.assert(
      fc.property(
        anySeries.chain((sets) => fc.tuple(fc.constant(sets), fc.shuffledSubarray(sets, { minLength: sets.length }))),
        anyPolicy,
        ([sets, shuffled], policy) => {
          expect(plan(shuffled, policy)).toEqual(plan(sets, policy));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('keeps no fewer when a rule keeps more', () => {
    fc.assert(
      fc.property(anySeries, anyPolicy, fc.constantFrom('last', 'withinDays', ...SLOT_KINDS), (sets, policy, rule) => {
        const more = { ...policy, rules: { ...policy.rules, [rule]: (policy.rules[rule] ?? 0) + 1 } };
        // Without any rule everything is kept.
        fc.pre(Object.keys(policy.rules).length > 0);
        const kept = new Set(ids(plan(sets, more).keep));
        for (const id of ids(plan(sets, policy).keep)) expect(kept).toContain(id);
      }),
      { numRuns: 300 },
    );
  });
});
