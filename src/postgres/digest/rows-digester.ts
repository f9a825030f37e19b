/**
 * The content digest `rows-xxh64x2` (docs/format.md): every row of COPY text, without its newline, hashed with
 * XXH64 under seeds 0 and 0x9E3779B185EBCA87, each summed modulo 2^64, so that the order of rows does not matter.
 */
import type { RowsDigest } from '../../domain/archive-report.ts';
import { BackupError } from '../../domain/errors.ts';
import { ROWS_MODULE_BASE64 } from './rows-xxh64x2.generated.ts';

/** Bytes of the line `\.` with its newline. */
const TERMINATOR_BYTES = 3;

/** What is used of the platform's WebAssembly: the libraries of the type checker here have none. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

interface RowsModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  input(): number;
  inputBytes(): number;
  reset(): void;
  feed(length: number, terminated: number): number;
  ended(): number;
  open(): number;
  rows(): number;
  sum0(): bigint;
  sum1(): bigint;
}

export interface DigestedRows extends RowsDigest {
  /** Bytes of COPY text: rows with their newlines, without the terminator line. */
  bytes: number;
}

let compiled: object | undefined;

function instantiate(): RowsModule {
  compiled ??= new WebAssembly.Module(Buffer.from(ROWS_MODULE_BASE64, 'base64'));
  return new WebAssembly.Instance(compiled).exports as RowsModule;
}

/**
 * Digests the rows of one table after the other in constant memory (about 320 KiB an instance), however long
 * a row is and however the bytes are cut. One instance serves one stream at a time.
 */
export class RowsDigester {
  readonly #module = instantiate();
  readonly #input: Uint8Array;
  #bytes = 0;
  #awaitsTerminator = false;

  constructor() {
    this.#input = new Uint8Array(this.#module.memory.buffer, this.#module.input(), this.#module.inputBytes());
  }

  /** True once {@link feed} has read the terminator line. */
  get ended(): boolean {
    return this.#module.ended() === 1;
  }

  /**
   * Reads a COPY block of a script from `bytes[from]` on, up to and with its terminator line `\.`.
   * Returns the offset behind that line, or `bytes.length` when the block goes on in the next chunk.
   * Must not be called again once {@link ended}, before a {@link reset}.
   */
  feed(bytes: Uint8Array, from: number): number {
    this.#awaitsTerminator = true;
    return this.#read(bytes, from, 1);
  }

  /** Reads what `COPY … TO STDOUT` sent: rows with their newlines, no terminator line. Rows may be cut anywhere. */
  feedRows(bytes: Uint8Array): void {
    this.#read(bytes, 0, 0);
  }

  #read(bytes: Uint8Array, from: number, terminated: 0 | 1): number {
    let at = from;
    while (at < bytes.length && !this.ended) {
      const size = Math.min(bytes.length - at, this.#input.length);
      this.#input.set(size === bytes.length ? bytes : bytes.subarray(at, at + size));
      const read = this.#module.feed(size, terminated);
      at += read;
      this.#bytes += read;
    }
    return at;
  }

  /**
   * The digest of all rows since the last {@link reset}. Throws `ERR_NOT_PROVEN` when the last row has no
   * newline, or when a block of a script was read whose terminator has not come.
   */
  finish(): DigestedRows {
    if (this.#module.open() === 1 || (this.#awaitsTerminator && !this.ended)) {
      throw new BackupError('ERR_NOT_PROVEN', 'The rows of a table end in the middle', {
        op: 'digest rows',
        hint: 'The stream was cut. Run the backup again; nothing was published.',
      });
    }
    const { rows, sum0, sum1 } = this.#module;
    return {
      rows: rows(),
      digest: hexOf(sum0()) + hexOf(sum1()),
      bytes: this.#bytes - (this.ended ? TERMINATOR_BYTES : 0),
    };
  }

  /** Makes it ready for the next table. */
  reset(): void {
    this.#module.reset();
    this.#bytes = 0;
    this.#awaitsTerminator = false;
  }
}

function hexOf(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}
