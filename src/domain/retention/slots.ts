/** Rules that keep a number of backups: for each of the newest slots the best one in it. */

import { DAY_MS } from '../time.ts';
import { countOf } from '../words.ts';
import type { NameSlot } from './calendar.ts';
import { type KeepRules, SLOT_KINDS, type SlotKind } from './policy.ts';
import type { RetentionSet } from './set.ts';

/** What the rules say of one backup: reasons to keep it and, of the rules that do not, why not. */
export interface Opinion {
  keep: string[];
  remove: string[];
}

export type Opinions = ReadonlyMap<RetentionSet, Opinion>;

const UNITS: Readonly<Record<SlotKind, string>> = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
};

interface Slot {
  name: string;
  /** The best of the proven ones in it. */
  proven?: RetentionSet;
  /** The newest of all in it. */
  newest: RetentionSet;
  sets: RetentionSet[];
}

/** @param sets newest first, all under the same rules */
export function applyRules(sets: readonly RetentionSet[], rules: KeepRules, now: Date, nameSlot: NameSlot): Opinions {
  const opinions = new Map(sets.map((set) => [set, { keep: [], remove: [] } as Opinion]));
  const { last, withinDays } = rules;
  if (last !== undefined) {
    const slots = sets.map((set) => slotOf(set.id, [set]));
    judge(slots, last, opinions, {
      kept: (_, place) => `keep-last: ${place} of ${last}`,
      unproven: () => `keep-last: one of the newest ${last}, though unproven`,
      beyond: last === 1 ? 'not the newest' : `not among the newest ${last}`,
    });
  }
  for (const kind of SLOT_KINDS) {
    const count = rules[kind];
    if (count === undefined) continue;
    const unit = UNITS[kind];
    judge(
      slotsOf(sets, (set) => nameSlot(kind, set.at)),
      count,
      opinions,
      {
        kept: ({ name }, place) => `keep-${kind}: ${name}, ${place} of ${count}`,
        unproven: ({ name }) => `keep-${kind}: ${name}, a ${unit} without a proven one`,
        taken: ({ name }, holder) => `the ${unit} ${name} has ${holder.id}, which is ${worthOf(holder)}`,
        beyond: `older than the newest ${count === 1 ? unit : countOf(count, unit)} with a backup`,
      },
    );
  }
  if (withinDays !== undefined) {
    const words = countOf(withinDays, 'day');
    for (const [{ at }, { keep, remove }] of opinions) {
      if (now.getTime() - at.getTime() <= withinDays * DAY_MS) keep.push(`keep-within-days: not older than ${words}`);
      else remove.push(`older than ${words}`);
    }
  }
  return opinions;
}

interface SlotWords {
  kept(slot: Slot, place: number): string;
  unproven(slot: Slot): string;
  /** Absent where a slot has one set. */
  taken?(slot: Slot, holder: RetentionSet): string;
  beyond: string;
}

/**
 * Keeps the best proven one of each of the newest `count` slots that have one. An unproven one is kept where one of the
 * newest `count` slots of all has nothing better, and takes nobody's place.
 */
function judge(slots: readonly Slot[], count: number, opinions: Opinions, words: SlotWords): void {
  const places = new Map(
    slots
      .filter(({ proven }) => proven !== undefined)
      .slice(0, count)
      .map((slot, index) => [slot, index + 1]),
  );
  for (const [index, slot] of slots.entries()) {
    const place = places.get(slot);
    const stopgap = slot.proven === undefined && index < count ? slot.newest : undefined;
    const holder = place === undefined ? stopgap : slot.proven;
    for (const set of slot.sets) {
      const { keep, remove } = opinions.get(set) as Opinion;
      if (holder === undefined) remove.push(words.beyond);
      else if (set !== holder) remove.push(words.taken?.(slot, holder) ?? words.beyond);
      else keep.push(place === undefined ? words.unproven(slot) : words.kept(slot, place));
    }
  }
}

function slotsOf(sets: readonly RetentionSet[], nameOf: (set: RetentionSet) => string): Slot[] {
  const groups = new Map<string, RetentionSet[]>();
  for (const set of sets) {
    const name = nameOf(set);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [set]);
    else group.push(set);
  }
  return [...groups].map(([name, group]) => slotOf(name, group));
}

/** @param sets newest first, at least one */
function slotOf(name: string, sets: RetentionSet[]): Slot {
  const proven = sets.filter(({ verdict }) => verdict === 'proven').reduce<RetentionSet | undefined>(better, undefined);
  return { name, newest: sets[0] as RetentionSet, sets, ...(proven === undefined ? {} : { proven }) };
}

/** The whole database before a part of it, then what was restored before what was not; of equals the newer. */
function better(best: RetentionSet | undefined, other: RetentionSet): RetentionSet {
  if (best === undefined) return other;
  if (best.whole !== other.whole) return best.whole ? best : other;
  if (best.restored !== other.restored) return best.restored ? best : other;
  return best;
}

function worthOf({ verdict, restored, whole }: RetentionSet): string {
  if (verdict === 'unproven') return 'newer';
  const words = restored ? 'restored' : 'proven';
  return whole ? words : `${words}, in part`;
}
