/** What lies at a place that the user names: a set, a dump, or nothing. */
import { resolve } from 'node:path';
import type { Target } from '../backup/destinations.ts';
import { parseBackupId } from '../domain/backup-id.ts';
import { type Destination, parseDestination, type S3Destination } from '../domain/destination.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { OBJECT_NAMES } from '../domain/set-layout.ts';
import type { Storage } from '../ports.ts';
import { isFaultOfCopy } from './copies.ts';
import { lastPart, type SetFolder } from './find-copies.ts';
import { nothingThere } from './not-found.ts';
import type { ForeignDump } from './selected.ts';

export interface LocationParts {
  targets: readonly Target[];
  openStorage: (destination: Destination) => Storage;
  signal: AbortSignal;
}

export type FoundLocation =
  /** The named folder first, then those of the same set at other destinations, which may be missing. */
  { kind: 'set'; folders: readonly [SetFolder, ...SetFolder[]]; findings: Finding[] } | ForeignDump;

interface Place {
  target: Target;
  /** Below its root, without a slash at its end. */
  key: string;
}

/** Throws `ERR_BACKUP_NOT_FOUND` when there is nothing, and what a storage throws when no place could be looked at. */
export async function findLocation(location: string, parts: LocationParts): Promise<FoundLocation> {
  const places = placesOf(location, parts);
  let fault: unknown;
  for (const place of places) {
    try {
      const found = await lookAt(place, parts.targets);
      if (found !== undefined) return found;
    } catch (error) {
      parts.signal.throwIfAborted();
      if (!isFaultOfCopy(error)) throw error;
      fault ??= error;
    }
  }
  if (fault !== undefined) throw fault;
  throw nothingThere(
    location,
    places.map(({ target, key }) => target.storage.uri(key)),
  );
}

/** Where to look, in this order: a URI and a path are one place, a bare key may be below each destination or a path. */
function placesOf(location: string, parts: LocationParts): Place[] {
  if (/^s3:/i.test(location)) return placeInBucket(location, parts);
  const path = placeOnDisk(resolve(location), parts);
  const key = location.replace(/\/+$/, '');
  if (/^[./]/.test(location) || key.split('/').includes('..')) return path;
  return [...parts.targets.map((target) => ({ target, key })), ...path];
}

/** Options of its own make the URI a destination of its own; else the lines of `storage` say how to reach the bucket. */
function placeInBucket(location: string, { targets, openStorage }: LocationParts): Place[] {
  const named = parseDestination(location) as S3Destination;
  if (named.prefix === '') return [];
  const sameBucket = location.includes('?') ? [] : targets.filter(({ destination }) => isBucket(destination, named));
  const inside = sameBucket.flatMap((target) => {
    const { prefix } = target.destination as S3Destination;
    const key = prefix === '' ? named.prefix : below(named.prefix, prefix);
    return key === undefined || key === '' ? [] : [{ target, key }];
  });
  if (inside.length > 0) return inside;
  const [like] = sameBucket.map(({ destination }) => destination as S3Destination);
  const { root, key } = splitKey(named.prefix);
  const destination: S3Destination = { ...(like ?? named), prefix: root };
  return [{ target: { destination, storage: openStorage(destination) }, key }];
}

function isBucket(destination: Destination, { bucket }: S3Destination): boolean {
  return destination.kind === 's3' && destination.bucket === bucket;
}

function placeOnDisk(path: string, { targets, openStorage }: LocationParts): Place[] {
  const inside = targets.flatMap((target) => {
    const key = target.destination.kind === 'directory' ? below(path, target.storage.location) : undefined;
    return key === undefined || key === '' ? [] : [{ target, key }];
  });
  const [first] = inside;
  if (first !== undefined) return [first];
  const { root, key } = splitKey(path.slice(1));
  if (key === '') return [];
  const destination: Destination = { kind: 'directory', path: `/${root}` };
  return [{ target: { destination, storage: openStorage(destination) }, key }];
}

/** What is left of `path` below `root`; `undefined` when it lies elsewhere. */
function below(path: string, root: string): string | undefined {
  const folder = `${root.replace(/\/+$/, '')}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : undefined;
}

/** So that what is written next to a set, such as the record of a drill, finds its place: `root/series/id/object`. */
function splitKey(key: string): { root: string; key: string } {
  const parts = key.split('/');
  const id = parts.findLastIndex((part) => parseBackupId(part) !== undefined);
  const ofFolder = parts.at(-1) === OBJECT_NAMES.manifest ? parts.length - 2 : parts.length - 1;
  const at = Math.max(0, id === -1 ? ofFolder : id - 1);
  return { root: parts.slice(0, at).join('/'), key: parts.slice(at).join('/') };
}

async function lookAt({ target, key }: Place, targets: readonly Target[]): Promise<FoundLocation | undefined> {
  const { storage } = target;
  const folder = await setFolderOf(storage, key);
  if (folder !== undefined) {
    // The same set elsewhere lies under the same series and id.
    const id = parseBackupId(lastPart(folder));
    const others = id === undefined || !targets.includes(target) ? [] : targets.filter((other) => other !== target);
    const folders = others.map((other) => ({ target: other, folder }));
    return { kind: 'set', folders: [{ target, folder }, ...(await existing(folders))], findings: [] };
  }
  const layout = (await exists(storage, key)) ? 'file' : (await exists(storage, `${key}/toc.dat`)) ? 'directory' : null;
  if (layout === null) return undefined;
  const uri = storage.uri(key);
  return { kind: 'foreign', layout, target, key, name: lastPart(key), uri, findings: [unrecorded(uri)] };
}

/** The folder that holds a metadata.json: the one that is named, or the one that the named object lies in. */
async function setFolderOf(storage: Storage, key: string): Promise<string | undefined> {
  const parent = key.split('/').slice(0, -1).join('/');
  if (lastPart(key) === OBJECT_NAMES.manifest)
    return (await exists(storage, key)) && parent !== '' ? parent : undefined;
  if (await exists(storage, `${key}/${OBJECT_NAMES.manifest}`)) return key;
  const isObjectOfSet = parseBackupId(lastPart(parent)) !== undefined;
  return isObjectOfSet && (await exists(storage, `${parent}/${OBJECT_NAMES.manifest}`)) ? parent : undefined;
}

/** Those where the set is; a destination that does not answer now is not needed. */
async function existing(folders: readonly SetFolder[]): Promise<SetFolder[]> {
  const settled = await Promise.allSettled(
    folders.map(({ target, folder }) => exists(target.storage, `${folder}/${OBJECT_NAMES.manifest}`)),
  );
  return folders.filter((_folder, index) => {
    const outcome = settled[index];
    return outcome?.status === 'fulfilled' && outcome.value;
  });
}

/** Of one object; also for a role that may read objects and not list them. */
async function exists(storage: Storage, key: string): Promise<boolean> {
  try {
    return (await storage.stat(key)) !== undefined;
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
  }
  try {
    (await storage.get(key, { start: 0, end: 1 })).destroy();
    return true;
  } catch (error) {
    if (error instanceof BackupError && error.code === 'ERR_STORAGE_MISSING') return false;
    throw error;
  }
}

function unrecorded(uri: string): Finding {
  return {
    code: 'foreign-dump',
    severity: 'notice',
    seen: `${uri} is no backup of this action: nothing is recorded of what it should hold`,
    action: 'What is restored from it can be looked at, but not proven.',
  };
}
