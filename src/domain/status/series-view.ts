/** One series as all destinations that answered hold it together: what its rules look at. */
import type { CheckOutcome } from '../check/outcome.ts';
import { type DrillOutcome, restoredBackups, trendPoint } from '../drill-record.ts';
import { CLOCK_TOLERANCE_MS, isGood, newestFirst } from '../retention.ts';
import { isSafetyBackup } from '../selector.ts';
import type { SetFacts } from '../set-facts.ts';
import { checksOf } from './check-records.ts';
import type { DestinationFacts, SeenDestination, SeriesFacts, StatusLimits, UnfinishedSet } from './facts.ts';
import { isSeen } from './facts.ts';
import type { BackupPoint, DrillPoint } from './model.ts';

export interface SeriesView {
  name: string;
  now: Date;
  limits: StatusLimits;
  /** That answered, each with its part of the series; an empty part where it has none. */
  places: readonly { destination: SeenDestination; part: SeriesFacts }[];
  /** Oldest first; without those from the future. */
  backups: readonly BackupPoint[];
  /** Their manifests, of the first destination that holds each whole. */
  facts: ReadonlyMap<string, SetFacts>;
  /** Newest first: proven, and not what a restore saved beforehand. */
  good: readonly BackupPoint[];
  /** Oldest first; each drill once, wherever its record lies. */
  drills: readonly DrillPoint[];
  /** Health checks of the last 30 days, oldest first. */
  checks: readonly CheckOutcome[];
  /** Newest first. */
  unfinished: readonly UnfinishedSet[];
  /** Ids of sets whose time is yet to come. */
  fromTheFuture: readonly string[];
}

/** Without those that hold nothing but what restores saved beforehand, unless they are expected. */
export function namesOf(destinations: readonly DestinationFacts[], expected: readonly string[]): string[] {
  const found = destinations
    .filter(isSeen)
    .flatMap(({ series }) => series)
    .filter(({ sets, unfinished, unreadable }) =>
      [...sets.map(({ facts }) => facts), ...unfinished, ...unreadable].some(({ id }) => !isSafetyBackup(id)),
    )
    .map(({ name }) => name);
  return [...new Set([...found, ...expected])].sort();
}

export function viewOf(
  name: string,
  { destinations, now, limits }: { destinations: readonly DestinationFacts[]; now: Date; limits: StatusLimits },
): SeriesView {
  const places = destinations.filter(isSeen).map((destination) => {
    const part = destination.series.find((each) => each.name === name) ?? emptyPart(name);
    return { destination, part };
  });
  const outcomes = drillsOf(places.flatMap(({ part }) => part.drills));
  const restored = restoredBackups(outcomes);
  const { points, facts } = pointsOf(places, restored);
  const isOfFuture = ({ at }: BackupPoint): boolean => at.getTime() - now.getTime() > CLOCK_TOLERANCE_MS;
  const backups = points.filter((point) => !isOfFuture(point)).sort((one, other) => newestFirst(other, one));
  const finished = new Set(points.map(({ id }) => id));
  return {
    ...{ name, now, limits, places, backups, facts },
    good: backups.filter(isGood).reverse(),
    drills: outcomes.map(drillPoint).filter(({ at }) => at.getTime() - now.getTime() <= CLOCK_TOLERANCE_MS),
    checks: checksOf(
      places.flatMap(({ part }) => part.checks),
      now,
    ),
    unfinished: unfinishedOf(places.flatMap(({ part }) => part.unfinished)).filter(({ id }) => !finished.has(id)),
    fromTheFuture: points.filter(isOfFuture).map(({ id }) => id),
  };
}

function emptyPart(name: string): SeriesFacts {
  return {
    ...{ name, storedBytes: 0, sets: [], unfinished: [], unreadable: [] },
    ...{ drills: [], doubtfulDrills: [], checks: [], doubtfulChecks: [], unknown: [] },
  };
}

function pointsOf(places: SeriesView['places'], restored: ReadonlySet<string>) {
  const seen = new Map<string, { facts: SetFacts; locations: string[] }>();
  for (const { destination, part } of places) {
    for (const { facts, damaged } of part.sets) {
      const known = seen.get(facts.id);
      const whole = damaged.length === 0;
      if (known === undefined) seen.set(facts.id, { facts, locations: whole ? [destination.location] : [] });
      else if (whole) {
        if (known.locations.length === 0) known.facts = facts;
        known.locations.push(destination.location);
      }
    }
  }
  const points = [...seen.values()].map(({ facts, locations }) => pointOf(facts, locations, restored));
  return { points, facts: new Map([...seen].map(([id, each]) => [id, each.facts])) };
}

function pointOf(facts: SetFacts, locations: readonly string[], restored: ReadonlySet<string>): BackupPoint {
  const { id, label, whole, keepForever, seconds, plainBytes, storedBytes, rows, tables } = facts;
  const verdict = locations.length === 0 ? 'unproven' : facts.verdict;
  return {
    ...{ id, label, verdict, whole, keepForever, seconds, plainBytes, storedBytes, rows, tables, locations },
    at: new Date(facts.snapshotAt),
    restored: verdict === 'proven' && restored.has(id),
  };
}

function drillsOf(all: readonly DrillOutcome[]): DrillOutcome[] {
  const once = new Map(all.map((drill) => [`${drill.backup.id} ${drill.startedAt}`, drill]));
  return [...once.values()].sort((one, other) => (one.startedAt < other.startedAt ? -1 : 1));
}

function drillPoint(outcome: DrillOutcome): DrillPoint {
  const { startedAt, ...point } = trendPoint(outcome);
  return { at: new Date(startedAt), ...point };
}

/** One that every destination has is one; whoever still writes it somewhere still writes it. */
function unfinishedOf(all: readonly UnfinishedSet[]): UnfinishedSet[] {
  const once = new Map<string, UnfinishedSet>();
  for (const set of all) {
    const known = once.get(set.id);
    if (known === undefined || known.lastWrittenAt < set.lastWrittenAt) once.set(set.id, set);
  }
  return [...once.values()].sort((one, other) => (one.id < other.id ? 1 : -1));
}

/** Of a series that has any backup of the whole database only such a one stands for its age. */
export function newestGood({ good }: Pick<SeriesView, 'good'>): BackupPoint | undefined {
  return good.find(({ whole }) => whole) ?? good[0];
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1 + (sorted.length % 2)] as number, sorted[middle] as number];
  return (low + high) / 2;
}
