/** How full the storage is, and when its budget will be. */
import { DAY_MS } from '../time.ts';
import { countOf, formatBytes } from '../words.ts';
import { isSeen, type SeenDestination, type SeriesFacts, type StatusFacts } from './facts.ts';
import type { StatusFinding, StatusReport } from './model.ts';
import { median } from './series-view.ts';

export const WARN_PERCENT = 80;
export const FULL_SOON_DAYS = 30;
/** Before that a few backups say nothing. */
const LEAST_DAYS = 7;
/** Two such windows are compared. */
const WINDOW_DAYS = 14;
/** Of the sets of the newer window: with fewer in the older one pruning has been at work. */
const UNPRUNED_SHARE = 0.8;

export type StorageUse = StatusReport['storage'];

export function storageUse({ destinations, now, limits }: StatusFacts): StorageUse {
  const seen = destinations.filter(isSeen);
  const [fullest] = seen.toSorted((one, other) => other.storedBytes - one.storedBytes);
  if (fullest === undefined) return { bytes: 0 };
  const { budgetBytes } = limits;
  const bytes = fullest.storedBytes;
  const bytesPerDay = growthOf(fullest, now);
  const fills = budgetBytes !== undefined && bytesPerDay !== undefined && bytesPerDay > 0;
  return {
    bytes,
    ...(budgetBytes === undefined ? {} : { budgetBytes }),
    ...(bytesPerDay === undefined ? {} : { bytesPerDay }),
    ...(fills ? { fullInDays: Math.max(0, (budgetBytes - bytes) / bytesPerDay) } : {}),
  };
}

/** Of all series of which it can be told; `undefined` when there is none. */
function growthOf({ series }: SeenDestination, now: Date): number | undefined {
  const known = series.flatMap((part) => growthOfSeries(part, now) ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * What was removed cannot be seen, so there are two cases: as long as nothing is pruned a series grows by what is
 * added; after that as many sets stay as there are, and it grows by what each of them grows.
 */
function growthOfSeries({ sets }: SeriesFacts, now: Date): number | undefined {
  const aged = sets.map(({ facts: { snapshotAt, storedBytes } }) => {
    return { days: (now.getTime() - Date.parse(snapshotAt)) / DAY_MS, storedBytes };
  });
  const between = (from: number, to: number): number[] =>
    aged.filter(({ days }) => days >= from && days < to).map(({ storedBytes }) => storedBytes);
  const [newer, older] = [between(0, WINDOW_DAYS), between(WINDOW_DAYS, 2 * WINDOW_DAYS)];
  const oldest = Math.max(0, ...aged.map(({ days }) => days));
  if (oldest < LEAST_DAYS) return undefined;
  const [usualNow, usualBefore] = [median(newer), median(older)];
  // Nothing comes any more: what is there stays.
  if (usualNow === undefined) return 0;
  if (usualBefore === undefined && oldest >= WINDOW_DAYS) return undefined;
  const isUnpruned = usualBefore === undefined || older.length >= newer.length * UNPRUNED_SHARE;
  const added = [...newer, ...older].reduce((sum, bytes) => sum + bytes, 0);
  if (isUnpruned) return added / Math.min(oldest, 2 * WINDOW_DAYS);
  return ((usualNow - usualBefore) / WINDOW_DAYS) * sets.length;
}

export function judgeStorage({ bytes, budgetBytes, fullInDays, bytesPerDay = 0 }: StorageUse): StatusFinding[] {
  if (budgetBytes === undefined) return [];
  const percent = (bytes / budgetBytes) * 100;
  const used = `The fullest destination holds ${formatBytes(bytes)}, ${Math.floor(percent)} % of the budget of ${formatBytes(budgetBytes)}`;
  const action = 'Prune by a tighter policy (`command: prune`, first as a dry run), or raise `storage-budget-gb`.';
  if (percent >= 100) return [{ code: 'storage-budget', level: 'critical', seen: used, action }];
  const findings: StatusFinding[] = [];
  if (percent >= WARN_PERCENT) findings.push({ code: 'storage-budget', level: 'warning', seen: used, action });
  if (fullInDays !== undefined && fullInDays <= FULL_SOON_DAYS) {
    const seen = `${used}, and grows by ${formatBytes(bytesPerDay)} a day: it is full in ${countOf(Math.floor(fullInDays), 'day')}`;
    findings.push({ code: 'storage-full-soon', level: 'warning', seen, action });
  }
  return findings;
}
