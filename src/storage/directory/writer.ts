/** One file on its way into a directory: an unfinished name, synced to disk, read back, then renamed. */
import { createHash, randomBytes } from 'node:crypto';
import { access, constants, type FileHandle, link, mkdir, open, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackupError, messageOf } from '../../domain/errors.ts';
import type { Log, ObjectWriter, StoredObject } from '../../ports.ts';
import { throwIfCancelled, unlessCancelled } from '../cancelled.ts';
import { UNFINISHED_PREFIX } from '../keys.ts';
import { errnoOf, fileError } from './errors.ts';

const READ_BACK_BYTES = 1024 * 1024;
/** A mount that does not answer must not hold the end of a run up. */
const ABORT_MS = 3_000;

export interface FileTarget {
  key: string;
  path: string;
  onlyIfAbsent: boolean;
  signal: AbortSignal;
  log: Log;
  /** Called once, when the writer is committed or aborted. */
  onEnd: () => void;
}

export class FileWriter implements ObjectWriter {
  readonly #target: FileTarget;
  readonly #unfinished: string;
  readonly #firstCreated: string | undefined;
  readonly #sha256 = createHash('sha256');
  #handle: FileHandle | undefined;
  #sizeBytes = 0;
  #published = false;
  #state: 'open' | 'finished' | 'aborted' = 'open';

  private constructor(target: FileTarget, opened: OpenedFile) {
    this.#target = target;
    this.#unfinished = opened.path;
    this.#handle = opened.handle;
    this.#firstCreated = opened.firstCreated;
  }

  static async open(target: FileTarget): Promise<FileWriter> {
    try {
      throwIfCancelled(target.signal, 'write');
      return new FileWriter(target, await openUnfinished(dirname(target.path)));
    } catch (error) {
      throw fileError(error, 'write', target.path);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    const handle = this.#openHandle();
    try {
      throwIfCancelled(this.#target.signal, 'write');
      for (let offset = 0; offset < chunk.byteLength; ) {
        const { bytesWritten } = await handle.write(chunk, offset);
        offset += bytesWritten;
      }
    } catch (error) {
      throw fileError(error, 'write', this.#target.path);
    }
    this.#sha256.update(chunk);
    this.#sizeBytes += chunk.byteLength;
  }

  async commit(): Promise<StoredObject> {
    const handle = this.#openHandle();
    const { key, path, onlyIfAbsent, signal } = this.#target;
    const sha256 = this.#sha256.digest('hex');
    try {
      await handle.sync();
      await handle.close();
      this.#handle = undefined;
      await this.#readBack(sha256);
      throwIfCancelled(signal, 'store');
      if (onlyIfAbsent) await publishNew(this.#unfinished, path);
      else await rename(this.#unfinished, path);
      this.#published = true;
      await syncDirectories(dirname(path), this.#firstCreated);
    } catch (error) {
      throw fileError(error, 'store', path);
    }
    this.#end('finished');
    return { key, sizeBytes: this.#sizeBytes, sha256, evidence: 'read-back' };
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#end('aborted');
    try {
      await unlessCancelled(AbortSignal.timeout(ABORT_MS), 'remove it', this.#remove());
    } catch (error) {
      this.#target.log.warning(`Could not remove the unfinished file ${this.#unfinished}: ${messageOf(error)}`);
    }
  }

  async #remove(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    await unlink(this.#unfinished).catch(unlessMissing);
    if (this.#published) await unlink(this.#target.path).catch(unlessMissing);
    await removeEmptyDirectories(dirname(this.#target.path), this.#firstCreated);
  }

  /** A running hash proves what was handed to the kernel; only reading the file again proves what is in it. */
  async #readBack(expected: string): Promise<void> {
    const hash = createHash('sha256');
    const handle = await open(this.#unfinished, constants.O_RDONLY);
    try {
      const buffer = Buffer.allocUnsafe(READ_BACK_BYTES);
      for (;;) {
        throwIfCancelled(this.#target.signal, 'read back');
        const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
    if (hash.digest('hex') === expected) return;
    throw new BackupError('ERR_STORED_DIFFERS', `${this.#target.path} read back differs from what was written.`, {
      op: 'store',
      hint: 'The disk or the memory of this machine changes data: check `dmesg`, and store elsewhere until it is sound.',
    });
  }

  #openHandle(): FileHandle {
    if (this.#state === 'open' && this.#handle !== undefined) return this.#handle;
    throw new BackupError('ERR_INTERNAL', `The writer of ${this.#target.key} was used after its end.`, {
      op: 'write',
      hint: 'This is a defect of the action: please report it.',
    });
  }

  #end(state: 'finished' | 'aborted'): void {
    this.#state = state;
    this.#target.onEnd();
  }
}

interface OpenedFile {
  path: string;
  handle: FileHandle;
  /** The topmost directory that had to be made. */
  firstCreated: string | undefined;
}

/** A concurrent abort may remove the directory between the two steps, hence the second try. */
async function openUnfinished(directory: string, mayRepeat = true): Promise<OpenedFile> {
  const firstCreated = await makeDirectories(directory);
  const path = join(directory, `${UNFINISHED_PREFIX}${randomBytes(8).toString('hex')}`);
  try {
    return { path, handle: await open(path, 'wx', 0o600), firstCreated };
  } catch (error) {
    if (mayRepeat && errnoOf(error) === 'ENOENT') return openUnfinished(directory, false);
    throw error;
  }
}

/** Returns the topmost directory that had to be made. */
async function makeDirectories(directory: string): Promise<string | undefined> {
  try {
    return await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    // What "exists" here is a file in the place of a directory.
    if (errnoOf(error) === 'EEXIST') throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    // Node says ENOENT where a single mkdir says EROFS or EACCES: ask the nearest directory that is there.
    if (errnoOf(error) === 'ENOENT') await assertWritable(dirname(directory));
    throw error;
  }
}

async function assertWritable(directory: string): Promise<void> {
  try {
    await access(directory, constants.W_OK);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || directory === dirname(directory)) throw error;
    await assertWritable(dirname(directory));
  }
}

/** `link` fails when the name is taken, which `rename` does not. */
async function publishNew(unfinished: string, path: string): Promise<void> {
  try {
    await link(unfinished, path);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error;
    await publishWithoutLinks(unfinished, path);
    return;
  }
  await unlink(unfinished);
}

/** File systems without hard links (exFAT, some network mounts): look first, which leaves a small window. */
async function publishWithoutLinks(unfinished: string, path: string): Promise<void> {
  const taken = await stat(path).then(() => true, missingIsFalse);
  if (taken) throw Object.assign(new Error('the name is taken'), { code: 'EEXIST' });
  await rename(unfinished, path);
}

/** From the file's directory up to the parent of the topmost one that was made. */
async function syncDirectories(directory: string, firstCreated: string | undefined): Promise<void> {
  const last = firstCreated === undefined ? directory : dirname(firstCreated);
  for (let current = directory; ; current = dirname(current)) {
    const handle = await open(current, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
    if (current === last || current === dirname(current)) return;
  }
}

/** Removes `directory` and its parents up to `topmost` as long as they are empty. */
export async function removeEmptyDirectories(directory: string, topmost: string | undefined): Promise<void> {
  if (topmost === undefined) return;
  for (let current = directory; current.startsWith(topmost); current = dirname(current)) {
    try {
      await rmdir(current);
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) return;
      throw error;
    }
  }
}

function unlessMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

function missingIsFalse(error: unknown): false {
  unlessMissing(error);
  return false;
}
