/** From the input `backup` to one backup and the destinations that hold it. Reads only. */
import type { Target } from '../backup/destinations.ts';
import type { Destination } from '../domain/destination.ts';
import type { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type Manifest, whatIsUnproven } from '../domain/manifest.ts';
import {
  type BackupSelector,
  chooseSet,
  describeSelector,
  isSafetyBackup,
  SAFETY_LABEL,
  type SeriesSelector,
} from '../domain/selector.ts';
import { setFolder } from '../domain/set-layout.ts';
import { countOf, formatBytes, goingOn, listWords } from '../domain/words.ts';
import type { Log, Storage } from '../ports.ts';
import { completeCopies } from './complete-copies.ts';
import { askAll, findManifest, idsOf, type LostTarget, type SetFolder, seriesOf } from './find-copies.ts';
import { findLocation } from './location.ts';
import { MOST_LISTED, noSeries, nothingMatches, severalMatch, severalSeries } from './not-found.ts';
import { scanSets } from './scan-sets.ts';
import type { Selected, SelectedSet } from './selected.ts';

export interface SelectRequest {
  selector: BackupSelector;
  /** Absent: the series of the location, or the only one in the storage. */
  series?: string;
  /** The lines of `storage`, in their order. */
  targets: readonly Target[];
  /** For a location outside of `storage`. The caller closes what it opens. */
  openStorage: (destination: Destination) => Storage;
  /** Ids of sets that a drill has brought back; asked for `latest-restored` only. */
  restoredIds?: (series: string) => Promise<ReadonlySet<string>>;
  signal: AbortSignal;
  log: Log;
}

/** Folders that are looked at for a message: those of failed runs have no manifest. */
const FOLDERS_FOR_MESSAGE = 100;

/**
 * Chooses among what all destinations hold together, so that a newer backup which only the second one has is not missed.
 *
 * Throws `ERR_BACKUP_NOT_FOUND` when nothing or more than one set matches, with the newest ones listed;
 * `ERR_MANIFEST` when the chosen set, or for `latest…` and `before:` one that could be chosen before it, was written by
 * a newer version; `ERR_BACKUP_DAMAGED` when no destination holds it completely; else the storage's own error when no
 * destination answers.
 */
export async function selectBackup(request: SelectRequest): Promise<Selected> {
  const { selector } = request;
  const selected =
    selector.kind === 'location' ? await atLocation(request, selector) : await inSeries(request, selector);
  if (selected.kind === 'set') {
    const { id, verdict, snapshotAt, totals } = selected.manifest;
    request.log.info(
      `Backup ${id} of the series ${selected.series}: ${verdict}, taken ${snapshotAt}, ${formatBytes(totals.storedBytes)}, in ${selected.copies.map(({ uri }) => uri).join(' and ')}`,
    );
  } else {
    request.log.info(`Dump made by other means: ${selected.uri}`);
  }
  return selected;
}

async function atLocation(request: SelectRequest, { location }: { location: string }): Promise<Selected> {
  const found = await findLocation(location, request);
  if (found.kind === 'foreign') return found;
  const { copies, faults } = await completeCopies(found.folders, location, request.signal);
  const [{ manifest }] = copies;
  const findings = [...found.findings, ...faults, ...judged(manifest)];
  if (request.series !== undefined && request.series !== manifest.name) {
    findings.push({
      code: 'other-series',
      severity: 'notice',
      seen: `${manifest.id} belongs to the series ${manifest.name}, and \`name\` says ${request.series}`,
      action: 'Check that this is the backup that you mean.',
    });
  }
  return { kind: 'set', manifest, series: manifest.name, copies, findings };
}

async function inSeries(request: SelectRequest, selector: SeriesSelector): Promise<SelectedSet> {
  const { targets, signal } = request;
  const series = request.series ?? (await seriesFor(selector, targets, signal));
  const { answers, lost } = await askAll(targets, signal, (target) => idsOf(target, series));
  const holders = new Map<string, SetFolder[]>();
  for (const { target, value } of answers) {
    for (const id of value) {
      holders.set(id, [...(holders.get(id) ?? []), { target, folder: setFolder(series, id), series }]);
    }
  }
  const scan = await scanSets({ restoredIds: request.restoredIds, signal, selector, series, holders });
  const choice = chooseSet(selector, scan.sets);
  if (choice.kind === 'several') throw severalMatch(describeSelector(selector), choice.sets);
  if (choice.kind === 'none') {
    if (scan.unreadable !== undefined) throw scan.unreadable;
    const silent = lost.map(({ target }) => `; ${target.storage.location} could not be asked and may hold it`);
    throw await noMatch(request, series, holders, [choice.why, ...silent].join(''));
  }
  const { id } = choice.set;
  const { copies, faults } = await completeCopies(holders.get(id) ?? [], id, signal);
  const findings = [
    ...lost.map(unasked),
    ...scan.findings,
    ...unfinishedBefore(scan.unfinished, id),
    ...safetyBefore([...holders.keys()], selector, id),
    ...absent(answers, id),
    ...faults,
    ...judged(copies[0].manifest),
  ];
  return { kind: 'set', manifest: copies[0].manifest, series, copies, findings };
}

/** Newer sets that were saved before a restore. */
function safetyBefore(ids: readonly string[], selector: SeriesSelector, chosen: string): Finding[] {
  const newer = selector.kind === 'id' ? [] : ids.filter((id) => isSafetyBackup(id) && id > chosen);
  if (newer.length === 0) return [];
  return [
    {
      code: 'safety-backups-passed-over',
      severity: 'notice',
      seen: `${countOf(newer.length, 'newer set')} that a restore had saved beforehand ${newer.length === 1 ? 'was' : 'were'} passed over: ${listWords(newer.sort().reverse(), { most: 3 })}`,
      action: 'To go back to what the database held before a restore, give the id of that set.',
    },
  ];
}

/** An id is told from all others by its random end: of several series the one that has it is meant. */
async function seriesFor(selector: SeriesSelector, targets: readonly Target[], signal: AbortSignal): Promise<string> {
  if (selector.kind !== 'id') return await onlySeries(targets, signal);
  const { answers } = await askAll(targets, signal, seriesOf);
  const names = [...new Set(answers.flatMap(({ value }) => value))];
  const holding: string[] = [];
  for (const name of names) {
    const { answers: ids } = await askAll(targets, signal, (target) => idsOf(target, name));
    if (ids.some(({ value }) => value.some((id) => id.startsWith(selector.prefix)))) holding.push(name);
  }
  return holding.length === 1 ? (holding[0] as string) : await onlySeries(targets, signal);
}

async function onlySeries(targets: readonly Target[], signal: AbortSignal): Promise<string> {
  const { answers } = await askAll(targets, signal, seriesOf);
  const all = [...new Set(answers.flatMap(({ value }) => value))].sort();
  // What was saved of a database that is not the one of the series.
  const names = all.length > 1 ? all.filter((name) => !name.endsWith(`-${SAFETY_LABEL}`)) : all;
  const places = answers.map(({ target }) => target.storage.location);
  const [only] = names;
  if (only === undefined) throw noSeries(places);
  if (names.length > 1) throw severalSeries(names, places);
  return only;
}

async function noMatch(
  { selector, targets, signal }: SelectRequest,
  series: string,
  holders: ReadonlyMap<string, SetFolder[]>,
  why: string,
): Promise<BackupError> {
  const manifests: Manifest[] = [];
  for (const id of [...holders.keys()].sort().reverse().slice(0, FOLDERS_FOR_MESSAGE)) {
    const found = await findManifest(holders.get(id) ?? [], signal);
    if (found.kind === 'found') manifests.push(found.manifest);
    if (manifests.length === MOST_LISTED) break;
  }
  if (holders.size > 0) return nothingMatches(describeSelector(selector), series, why, manifests);
  const { answers } = await askAll(targets, signal, seriesOf);
  const others = [...new Set(answers.flatMap(({ value }) => value))].sort();
  const known = others.length === 0 ? 'the storage holds none at all' : `the storage holds ${others.join(', ')}`;
  return nothingMatches(describeSelector(selector), series, `there is no such series; ${known}`, []);
}

function unasked({ target, error }: LostTarget): Finding {
  return {
    code: 'destination-passed-over',
    severity: 'warning',
    seen: `${target.storage.location} could not be asked: ${goingOn(error.message)}`,
    action: 'Bring it back: a newer backup may be there and nowhere else.',
  };
}

function unfinishedBefore(unfinished: readonly string[], id: string): Finding[] {
  const newer = unfinished.filter((other) => other > id);
  if (newer.length === 0) return [];
  return [
    {
      code: 'unfinished-sets',
      severity: 'notice',
      seen: `${countOf(newer.length, 'folder')} newer than ${id} ${newer.length === 1 ? 'holds' : 'hold'} no metadata.json: runs that failed, or that are under way`,
      action: '',
    },
  ];
}

/** Destinations that answered and have nothing of the chosen set. */
function absent(answers: readonly { target: Target; value: readonly string[] }[], id: string): Finding[] {
  return answers
    .filter(({ value }) => !value.includes(id))
    .map(({ target }) => ({
      code: 'copy-missing',
      severity: 'notice' as const,
      seen: `${target.storage.location} has no copy of ${id}`,
      action: 'It may have failed in that run, or be newer than it.',
    }));
}

function judged(manifest: Manifest): Finding[] {
  if (manifest.verdict === 'proven') return [];
  return [
    {
      code: 'backup-unproven',
      severity: 'warning',
      seen: `${manifest.id} was never proven (${whatIsUnproven(manifest).join('; ')})`,
      action: 'Prefer `backup: latest-proven` unless you need just this one.',
    },
  ];
}
