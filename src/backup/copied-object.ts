/** One object on its way to every destination: hashed in the plain, encrypted once, written side by side. */
import { createHash, type Hash } from 'node:crypto';
import { BackupError } from '../domain/errors.ts';
import { countOf } from '../domain/words.ts';
import type { Cipher, EncryptionStream, ObjectWriter, StoredObject, WriteOptions } from '../ports.ts';
import { release } from '../runner/release.ts';
import type { Destinations, Target } from './destinations.ts';

/** What is known of an object's plain bytes once it is written. */
export interface PlainFacts {
  sizeBytes: number;
  /** Hex. */
  sha256: string;
}

/** Called for each destination as soon as it holds the object, whatever becomes of the others. */
export type OnStored = (target: Target, stored: StoredObject, plain: PlainFacts) => void;

export interface CopyParts {
  destinations: Destinations;
  /** With the cipher's suffix. */
  key: string;
  cipher: Cipher;
  options: WriteOptions;
  /** For how long one of several destinations may hold the others up before it is given up. */
  stallSeconds: number;
}

/** Takes plain bytes at the pace of the slowest destination. The contract is that of {@link ObjectWriter}. */
export class CopiedObject {
  readonly #parts: CopyParts;
  readonly #writers: Map<Target, ObjectWriter>;
  readonly #encryption: EncryptionStream;
  /** Absent when nothing is encrypted: then the hash of the stored bytes is that of the plain ones. */
  readonly #plainHash: Hash | undefined;
  readonly #forsaken: Promise<void>[] = [];
  #plainBytes = 0;
  #hasStalled = false;

  private constructor(parts: CopyParts, encryption: EncryptionStream, writers: Map<Target, ObjectWriter>) {
    this.#parts = parts;
    this.#encryption = encryption;
    this.#writers = writers;
    this.#plainHash = parts.cipher.suffix === '' ? undefined : createHash('sha256');
  }

  static async create(parts: CopyParts): Promise<CopiedObject> {
    const { destinations, key, cipher, options } = parts;
    const encryption = await cipher.open();
    const writers = new Map<Target, ObjectWriter>();
    await destinations.each(async (target) => {
      writers.set(target, await target.storage.create(key, options));
    });
    return new CopiedObject(parts, encryption, writers);
  }

  /** A destination that was given up in the midst of a write may read that chunk still: then no chunk's memory may go. */
  get holdsChunks(): boolean {
    return this.#hasStalled;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#plainHash?.update(chunk);
    this.#plainBytes += chunk.byteLength;
    for (const sealed of this.#encryption.update(chunk)) {
      await this.#put(sealed);
      if (sealed !== chunk && !this.#hasStalled) release(sealed);
    }
  }

  /** An object that a destination holds is not taken back by {@link abort}. */
  async commit(onStored: OnStored): Promise<void> {
    for (const sealed of this.#encryption.final()) await this.#put(sealed);
    const plainSha256 = this.#plainHash?.digest('hex');
    await this.#parts.destinations.each(async (target) => {
      const stored = await this.#writerOf(target).commit();
      onStored(target, stored, { sizeBytes: this.#plainBytes, sha256: plainSha256 ?? stored.sha256 });
    });
    this.#forsakeLost();
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#forsaken, ...[...this.#writers.values()].map((writer) => writer.abort())]);
  }

  async #put(sealed: Uint8Array): Promise<void> {
    const { destinations } = this.#parts;
    const alone = destinations.alive.length === 1;
    await destinations.each((target) => {
      const writing = this.#writerOf(target).write(sealed);
      return alone ? writing : this.#withinLimit(writing);
    });
    this.#forsakeLost();
  }

  /** Someone who waits for the slowest of several must not wait for one that is dead. */
  async #withinLimit(writing: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#hasStalled = true;
        reject(stalled(this.#parts));
      }, this.#parts.stallSeconds * 1000);
    });
    try {
      await Promise.race([writing, overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends what is under way at destinations that were given up. Nobody waits for it: closing the storage does. */
  #forsakeLost(): void {
    for (const [target, writer] of this.#writers) {
      if (this.#parts.destinations.alive.includes(target)) continue;
      this.#writers.delete(target);
      this.#forsaken.push(writer.abort());
    }
  }

  #writerOf(target: Target): ObjectWriter {
    const writer = this.#writers.get(target);
    if (writer === undefined) throw new Error('a destination without a writer is asked to write');
    return writer;
  }
}

function stalled({ key, stallSeconds }: CopyParts): BackupError {
  return new BackupError('ERR_STORAGE_STALLED', `It took nothing of ${key} for ${countOf(stallSeconds, 'second')}`, {
    op: `write ${key}`,
    hint: 'Check that the destination can be reached and is not full, then run the backup again. Raise `stall-timeout-seconds` if it is only slow.',
  });
}

/** Writes a small object whole. Aborts it where it is not stored when anything fails. */
export async function copyBytes(parts: CopyParts, bytes: Uint8Array, onStored: OnStored): Promise<void> {
  const object = await CopiedObject.create({
    ...parts,
    options: { ...parts.options, expectedBytes: bytes.byteLength },
  });
  try {
    await object.write(bytes);
    await object.commit(onStored);
  } catch (error) {
    await object.abort();
    throw error;
  }
}
