/** The finished sets of one destination: the manifest of each, held against what is listed in its folder. */
import type { Target } from '../backup/destinations.ts';
import { BackupError } from '../domain/errors.ts';
import type { ListedObject, ListedSet } from '../domain/retention/inventory.ts';
import { type SetFacts, setFacts } from '../domain/set-facts.ts';
import { OBJECT_NAMES, setFolder } from '../domain/set-layout.ts';
import { formatBytes } from '../domain/words.ts';
import { isOfNewerVersion, readManifest } from '../restore/find-copies.ts';
import { inParallel } from '../runner/in-parallel.ts';

/** Requests under way at one destination. */
export const LANES = 16;
/** A manifest grows by about 100 bytes a table: this is one of 300,000 tables. What is larger is not read. */
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;

export interface FoundSet {
  facts: SetFacts;
  folder: ListedSet;
  /** Names of objects that are missing or of another size than in metadata.json, the guide aside. */
  damaged: readonly string[];
}

/** A set that cannot be judged. */
export interface UnreadableSet {
  id: string;
  /** Its folder. */
  uri: string;
  why: string;
  /** It was written by a newer version, and nothing is damaged. */
  isNewer: boolean;
}

export interface FoundSets {
  sets: readonly FoundSet[];
  unreadable: readonly UnreadableSet[];
}

/** What a manifest says, from where it lies or from memory. Throws as `readManifest` does. */
export type ReadFacts = (place: {
  target: Target;
  series: string;
  id: string;
  manifest: ListedObject;
}) => Promise<SetFacts>;

export const readFacts: ReadFacts = async ({ target, series, id }) =>
  setFacts(await readManifest({ target, folder: setFolder(series, id), series }));

/** Throws what reading throws: without all of it nothing is certain. A set that vanished meanwhile is passed over. */
export async function findSets(
  target: Target,
  series: string,
  folders: readonly ListedSet[],
  read: ReadFacts = readFacts,
): Promise<FoundSets> {
  const all = await inParallel(folders, LANES, (folder) => findSet(target, series, folder, read));
  return {
    sets: all.flatMap((found) => (found !== undefined && 'facts' in found ? [found] : [])),
    unreadable: all.flatMap((found) => (found !== undefined && 'why' in found ? [found] : [])),
  };
}

async function findSet(
  target: Target,
  series: string,
  folder: ListedSet,
  read: ReadFacts,
): Promise<FoundSet | UnreadableSet | undefined> {
  const { id, objects } = folder;
  const manifest = objects.get(OBJECT_NAMES.manifest);
  const uri = target.storage.uri(setFolder(series, id));
  if (manifest === undefined) return undefined;
  if (manifest.sizeBytes > MAX_MANIFEST_BYTES) {
    const why = `its metadata.json has ${formatBytes(manifest.sizeBytes)}, which no backup of ours has`;
    return { id, uri, why, isNewer: false };
  }
  try {
    const facts = await read({ target, series, id, manifest });
    return { facts, folder, damaged: damagedIn(facts, folder) };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    // A prune was faster.
    if (error.code === 'ERR_STORAGE_MISSING') return undefined;
    if (error.code !== 'ERR_MANIFEST' && error.code !== 'ERR_STORED_DIFFERS') throw error;
    return { id, uri, why: error.message, isNewer: isOfNewerVersion(error) };
  }
}

/** Of the guide each destination has its own, and nothing is restored from it. */
function damagedIn(facts: SetFacts, { objects }: ListedSet): string[] {
  return facts.objects
    .filter(({ role, name, sizeBytes }) => role !== 'restore-guide' && objects.get(name)?.sizeBytes !== sizeBytes)
    .map(({ name }) => name);
}

/** Keys in its folder that its manifest does not name. */
export function unknownIn({ facts, folder }: FoundSet): string[] {
  const names = new Set<string>([OBJECT_NAMES.manifest, ...facts.objects.map(({ name }) => name)]);
  return [...folder.objects].filter(([name]) => !names.has(name)).map(([, { key }]) => key);
}
