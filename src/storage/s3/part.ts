/** One part of an object while it is filled and on its way, and the bounded supply of memory for parts. */
import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ChecksumKind } from '../../domain/destination.ts';

/** Bytes of one part with their running checksum. */
export class Part {
  readonly number: number;
  readonly #buffer: Buffer;
  readonly #md5: Hash | undefined;
  #length = 0;
  #crc32 = 0;
  #md5Digest: Buffer | undefined;

  /** `number` counts from 1, as S3 does. */
  constructor(number: number, buffer: Buffer, checksum: ChecksumKind) {
    this.number = number;
    this.#buffer = buffer;
    this.#md5 = checksum === 'md5' ? createHash('md5') : undefined;
  }

  get length(): number {
    return this.#length;
  }

  get full(): boolean {
    return this.#length === this.#buffer.byteLength;
  }

  /** Copies what fits, from `offset` on; returns how many bytes that were. */
  fill(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(chunk.byteLength - offset, this.#buffer.byteLength - this.#length);
    const piece = chunk.subarray(offset, offset + taken);
    this.#buffer.set(piece, this.#length);
    this.#length += taken;
    if (this.#md5 === undefined) this.#crc32 = crc32(piece, this.#crc32);
    else this.#md5.update(piece);
    return taken;
  }

  /** A view, not a copy: valid until the buffer is given back. */
  body(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The buffer itself, to be given back once the part has arrived. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Of the bytes filled in so far; with the `md5` policy the part is closed by this. */
  md5(): Buffer {
    this.#md5Digest ??= this.#md5?.digest() ?? createHash('md5').update(this.body()).digest();
    return this.#md5Digest;
  }

  /** Of the bytes filled in so far; without meaning with the `md5` policy. */
  get crc32(): number {
    return this.#crc32;
  }

  /** Base64 of the big-endian value, as the header wants it. */
  crc32Base64(): string {
    return encodeCrc32(this.#crc32);
  }
}

export function encodeCrc32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

/** At most `limit` equal buffers, made when first needed and used again and again. */
export class PartBuffers {
  readonly #size: number;
  readonly #limit: number;
  #made = 0;
  #free: Buffer[] = [];
  #waiting: { resolve: (buffer: Buffer) => void; reject: (error: unknown) => void }[] = [];
  #failure: { error: unknown } | undefined;

  constructor(size: number, limit: number) {
    this.#size = size;
    this.#limit = limit;
  }

  /** Waits until a buffer is free; rejects with the error given to {@link fail}. */
  take(): Promise<Buffer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#made < this.#limit) {
      this.#made++;
      // Slow: not from Node's shared pool, so that pages are taken from the system only when they are filled.
      return Promise.resolve(Buffer.allocUnsafeSlow(this.#size));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next.resolve(buffer);
    else this.#free.push(buffer);
  }

  /** Wakes whoever waits; nobody gets a buffer any more. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
    this.#free = [];
  }

  /** Lets go of all memory. */
  drop(): void {
    this.#free = [];
  }
}
