/** What fetching an archive is given and gives, whether it is of a set or a dump made by other means. */
import { Readable } from 'node:stream';
import type { CommandContext } from '../command.ts';
import type { Finding } from '../domain/findings.ts';
import type { RecoveryPhase } from '../domain/recovery.ts';
import { formatBytes } from '../domain/words.ts';
import type { LocalArchive } from './local-archive.ts';
import type { AskFree, Room } from './local-file.ts';
import type { Waiting } from './stored-bytes.ts';

/** Below the work folder: where the plain archive lies. */
export const ARCHIVE_FOLDER = 'archive';

export interface FetchParts extends Pick<CommandContext, 'workDir' | 'log' | 'clock' | 'signal' | 'env'> {
  /** A storage that gives nothing for so long is given up. */
  stallSeconds: number;
  /** Free bytes in a folder; absent: what the file system says. */
  freeBytes?: AskFree;
}

export interface FetchedArchive {
  archive: LocalArchive;
  /** The set's folder, or the file, that it was read from. Safe to print. */
  from: string;
  /**
   * `fetch` is the time that was spent waiting for the storage, `decrypt` all the rest of the same pass: hashing,
   * decrypting and writing. Their sum is the wall clock.
   */
  phases: RecoveryPhase[];
  findings: Finding[];
}

/** Without encryption there is one phase: what is not waiting is checking and writing what was fetched. */
export function phasesOf(total: number, waiting: Waiting, encrypted: boolean): RecoveryPhase[] {
  if (!encrypted) return [{ phase: 'fetch', seconds: total }];
  const fetch = Math.min(waiting.seconds, total);
  return [
    { phase: 'fetch', seconds: fetch },
    { phase: 'decrypt', seconds: total - fetch },
  ];
}

export function asStream(bytes: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(bytes, { objectMode: false });
}

export function shortOfRoom({ neededBytes, freeBytes }: Room, folder: string): Finding {
  const room = `${folder} has ${formatBytes(freeBytes)} free, ${formatBytes(neededBytes)} are needed, reserve included`;
  return streamed(`The archive does not fit on the disk: ${room}`);
}

export function diskBecameFull(folder: string): Finding {
  return streamed(`The disk of ${folder} became full while the archive was written to it`);
}

function streamed(seen: string): Finding {
  return {
    code: 'archive-streamed',
    severity: 'notice',
    seen,
    action:
      'It is fetched twice and restored over one connection. For a faster restore point RUNNER_TEMP to a larger disk.',
  };
}
