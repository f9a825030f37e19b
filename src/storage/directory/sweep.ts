/** Unfinished files that dead runs have left in a directory: no listing shows them, but they take room. */
import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../domain/errors.ts';
import { isStaleWrite } from '../../domain/stale-writes.ts';
import type { SweepReport } from '../../ports.ts';
import { UNFINISHED_PREFIX } from '../keys.ts';
import { errnoOf } from './errors.ts';
import { removeEmptyDirectories } from './writer.ts';

/** Looks into the folders of sets only; a file counts as begun when it was last written to. */
export async function sweepFiles(root: string, series: string, olderThan: Date): Promise<SweepReport> {
  const removed: string[] = [];
  const left: string[] = [];
  for (const { folder, name } of await unfinishedFiles(join(root, series), left)) {
    const key = `${series}/${folder}/${name}`;
    const path = join(root, key);
    try {
      const info = await lstat(path);
      if (!info.isFile() || !isStaleWrite({ key, startedAt: info.mtime }, series, olderThan)) continue;
      await unlink(path);
      removed.push(key);
      await removeEmptyDirectories(join(root, series, folder), join(root, series));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') left.push(`The unfinished file ${path} was left: ${messageOf(error)}.`);
    }
  }
  return { removed, left };
}

async function unfinishedFiles(seriesFolder: string, left: string[]): Promise<{ folder: string; name: string }[]> {
  const found: { folder: string; name: string }[] = [];
  for (const folder of await namesIn(seriesFolder, left)) {
    for (const name of await namesIn(join(seriesFolder, folder), left)) {
      if (name.startsWith(UNFINISHED_PREFIX)) found.push({ folder, name });
    }
  }
  return found;
}

async function namesIn(directory: string, left: string[]): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? ''))
      left.push(`${directory} was not swept: ${messageOf(error)}.`);
    return [];
  }
}
