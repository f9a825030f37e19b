/** Reading what a series holds, from the newest set down, until the choice is certain. */
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Manifest } from '../domain/manifest.ts';
import { chooseSet, describeSelector, mayBeMeant, type SeriesSelector } from '../domain/selector.ts';
import { findManifest, isOfNewerVersion, type SetFolder } from './find-copies.ts';
import { MOST_LISTED } from './not-found.ts';

export interface Scan {
  /** Ids of sets that a drill has brought back; asked for `latest-restored` only. */
  restoredIds: ((series: string) => Promise<ReadonlySet<string>>) | undefined;
  signal: AbortSignal;
  selector: SeriesSelector;
  series: string;
  /** Where folders of each id are. */
  holders: ReadonlyMap<string, SetFolder[]>;
}

export interface Scanned {
  sets: (Manifest & { restored?: boolean })[];
  /** Ids of folders without a manifest that were met. */
  unfinished: string[];
  /** Of the newest set that cannot be judged. */
  unreadable?: BackupError;
  findings: Finding[];
}

/** Reads manifests from the newest down, and no further than it takes to choose. */
export async function scanSets({ restoredIds, signal, selector, series, holders }: Scan): Promise<Scanned> {
  const scanned: Scanned = { sets: [], unfinished: [], findings: [] };
  const restored =
    selector.kind === 'latest-restored' ? ((await restoredIds?.(series)) ?? new Set<string>()) : undefined;
  const ids = candidates(selector, [...holders.keys()]).filter((id) => restored?.has(id) ?? true);
  for (const [index, id] of ids.entries()) {
    const found = await findManifest(holders.get(id) ?? [], signal);
    if (found.kind === 'unfinished') scanned.unfinished.push(id);
    else if (found.kind === 'found') scanned.sets.push({ ...found.manifest, ...(restored ? { restored: true } : {}) });
    else noteUnreadable(scanned, selector, id, found.error);
    if (isDecided(selector, scanned, ids[index + 1])) break;
  }
  return scanned;
}

/** Newest first. A whole id means only itself, even if another one begins like it. */
function candidates(selector: SeriesSelector, ids: readonly string[]): string[] {
  if (selector.kind === 'id' && ids.includes(selector.prefix)) return [selector.prefix];
  return ids
    .filter((id) => mayBeMeant(selector, id))
    .sort()
    .reverse();
}

/** Sets of one second are all looked at: their ids do not tell which is newer. */
function isDecided(selector: SeriesSelector, { sets }: Scanned, next: string | undefined): boolean {
  if (selector.kind === 'id') return sets.length > MOST_LISTED;
  const choice = chooseSet(selector, sets);
  return choice.kind === 'chosen' && secondOf(choice.set.id) !== secondOf(next ?? '');
}

/** `20261121_020000` */
function secondOf(id: string): string {
  return id.slice(0, 15);
}

/**
 * `latest` must not quietly mean an older set. A damaged manifest is no proof of anything, so that those who ask for a
 * proven or restored set are told and given the next; one that only another version can read may be just what they want.
 */
function noteUnreadable(scanned: Scanned, selector: SeriesSelector, id: string, error: BackupError): void {
  scanned.unreadable ??= error;
  if (selector.kind === 'id') return;
  const damaged = error.code === 'ERR_MANIFEST' || error.code === 'ERR_STORED_DIFFERS';
  if (selector.kind === 'latest' || !damaged || isOfNewerVersion(error)) throw refusal(selector, id, error);
  scanned.findings.push({
    code: 'manifest-unreadable',
    severity: 'warning',
    seen: `${id} was passed over: ${error.message}`,
    action: 'Look at that set; its archive may still be whole, and RESTORE.md says how to restore it by hand.',
  });
}

function refusal(selector: SeriesSelector, id: string, error: BackupError): BackupError {
  return new BackupError(
    error.code,
    `${describeSelector(selector)} may be ${id}, which cannot be judged: ${error.message}`,
    {
      op: 'select the backup',
      hint: `${error.hint} To restore an older one instead, give its id: an older one is never taken in silence.`,
      cause: error,
    },
  );
}
