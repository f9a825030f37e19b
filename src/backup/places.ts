/** What a preflight must know of the places where a backup would go. Asks the file system alone. */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { DestinationFacts } from '../domain/preflight.ts';
import type { Target } from './destinations.ts';

export async function describePlace({ destination, storage: { location } }: Target): Promise<DestinationFacts> {
  if (destination.kind === 's3') return { kind: 's3', location };
  const freeBytes = await freeSpace(location);
  return { kind: 'directory', location, ...(freeBytes === undefined ? {} : { freeBytes }) };
}

/** Free bytes for this user where `folder` is or will be; undefined where the system does not tell. */
async function freeSpace(folder: string): Promise<number | undefined> {
  // By names: of a folder that is not there yet the system knows no `..`.
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || at === path.dirname(at)) return undefined;
    }
  }
}
