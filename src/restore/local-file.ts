/** Plain bytes on their way to a private file, and whether there is room for them. */
import { type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackupError, messageOf } from '../domain/errors.ts';
import { release } from '../runner/release.ts';

/** Many small writes would each wait for a thread. */
const BATCH_BYTES = 1024 * 1024;
/** Left free for what else the job writes: reports, logs, the server of a drill. */
export const RESERVE_BYTES = 256 * 1024 * 1024;

/** The disk became full while it was written to; nothing of the file is left. */
export class DiskFull extends Error {}

export interface Room {
  enough: boolean;
  neededBytes: number;
  freeBytes: number;
}

export type AskFree = (folder: string) => Promise<number>;

/** Whether so many bytes fit into the folder, with a reserve. A folder that cannot be asked counts as large enough. */
export async function roomFor(bytes: number, folder: string, ask: AskFree = freeBytesIn): Promise<Room> {
  const neededBytes = bytes + RESERVE_BYTES;
  const freeBytes = await ask(folder).catch(() => Number.POSITIVE_INFINITY);
  return { enough: freeBytes >= neededBytes, neededBytes, freeBytes };
}

async function freeBytesIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Writes a file that only its owner can read, in place of one that is there, and returns its size. When anything fails,
 * the file is gone; {@link DiskFull} says that the disk is the reason. With `ownsPieces` nobody else holds on to what
 * `bytes` gives, and its memory is given back at once.
 */
export async function writePrivateFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  { ownsPieces = false } = {},
): Promise<number> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await using handle = await open(path, 'w', 0o600);
    const batch = new Batch(handle, ownsPieces);
    for await (const piece of bytes) await batch.add(piece);
    return await batch.end();
  } catch (error) {
    await rm(path, { force: true });
    throw asDiskFull(error, path);
  }
}

/** Reads to the end and keeps nothing. */
export async function readThrough(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of bytes);
}

/** Gathers pieces; one batch is written while the next one is gathered. */
class Batch {
  readonly #handle: FileHandle;
  readonly #ownsPieces: boolean;
  #pieces: Uint8Array[] = [];
  #gathered = 0;
  #total = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(handle: FileHandle, ownsPieces: boolean) {
    this.#handle = handle;
    this.#ownsPieces = ownsPieces;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#gathered += piece.byteLength;
    if (this.#gathered >= BATCH_BYTES) await this.#flush();
  }

  async end(): Promise<number> {
    await this.#flush();
    await this.#writing;
    return this.#total;
  }

  async #flush(): Promise<void> {
    const [pieces, size] = [this.#pieces, this.#gathered];
    this.#pieces = [];
    this.#gathered = 0;
    this.#total += size;
    await this.#writing;
    this.#writing = this.#write(pieces, size);
    // Awaited with the next batch; until then nobody may call it unhandled.
    this.#writing.catch(() => undefined);
  }

  async #write(pieces: Uint8Array[], size: number): Promise<void> {
    let written = (await this.#handle.writev(pieces)).bytesWritten;
    // A disk that is nearly full takes what fits, and says so only at the next write.
    const rest = written < size ? Buffer.concat(pieces) : Buffer.alloc(0);
    while (written < size) written += (await this.#handle.write(rest, written)).bytesWritten;
    if (this.#ownsPieces) for (const piece of pieces) release(piece);
  }
}

function asDiskFull(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFull(path, { cause: error });
  if (error instanceof Error && code !== undefined && (error as NodeJS.ErrnoException).syscall !== undefined) {
    return new BackupError('ERR_PREFLIGHT', `${path} cannot be written: ${messageOf(error)}`, {
      op: 'write the archive to disk',
      hint: 'Point RUNNER_TEMP to a folder that can be written. Nothing was restored and nothing was touched.',
      cause: error,
    });
  }
  return error;
}
