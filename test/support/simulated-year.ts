/**
 * A year of nightly backups with failures, missed runs, drills, releases, snapshots before migrations and one restore; and
 * which of them a policy keeps, worked out in another way than the planner does it.
 */
import type { RetentionPolicy } from '../../src/domain/retention/policy.ts';
import type { MadeUpSet } from './prune-bench.ts';
import { idOf } from './prune-bench.ts';

const DAY_MS = 86_400_000;

export interface SimulatedDay {
  /** When the day's prune runs. */
  now: Date;
  backups: readonly MadeUpSet[];
  /** The newest proven backup is brought back by a drill. */
  drill: boolean;
}

/** The policy that teams ask for most, and rules for one label. */
export const YEAR_POLICY: RetentionPolicy = {
  rules: { daily: 14, weekly: 12, monthly: 12 },
  labels: [{ pattern: 'pre-migration', keep: { withinDays: 30 } }],
  timeZone: 'Europe/Berlin',
};

/** Always the same for one `seed`. @param last the last day of the year */
export function simulatedYear(last: Date, seed = 7, days = 365): SimulatedDay[] {
  let state = seed;
  const chance = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  let numberOfSets = 0;
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(last.getTime() - (days - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    const random = (): string => String(++numberOfSets).padStart(6, '0');
    const minute = String(Math.floor(chance() * 60)).padStart(2, '0');
    const backups: MadeUpSet[] = [];
    // A fortnight in which everything fails, and single bad nights.
    const bad = (index >= 200 && index < 214) || chance() < 0.07;
    if (chance() > 0.08) backups.push({ at: `${day}T01:${minute}:00Z`, unproven: bad, random: random() });
    if (chance() < 0.1) backups.push({ at: `${day}T10:${minute}:00Z`, label: 'pre-migration', random: random() });
    if (index % 45 === 20) backups.push({ at: `${day}T11:00:00Z`, label: `release-1.${index}`, random: random() });
    if (index % 90 === 60)
      backups.push({ at: `${day}T12:00:00Z`, label: 'manual', keepForever: true, random: random() });
    if (index === 150) backups.push({ at: `${day}T13:00:00Z`, label: 'emergency', random: random() });
    return { now: new Date(`${day}T15:00:00Z`), backups, drill: index % 30 === 25 };
  });
}

export interface KnownToReference extends MadeUpSet {
  restored?: boolean;
}

/** Ids that {@link YEAR_POLICY} keeps: for every set the question is asked anew, among all others. */
export function keptByReference(sets: readonly KnownToReference[], now: Date): string[] {
  const good = sets.filter(({ unproven, label }) => unproven !== true && label !== 'emergency');
  const newestProven = latest(good);
  const newestRestored = latest(good.filter(({ restored }) => restored === true));
  const isKept = (set: KnownToReference): boolean => {
    const { label = 'nightly', keepForever } = set;
    if (newestProven === undefined || set === newestProven || set === newestRestored) return true;
    if (Date.parse(set.at) > Date.parse(newestProven.at)) return true;
    if (keepForever === true || label === 'emergency' || label.startsWith('release-')) return true;
    if (label === 'pre-migration') return now.getTime() - Date.parse(set.at) <= 30 * DAY_MS;
    const rivals = sets.filter(
      (other) => other.keepForever !== true && (other.label === undefined || other.label === 'manual'),
    );
    return (
      holdsSlot(set, rivals, dayIn, 14) || holdsSlot(set, rivals, weekIn, 12) || holdsSlot(set, rivals, monthIn, 12)
    );
  };
  return sets.filter(isKept).map(idOf).sort();
}

function holdsSlot(
  set: KnownToReference,
  rivals: readonly KnownToReference[],
  slotOf: (at: string) => string,
  count: number,
): boolean {
  const own = slotOf(set.at);
  const beside = rivals.filter((other) => other !== set && slotOf(other.at) === own);
  const newer = rivals.filter((other) => slotOf(other.at) > own);
  if (set.unproven === true) {
    if (beside.some(({ unproven }) => unproven !== true)) return false;
    if (beside.some((other) => other.at > set.at)) return false;
    return new Set(newer.map(({ at }) => slotOf(at))).size < count;
  }
  const beatsUs = (other: KnownToReference): boolean =>
    other.unproven !== true &&
    ((other.restored === true && set.restored !== true) ||
      (other.restored === set.restored && Date.parse(other.at) > Date.parse(set.at)));
  if (beside.some(beatsUs)) return false;
  return new Set(newer.filter(({ unproven }) => unproven !== true).map(({ at }) => slotOf(at))).size < count;
}

function latest(sets: readonly KnownToReference[]): KnownToReference | undefined {
  return sets.reduce<KnownToReference | undefined>(
    (best, set) => (best === undefined || Date.parse(set.at) > Date.parse(best.at) ? set : best),
    undefined,
  );
}

const days = new Map<string, string>();

/** The date on a calendar in Berlin; Sweden writes it as ISO does. */
function dayIn(at: string): string {
  const day = days.get(at) ?? new Date(at).toLocaleDateString('sv-SE', { timeZone: 'Europe/Berlin' });
  days.set(at, day);
  return day;
}

function monthIn(at: string): string {
  return dayIn(at).slice(0, 7);
}

/** Weeks since a Monday in 1970. */
function weekIn(at: string): string {
  const since1970 = Date.parse(`${dayIn(at)}T00:00:00Z`) / DAY_MS;
  return String(Math.floor((since1970 - 4) / 7)).padStart(5, '0');
}
