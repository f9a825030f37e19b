/** What destinations hold of a series: which ids, which manifests, and which copies of one set are complete. */
import type { Target } from '../backup/destinations.ts';
import { isSeriesName, parseBackupId } from '../domain/backup-id.ts';
import { BackupError } from '../domain/errors.ts';
import { type Manifest, parseManifest } from '../domain/manifest.ts';
import { OBJECT_NAMES } from '../domain/set-layout.ts';
import { countOf, formatCount } from '../domain/words.ts';
import { listedSizes } from '../storage/listed-sizes.ts';
import { readBytes } from '../storage/write-object.ts';
import { isFaultOfCopy } from './copies.ts';
import type { SetCopy } from './selected.ts';

/** A folder that may be a set. */
export interface SetFolder {
  target: Target;
  /** Below the destination's root. */
  folder: string;
  /** That its manifest must name; absent where the user named the very place. */
  series?: string;
}

export interface Asked<T> {
  /** In the order of `storage`. */
  answers: readonly { target: Target; value: T }[];
  lost: readonly LostTarget[];
}

export interface LostTarget {
  target: Target;
  error: BackupError;
}

/** The same question to all destinations at once. Throws the first one's error when none answers. */
export async function askAll<T>(
  targets: readonly Target[],
  signal: AbortSignal,
  question: (target: Target) => Promise<T>,
): Promise<Asked<T>> {
  const settled = await Promise.allSettled(targets.map(question));
  signal.throwIfAborted();
  const lost: LostTarget[] = [];
  const answers = settled.flatMap((outcome, index) => {
    const target = targets[index] as Target;
    if (outcome.status === 'fulfilled') return [{ target, value: outcome.value }];
    if (!isFaultOfCopy(outcome.reason)) throw outcome.reason;
    lost.push({ target, error: outcome.reason });
    return [];
  });
  const [first] = lost;
  if (answers.length === 0 && first !== undefined) throw first.error;
  return { answers, lost };
}

/** Names of series that hold at least one folder shaped like a set. */
export async function seriesOf({ storage }: Target): Promise<string[]> {
  const found: string[] = [];
  for await (const folder of storage.listFolders('')) {
    const name = folder.slice(0, -1);
    if (!isSeriesName(name)) continue;
    for await (const inner of storage.listFolders(folder)) {
      if (parseBackupId(lastPart(inner)) === undefined) continue;
      found.push(name);
      break;
    }
  }
  return found;
}

/** Ids of the folders of a series, finished or not. */
export async function idsOf({ storage }: Target, series: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const folder of storage.listFolders(`${series}/`)) {
    const id = lastPart(folder);
    if (parseBackupId(id) !== undefined) ids.push(id);
  }
  return ids;
}

export type FoundManifest =
  | { kind: 'found'; manifest: Manifest }
  /** No folder holds a metadata.json: such a set does not exist. */
  | { kind: 'unfinished' }
  /** It exists, or may exist, and cannot be judged. */
  | { kind: 'unreadable'; error: BackupError };

/** The manifest of a set from the first of its folders that holds a readable one. */
export async function findManifest(folders: readonly SetFolder[], signal: AbortSignal): Promise<FoundManifest> {
  let error: BackupError | undefined;
  for (const each of folders) {
    try {
      return { kind: 'found', manifest: await readManifest(each) };
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isUnreadable(thrown)) throw thrown;
      if (thrown.code !== 'ERR_STORAGE_MISSING') error ??= thrown;
    }
  }
  return error === undefined ? { kind: 'unfinished' } : { kind: 'unreadable', error };
}

/**
 * Throws `ERR_MANIFEST` for one that cannot be read or was written by a newer version, and `ERR_STORED_DIFFERS` for one
 * that belongs to another set: an older set in the place of a newer one must not pass for it.
 */
export async function readManifest({ target, folder, series }: SetFolder): Promise<Manifest> {
  const key = `${folder}/${OBJECT_NAMES.manifest}`;
  const uri = target.storage.uri(key);
  const manifest = parsed((await readBytes(target.storage, key)).toString('utf8'), uri);
  const what = contradiction(manifest, lastPart(folder), series);
  if (what === undefined) return manifest;
  throw new BackupError('ERR_STORED_DIFFERS', `${uri} ${what}`, {
    op: 'read metadata.json',
    hint: 'Somebody changed or moved objects in the storage. Choose another backup of the series by its id.',
  });
}

/** What a manifest says that does not belong where it lies, as a predicate. */
function contradiction(manifest: Manifest, folder: string, series = manifest.name): string | undefined {
  const { id, name, snapshotAt } = manifest;
  if (parseBackupId(folder) !== undefined && id !== folder) return `is that of ${id}`;
  if (name !== series) return `is that of a backup of the series ${name}`;
  const at = parseBackupId(id)?.at.getTime();
  const isOfTime = Math.floor(Date.parse(snapshotAt) / 1000) * 1000 === at;
  return isOfTime ? undefined : 'contradicts its own id about the time of the snapshot';
}

function parsed(text: string, uri: string): Manifest {
  try {
    return parseManifest(text);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const { code, op, hint } = error;
    throw new BackupError(code, `${uri}: ${error.message}`, { op, hint, cause: error });
  }
}

/** Damage of a manifest counts with the faults of a copy: another destination may hold a whole one. */
export function isUnreadable(error: unknown): error is BackupError {
  return isFaultOfCopy(error) || (error instanceof BackupError && error.code === 'ERR_MANIFEST');
}

/** Whether the reader is too old: then nothing is damaged, and another version can read it. */
export function isOfNewerVersion(error: BackupError): boolean {
  return error.code === 'ERR_MANIFEST' && /newer version/.test(error.message);
}

/** Reads the manifest there and looks that each of its objects is there in its full size. Throws why it is not. */
export async function openCopy(place: SetFolder): Promise<SetCopy> {
  const manifest = await readManifest(place);
  const { target, folder } = place;
  const { storage } = target;
  const sizes = await sizesIn({ target, folder });
  for (const { role, name, sizeBytes } of manifest.objects) {
    // Of the guide each destination has its own, and nothing is restored from it.
    if (role === 'restore-guide' || sizes === undefined) continue;
    const found = sizes.get(`${folder}/${name}`);
    const uri = storage.uri(`${folder}/${name}`);
    if (found === undefined) throw incomplete('ERR_STORAGE_MISSING', `${uri} is missing`);
    if (found !== sizeBytes) {
      const words = `${countOf(found, 'byte')} instead of the ${formatCount(sizeBytes)} in metadata.json`;
      throw incomplete('ERR_STORED_DIFFERS', `${uri} has ${words}`);
    }
  }
  return { target, folder, uri: storage.uri(folder), manifest };
}

/** `undefined` for a role that may read objects but not list them: fetching shows what is there. */
async function sizesIn({ target, folder }: SetFolder): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    return await listedSizes(target.storage, `${folder}/`);
  } catch (error) {
    if (error instanceof BackupError && error.code === 'ERR_STORAGE_DENIED') return undefined;
    throw error;
  }
}

function incomplete(code: 'ERR_STORAGE_MISSING' | 'ERR_STORED_DIFFERS', message: string): BackupError {
  return new BackupError(code, message, {
    op: 'look at the copies of the backup',
    hint: 'Choose another backup of the series by its id.',
  });
}

/** `shop/2026…_k3v9qa/` or without the slash: its last part. */
export function lastPart(folder: string): string {
  return folder.replace(/\/$/, '').split('/').at(-1) ?? '';
}
