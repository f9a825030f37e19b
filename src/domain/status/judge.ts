/** From what a storage was seen to hold to its status: pure, `now` is a fact like any other. */
import { fewKeys } from '../key-words.ts';
import { countOf } from '../words.ts';
import { judgeAge, judgeClock, judgeRetention } from './ages.ts';
import { judgeAnomalies } from './anomalies.ts';
import { cadenceOf, judgeRuns } from './cadence.ts';
import { lastDays } from './calendar.ts';
import { healthOf, judgeChecks } from './checks.ts';
import { judgeCopies, judgeDestinations, judgeVerified } from './copies.ts';
import { drillSuccessPercent, judgeDrills, judgeKeys } from './drills.ts';
import { type DestinationFacts, isSeen, type SeenDestination, type StatusFacts } from './facts.ts';
import { judgeFailures, judgeLeftovers } from './failures.ts';
import { type SeriesRule, sortFindings, worstOf } from './finding.ts';
import type { DestinationStatus, SeriesStatus, StatusFinding, StatusReport } from './model.ts';
import { namesOf, newestGood, type SeriesView, viewOf } from './series-view.ts';
import { judgeStorage, storageUse } from './storage-use.ts';

const RULES: readonly SeriesRule[] = [
  ...[judgeAge, judgeRuns, judgeFailures, judgeDrills, judgeKeys],
  ...[judgeCopies, judgeAnomalies, judgeRetention, judgeClock, judgeLeftovers, judgeChecks],
];

export function judgeStatus(facts: StatusFacts): StatusReport {
  const { now, destinations, expectedNames, verified } = facts;
  const read = verified === undefined ? [] : judgeVerified(verified);
  const views = namesOf(destinations, expectedNames).map((name) => viewOf(name, facts));
  const series = views.map((view) =>
    statusOf(
      view,
      read.filter((finding) => finding.series === view.name),
    ),
  );
  const storage = storageUse(facts);
  const whole: StatusFinding[] = [
    ...judgeDestinations(destinations),
    ...(views.length === 0 ? [nothingIn(destinations.filter(isSeen))] : []),
    ...judgeStorage(storage),
    ...read.filter((finding) => finding.series === undefined),
    ...destinations.filter(isSeen).flatMap(({ location, stray }) => strayIn(location, stray)),
  ];
  const findings = sortFindings([...whole, ...series.flatMap((each) => each.findings)]);
  return {
    ...{ now, series, findings, storage },
    level: worstOf(findings),
    destinations: destinations.map(destinationStatus),
    ...(verified === undefined
      ? {}
      : { verified: { sets: verified.sets, bytes: verified.bytes, damaged: damagedIds(verified.damage) } }),
  };
}

/** By name: most often another place was meant. */
function nothingIn(destinations: readonly SeenDestination[]): StatusFinding {
  const places = destinations.map(({ location }) => location).join(' and in ');
  return {
    code: 'nothing-there',
    level: 'critical',
    seen: `There is no backup at all in ${places}`,
    action: 'If backups are elsewhere, correct `storage` (bucket, prefix, path); otherwise take a first backup.',
  };
}

function strayIn(location: string, stray: readonly string[]): StatusFinding[] {
  if (stray.length === 0) return [];
  const seen = `${countOf(stray.length, 'object')} in ${location} ${stray.length === 1 ? 'belongs' : 'belong'} to no series: ${fewKeys(stray)}`;
  return [{ code: 'unknown-objects', level: 'info', seen, action: 'Give backups a prefix of their own.' }];
}

function damagedIds(damage: readonly { id: string }[]): string[] {
  return [...new Set(damage.map(({ id }) => id))];
}

function statusOf(view: SeriesView, verified: readonly StatusFinding[]): SeriesStatus {
  const findings = sortFindings([...verified, ...RULES.flatMap((rule) => rule(view))]);
  const { name, backups, drills, good, places, limits } = view;
  const newestProven = newestGood(view);
  const newestRestored = good.find(({ restored }) => restored);
  const lastDrill = drills.at(-1);
  const percent = drillSuccessPercent(view);
  const cadence = cadenceOf(backups, limits.expectedEveryHours);
  const health = healthOf(view);
  return {
    ...{ name, findings, backups, drills },
    level: worstOf(findings),
    ...(newestProven === undefined ? {} : { newestProven }),
    ...(newestRestored === undefined ? {} : { newestRestored }),
    ...(lastDrill === undefined ? {} : { lastDrill }),
    ...(percent === undefined ? {} : { drillSuccessPercent: percent }),
    ...(cadence === undefined ? {} : { cadenceHours: cadence.hours }),
    ...(health === undefined ? {} : { health }),
    days: lastDays(view),
    storedBytes: places.reduce((sum, { part }) => sum + part.storedBytes, 0),
  };
}

function destinationStatus(destination: DestinationFacts): DestinationStatus {
  const { location } = destination;
  if (!isSeen(destination)) return { location, error: destination.error };
  const sets = destination.series.reduce((sum, part) => sum + part.sets.length, 0);
  return { location, storedBytes: destination.storedBytes, sets };
}
