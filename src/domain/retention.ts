/**
 * Which backups of a series a policy keeps and which it lets go, each with its reasons. Plans alone: nothing is deleted
 * here, and `now` is given. The plan of what is left after a plan was carried out removes nothing more.
 */
import { slotsIn } from './retention/calendar.ts';
import { type KeepRules, keptForEver, type LabelRules, type RetentionPolicy, rulesFor } from './retention/policy.ts';
import type { RetentionSet } from './retention/set.ts';
import { applyRules } from './retention/slots.ts';
import { isSafetyBackup } from './selector.ts';

export type { RetentionSet };

export interface Decision<S extends RetentionSet = RetentionSet> {
  set: S;
  /** At least one; each completes "it is kept, or removed, because: …". */
  reasons: readonly string[];
}

/** Both newest first. */
export interface RetentionPlan<S extends RetentionSet = RetentionSet> {
  keep: readonly Decision<S>[];
  remove: readonly Decision<S>[];
  /** Ids of sets whose time is yet to come; they are kept, and count for nothing. */
  fromTheFuture: readonly string[];
}

/** Clocks of a database server and of a runner differ by less. */
export const CLOCK_TOLERANCE_MS = 60 * 60_000;

/**
 * Plans for the finished sets of one series at one destination, given in any order. Kept whatever the policy says: the
 * newest proven one, the newest proven one of the whole database, the newest that was restored, everything newer than the
 * newest proven one (all of it, when none is proven), what is kept for ever, and what comes from the future.
 */
export function planRetention<S extends RetentionSet>(
  sets: readonly S[],
  policy: RetentionPolicy,
  now: Date,
): RetentionPlan<S> {
  const sorted = sets.toSorted(newestFirst);
  const isOfFuture = ({ at }: S): boolean => at.getTime() - now.getTime() > CLOCK_TOLERANCE_MS;
  const past = sorted.filter((set) => !isOfFuture(set));
  const protect = protections(past);
  const opinions = opinionsOf(past, policy, now);
  const keep: Decision<S>[] = [];
  const remove: Decision<S>[] = [];
  for (const set of sorted) {
    if (isOfFuture(set)) {
      keep.push({ set, reasons: ['its time is yet to come, so a clock is wrong: it counts for nothing'] });
      continue;
    }
    const opinion = opinions.get(set);
    const always = keptForEver(set);
    const reasons = [...protect(set), ...(always === undefined ? [] : [always]), ...(opinion?.keep ?? [])];
    if (reasons.length > 0) keep.push({ set, reasons });
    else remove.push({ set, reasons: opinion?.remove ?? [] });
  }
  return { keep, remove, fromTheFuture: sorted.filter(isOfFuture).map(({ id }) => id) };
}

export function newestFirst(one: RetentionSet, other: RetentionSet): number {
  const apart = other.at.getTime() - one.at.getTime();
  return apart !== 0 ? apart : one.id < other.id ? 1 : one.id > other.id ? -1 : 0;
}

/**
 * Whether a set may stand for "there is a good backup": what a restore saved holds the state that somebody wanted to get
 * away from.
 */
export function isGood(set: RetentionSet): boolean {
  return set.verdict === 'proven' && !isSafetyBackup(set.id);
}

/** @param past newest first */
function protections<S extends RetentionSet>(past: readonly S[]): (set: S) => string[] {
  const good = past.filter(isGood);
  const [newest] = good;
  const newestWhole = good.find(({ whole }) => whole);
  const newestRestored = good.find(({ restored }) => restored);
  return (set) => {
    if (newest === undefined) return ['none here is proven, so nothing is removed'];
    return [
      ...(set === newest ? ['the newest proven one'] : []),
      ...(set === newestWhole && set !== newest ? ['the newest proven one of the whole database'] : []),
      ...(set === newestRestored ? ['the newest that was restored'] : []),
      ...(newestFirst(set, newest) < 0 ? ['newer than the newest proven one'] : []),
    ];
  };
}

/** Of what is not kept for ever; what has rules of its own by its label does not meet the others. */
function opinionsOf<S extends RetentionSet>(past: readonly S[], policy: RetentionPolicy, now: Date) {
  const nameSlot = slotsIn(policy.timeZone);
  const pools = new Map<LabelRules | KeepRules, S[]>();
  for (const set of past) {
    if (keptForEver(set) !== undefined) continue;
    const rules = rulesFor(policy, set.label);
    const pool = pools.get(rules);
    if (pool === undefined) pools.set(rules, [set]);
    else pool.push(set);
  }
  return new Map([...pools].flatMap(([rules, pool]) => [...opinionsOfPool(pool, rules, now, nameSlot)]));
}

function opinionsOfPool(
  pool: readonly RetentionSet[],
  given: LabelRules | KeepRules,
  now: Date,
  nameSlot: ReturnType<typeof slotsIn>,
): ReturnType<typeof applyRules> {
  const always = (words: string) => new Map(pool.map((set) => [set, { keep: [words], remove: [] }]));
  if ('pattern' in given) {
    const { pattern, keep } = given;
    return keep === 'forever' ? always(`label=${pattern} is kept for ever`) : applyRules(pool, keep, now, nameSlot);
  }
  return Object.keys(given).length === 0 ? always('no rule is about it') : applyRules(pool, given, now, nameSlot);
}
