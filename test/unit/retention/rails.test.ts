import { describe, expect, test } from 'vitest';
import { holdToRails, holdToStorageClock } from '../../../src/domain/retention/rails.ts';
import type { RetentionPlan } from '../../../src/domain/retention.ts';
import { planOf, retentionSet } from '../../support/retention-cases.ts';

const PLACE = 's3://acme-backups/postgres';
const decided = (days: readonly number[], label = 'nightly'): RetentionPlan['keep'] =>
  days.map((day) => ({ set: retentionSet({ at: new Date(Date.UTC(2026, 10, day)), label }), reasons: ['so'] }));
const plan = (kept: number, removed: number): RetentionPlan => ({
  keep: decided(Array.from({ length: kept }, (_, day) => 20 - day)),
  remove: decided(Array.from({ length: removed }, (_, day) => 1 + day)),
  fromTheFuture: [],
});

describe('a plan', () => {
  test('that removes no more than is allowed passes', () => {
    expect(() => holdToRails(plan(5, 5), { maxPrunePercent: 50 }, PLACE)).not.toThrow();
    expect(() => holdToRails(plan(1, 9), { maxPrunePercent: 90 }, PLACE)).not.toThrow();
    expect(() => holdToRails(plan(0, 0), { maxPrunePercent: 1 }, PLACE)).not.toThrow();
  });

  test('that removes more stops, and says which number would do', () => {
    expect(() => holdToRails(plan(2, 3), { maxPrunePercent: 50 }, PLACE)).toThrow(
      expect.objectContaining({ code: 'ERR_PRUNE_TOO_MUCH', hint: expect.stringContaining('`max-prune-percent: 60`') }),
    );
    expect(() => holdToRails(plan(2, 1), { maxPrunePercent: 33 }, PLACE)).toThrow(/34 %/);
  });

  test('that would cost the last proven backup stops, whatever is allowed', () => {
    const broken = { ...plan(0, 3), keep: decided([9], 'emergency') };
    expect(() => holdToRails(broken, { maxPrunePercent: 100 }, PLACE)).toThrow(
      expect.objectContaining({ code: 'ERR_PRUNE_LAST_PROVEN' }),
    );
  });

  test('of the planner never meets that rail', () => {
    const made = planOf({
      title: '',
      policy: { rules: { last: 1 } },
      now: '2026-11-21T12:00',
      sets: '2026-11-01..2026-11-21 02:00',
    });
    expect(() => holdToRails(made, { maxPrunePercent: 100 }, PLACE)).not.toThrow();
  });
});

describe('the clock of a runner', () => {
  const written = new Date('2026-11-21T12:00:00Z');

  test.each(['2026-11-19T12:00:00Z', '2026-11-21T12:00:00Z', '2026-11-21T12:59:00Z'])('at %s is good enough', (now) => {
    expect(() => holdToStorageClock(new Date(now), written, PLACE)).not.toThrow();
  });

  test('that is ahead by more than an hour stops the prune', () => {
    expect(() => holdToStorageClock(new Date('2026-11-23T14:00:00Z'), written, PLACE)).toThrow(
      expect.objectContaining({ code: 'ERR_PRUNE_CLOCK', message: expect.stringContaining('2 days 2 h ahead') }),
    );
  });
});
