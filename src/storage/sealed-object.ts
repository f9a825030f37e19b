/** One object on its way to storage: hashed in the plain, encrypted, written. */
import { createHash, type Hash } from 'node:crypto';
import type { Cipher, EncryptionStream, ObjectWriter, Storage, StoredObject, WriteOptions } from '../ports.ts';
import { release } from '../runner/release.ts';

/** What is known of an object's plain bytes once it is written. */
export interface PlainFacts {
  sizeBytes: number;
  /** Hex. */
  sha256: string;
}

export interface SealedResult {
  stored: StoredObject;
  plain: PlainFacts;
}

/** Writes plain bytes; what reaches storage is what the cipher makes of them. Same contract as {@link ObjectWriter}. */
export class SealedObject {
  readonly #writer: ObjectWriter;
  readonly #encryption: EncryptionStream;
  /** Absent when nothing is encrypted: then the hash of the stored bytes is that of the plain ones. */
  readonly #plainHash: Hash | undefined;
  #plainBytes = 0;

  private constructor(writer: ObjectWriter, encryption: EncryptionStream, encrypts: boolean) {
    this.#plainHash = encrypts ? createHash('sha256') : undefined;
    this.#writer = writer;
    this.#encryption = encryption;
  }

  /** `key` is the full key, with the cipher's suffix. */
  static async create(storage: Storage, key: string, cipher: Cipher, options: WriteOptions): Promise<SealedObject> {
    const encryption = await cipher.open();
    return new SealedObject(await storage.create(key, options), encryption, cipher.suffix !== '');
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#plainHash?.update(chunk);
    this.#plainBytes += chunk.byteLength;
    for (const sealed of this.#encryption.update(chunk)) {
      await this.#writer.write(sealed);
      if (sealed !== chunk) release(sealed);
    }
  }

  async commit(): Promise<SealedResult> {
    for (const sealed of this.#encryption.final()) await this.#writer.write(sealed);
    const stored = await this.#writer.commit();
    return { stored, plain: { sizeBytes: this.#plainBytes, sha256: this.#plainHash?.digest('hex') ?? stored.sha256 } };
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}

/** Writes a small object whole. Aborts it when anything fails. */
export async function sealBytes(
  storage: Storage,
  key: string,
  cipher: Cipher,
  bytes: Uint8Array,
  options: WriteOptions = {},
): Promise<SealedResult> {
  const object = await SealedObject.create(storage, key, cipher, { ...options, expectedBytes: bytes.byteLength });
  try {
    await object.write(bytes);
    return await object.commit();
  } catch (error) {
    await object.abort();
    throw error;
  }
}
