/** Storages as a status sees them, made up; `now` is noon of a day, and everything lies so many hours before it. */
import type { DrillOutcome } from '../../src/domain/drill-record.ts';
import type { RecoveryVerdict } from '../../src/domain/recovery.ts';
import type { SetFacts } from '../../src/domain/set-facts.ts';
import type {
  SeenDestination,
  SeenSet,
  SeriesFacts,
  StatusFacts,
  StatusLimits,
} from '../../src/domain/status/facts.ts';
import { judgeStatus } from '../../src/domain/status/judge.ts';
import type { Level, StatusReport } from '../../src/domain/status/model.ts';
import { idOf } from './prune-bench.ts';

export const NOW = new Date('2026-11-21T12:00:00.000Z');
const HOUR_MS = 3_600_000;
const SHA = 'ab'.repeat(32);

export function hoursAgo(hours: number): Date {
  return new Date(NOW.getTime() - hours * HOUR_MS);
}

export interface BackupWish extends Partial<Omit<SetFacts, 'id' | 'snapshotAt'>> {
  damaged?: readonly string[];
  random?: string;
}

/** Proven, of the whole database, unless told otherwise. */
export function backup(hours: number, wish: BackupWish = {}): SeenSet {
  const { damaged = [], random = 'k3v9qa', label = 'nightly', ...more } = wish;
  // Ids have seconds, and a snapshot lies in that of its id.
  const at = new Date(Math.floor(hoursAgo(hours).getTime() / 1000) * 1000);
  const facts: SetFacts = {
    id: idOf({ at: at.toISOString(), label, random }),
    ...{ label, keepForever: false, verdict: 'proven', snapshotAt: at.toISOString(), whole: true },
    recipients: ['age1first'],
    objects: [{ role: 'archive', name: 'database.backup.age', sizeBytes: 1_000_000, sha256: SHA }],
    ...{ tables: 10, rows: 100_000, plainBytes: 100_000_000, storedBytes: 10_000_000, seconds: 300 },
    ...more,
  };
  return { facts, damaged };
}

/** One a day, the newest `hours` ago. */
export function nightly(count: number, hours = 10, wish: BackupWish = {}): SeenSet[] {
  return Array.from({ length: count }, (_, index) => backup(hours + 24 * index, wish));
}

export function drill(hours: number, verdict: RecoveryVerdict = 'passed', more: DrillWish = {}): DrillOutcome {
  const { of = backup(hours + 1).facts.id, seconds = 600, error } = more;
  return {
    backup: { id: of, name: 'shop', snapshotAt: hoursAgo(hours + 1).toISOString() },
    verdict,
    startedAt: hoursAgo(hours).toISOString(),
    timings: { recoverySeconds: seconds, totalSeconds: seconds + 10 },
    ...(error === undefined ? {} : { error }),
  };
}

export interface DrillWish {
  of?: string;
  seconds?: number;
  error?: NonNullable<DrillOutcome['error']>;
}

export function part(sets: readonly SeenSet[], over: Partial<SeriesFacts> = {}): SeriesFacts {
  const storedBytes = sets.reduce((sum, { facts }) => sum + facts.storedBytes, 0);
  const nothing = { unfinished: [], unreadable: [], doubtfulDrills: [], checks: [], doubtfulChecks: [], unknown: [] };
  // A drill of yesterday, so that nothing is overdue.
  return { name: 'shop', storedBytes, sets, drills: [drill(24)], ...nothing, ...over };
}

export function place(series: readonly SeriesFacts[], over: Partial<SeenDestination> = {}): SeenDestination {
  const storedBytes = series.reduce((sum, each) => sum + each.storedBytes, 0);
  return { location: '/first', owner: { provider: 'one' }, storedBytes, series, stray: [], ...over };
}

export function second(series: readonly SeriesFacts[], over: Partial<SeenDestination> = {}): SeenDestination {
  return place(series, { location: '/second', owner: { provider: 'another' }, ...over });
}

/** Judges one destination with one series, unless told otherwise. */
export function judge(
  sets: readonly SeenSet[] | SeriesFacts,
  over: Partial<Omit<StatusFacts, 'limits'>> & { limits?: Partial<StatusLimits> } = {},
): StatusReport {
  const { limits, ...more } = over;
  const own = 'name' in sets ? sets : part(sets);
  return judgeStatus({
    now: NOW,
    expectedNames: [],
    destinations: [place([own])],
    ...more,
    limits: { maxAgeHours: 26, maxDrillAgeDays: 35, ...limits },
  });
}

/** `critical backup-too-old`, of all findings but plain information. */
export function told({ findings }: StatusReport, least: Level = 'warning'): string[] {
  return findings
    .filter(({ level }) => least === 'info' || level !== 'info')
    .map(({ level, code }) => `${level} ${code}`);
}
