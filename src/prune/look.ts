/** What one destination holds of a series: read from its listing and manifests alone. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import { restoredBackups } from '../domain/drill-record.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Manifest } from '../domain/manifest.ts';
import {
  type Inventory,
  isNameOfOurs,
  type ListedObject,
  type ListedSet,
  takeStock,
} from '../domain/retention/inventory.ts';
import type { RetentionSet } from '../domain/retention.ts';
import { OBJECT_NAMES, seriesPrefix, setFolder } from '../domain/set-layout.ts';
import { countOf, formatBytes } from '../domain/words.ts';
import { MAX_RECORD_BYTES, readDrillRecord } from '../drill/records.ts';
import { isOfNewerVersion, readManifest } from '../restore/find-copies.ts';
import { inParallel } from '../runner/in-parallel.ts';

/** Requests under way at one destination. */
export const LANES = 16;
/** A manifest grows by about 100 bytes a table: this is one of 300,000 tables. What is larger is not read. */
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;
const KEYS_NAMED = 5;
const KEY_CHARACTERS = 120;

/** A finished set that can be judged. */
export interface KnownSet extends RetentionSet {
  /** Keys of its objects that are there, `metadata.json` first. */
  keys: readonly string[];
  snapshotAt: string;
}

export interface Holdings {
  target: Target;
  /** `restored` as far as this destination knows. */
  sets: readonly KnownSet[];
  inventory: Inventory;
  findings: readonly Finding[];
}

/** Throws what listing and reading throw: without all of it no plan can be made. */
export async function lookAt(target: Target, series: string, { signal }: CommandContext): Promise<Holdings> {
  const { storage } = target;
  const listed: ListedObject[] = [];
  for await (const { key, sizeBytes, modifiedAt } of storage.list(seriesPrefix(series))) {
    listed.push({ key, sizeBytes, modifiedAt });
  }
  const inventory = takeStock(listed, series);
  const restored = await readRestored(target, series, inventory);
  const judged = await inParallel(inventory.finished, LANES, (folder) => judge(target, series, folder));
  signal.throwIfAborted();
  const sets = judged.flatMap(({ set }) => (set === undefined ? [] : [{ ...set, restored: restored.ids.has(set.id) }]));
  const strange = [...inventory.unknown, ...judged.flatMap(({ unknown }) => unknown), ...strangeIn(inventory)];
  return {
    target,
    sets,
    inventory,
    findings: [
      ...judged.flatMap(({ finding }) => finding ?? []),
      ...restored.findings,
      ...unknownObjects(strange, storage.uri(series)),
    ],
  };
}

interface Judged {
  /** Absent for one that cannot be judged; it is left alone. */
  set?: KnownSet;
  finding?: Finding;
  /** Keys in its folder that are not its own. */
  unknown: readonly string[];
}

async function judge(target: Target, series: string, folder: ListedSet): Promise<Judged> {
  const manifestObject = folder.objects.get(OBJECT_NAMES.manifest);
  const uri = target.storage.uri(setFolder(series, folder.id));
  if ((manifestObject?.sizeBytes ?? 0) > MAX_MANIFEST_BYTES) {
    const size = formatBytes(manifestObject?.sizeBytes ?? 0);
    return { unknown: [], finding: unreadable(uri, `its metadata.json has ${size}, which no backup of ours has`) };
  }
  try {
    const manifest = await readManifest({ target, folder: setFolder(series, folder.id), series });
    return known(manifest, folder, uri);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    // Another prune was faster.
    if (error.code === 'ERR_STORAGE_MISSING') return { unknown: [] };
    if (error.code !== 'ERR_MANIFEST' && error.code !== 'ERR_STORED_DIFFERS') throw error;
    return { unknown: [], finding: unreadable(uri, error.message, isOfNewerVersion(error)) };
  }
}

/** A proven set whose objects are not all there in their size proves nothing any more. */
function known(manifest: Manifest, { objects }: ListedSet, uri: string): Judged {
  const { id, label, verdict, keepForever, snapshotAt, scope } = manifest;
  const names = [OBJECT_NAMES.manifest, ...manifest.objects.map(({ name }) => name)];
  const present = names.flatMap((name) => objects.get(name)?.key ?? []);
  // Of the guide each destination has its own, and nothing is restored from it.
  const damaged = manifest.objects
    .filter(({ role, name, sizeBytes }) => role !== 'restore-guide' && objects.get(name)?.sizeBytes !== sizeBytes)
    .map(({ name }) => name);
  const set: KnownSet = {
    ...{ id, label, keepForever, snapshotAt },
    at: new Date(snapshotAt),
    verdict: damaged.length === 0 ? verdict : 'unproven',
    restored: false,
    whole: scope.content === 'all' && scope.wholeDatabase,
    keys: present,
  };
  const unknown = [...objects].filter(([name]) => !names.includes(name)).map(([, { key }]) => key);
  return damaged.length === 0 ? { set, unknown } : { set, unknown, finding: incomplete(uri, damaged) };
}

/** Ids of sets that a drill has brought back, by the records that lie here. */
async function readRestored(
  { storage }: Target,
  series: string,
  { drills }: Inventory,
): Promise<{ ids: ReadonlySet<string>; findings: readonly Finding[] }> {
  const keys = [...drills].flatMap(([id, records]) =>
    records.filter(({ sizeBytes }) => sizeBytes <= MAX_RECORD_BYTES).map(({ key }) => ({ id, key })),
  );
  const read = await inParallel(keys, LANES, ({ id, key }) => readDrillRecord(storage, key, { series, id }));
  const records = read.flatMap((record) => (record === undefined || 'severity' in record ? [] : [record]));
  const findings = read.flatMap((record) => (record !== undefined && 'severity' in record ? [record] : []));
  return { ids: restoredBackups(records), findings };
}

/** What lies in the folder of an unfinished set and was not written by this action. */
function strangeIn({ unfinished }: Inventory): string[] {
  return unfinished.flatMap(({ objects }) =>
    [...objects].filter(([name]) => !isNameOfOurs(name)).map(([, { key }]) => key),
  );
}

function unreadable(uri: string, why: string, isNewer = false): Finding {
  return {
    code: 'manifest-unreadable',
    severity: 'warning',
    seen: `${uri} is left alone, because it cannot be judged: ${why}`,
    action: isNewer
      ? 'Use a newer version of the action for pruning.'
      : 'Look at that set. Its archive may still be whole; delete it by hand when nobody needs it.',
  };
}

function incomplete(uri: string, damaged: readonly string[]): Finding {
  return {
    code: 'set-damaged',
    severity: 'warning',
    seen: `${uri} counts as unproven: ${damaged.join(', ')} ${damaged.length === 1 ? 'is' : 'are'} missing or of another size than in metadata.json`,
    action: 'Find out who deletes or changes objects there. Another destination may hold the set whole.',
  };
}

/** Keys come from whoever can write there, so they are shown as JSON and cut. */
function unknownObjects(keys: readonly string[], uri: string): Finding[] {
  if (keys.length === 0) return [];
  const named = keys.slice(0, KEYS_NAMED).map((key) => JSON.stringify(key.slice(0, KEY_CHARACTERS)));
  const more = keys.length > named.length ? ` and ${countOf(keys.length - named.length, 'other')}` : '';
  return [
    {
      code: 'unknown-objects',
      severity: 'notice',
      seen: `${countOf(keys.length, 'object')} in ${uri} did not come from this action and ${keys.length === 1 ? 'is' : 'are'} left alone: ${named.join(', ')}${more}`,
      action: 'Move them elsewhere: the folder of a series is for backups alone.',
    },
  ];
}
