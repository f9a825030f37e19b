/** Listing a directory tree the way an object store lists keys. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UNFINISHED_PREFIX } from '../keys.ts';
import { errnoOf } from './errors.ts';

/**
 * Keys of all files under `root` that begin with `prefix`, in the byte order of whole keys (as S3 lists), so
 * `a-b` comes before `a/b`. Unfinished files, symbolic links and devices are no objects. A missing root is empty.
 */
export async function* walkKeys(root: string, prefix: string): AsyncIterable<string> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* walkFolder(root, folder, prefix);
}

async function* walkFolder(root: string, folder: string, prefix: string): AsyncIterable<string> {
  for (const name of await sortedNames(join(root, folder))) {
    const key = folder + name;
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
    if (name.endsWith('/')) yield* walkFolder(root, key, prefix);
    else if (key.startsWith(prefix)) yield key;
  }
}

/** Direct sub-folders of `prefix` that hold at least one object: an object store knows no empty folders. */
export async function* walkFolders(root: string, prefix: string): AsyncIterable<string> {
  for (const name of await sortedNames(join(root, prefix))) {
    if (!name.endsWith('/')) continue;
    for await (const _key of walkKeys(root, prefix + name)) {
      yield prefix + name;
      break;
    }
  }
}

/** Names of files, and of directories with a slash at the end, in byte order. */
async function sortedNames(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown): Dirent[] => {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  });
  const names = entries.flatMap((entry) => {
    if (entry.name.startsWith(UNFINISHED_PREFIX)) return [];
    if (entry.isDirectory()) return [`${entry.name}/`];
    return entry.isFile() ? [entry.name] : [];
  });
  return names.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}
