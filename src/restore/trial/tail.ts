/** The rest of an archive that streams by: read at the pace of whoever restores it. */
import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** So much may lie between the dump and pg_restore. */
const BUFFER_BYTES = 1024 * 1024;

export class ArchiveTail {
  readonly #rest = new PassThrough({ highWaterMark: BUFFER_BYTES });
  /** What pg_restore reads from; it may stop when it has all that it restores, and that is no fault of the archive. */
  readonly #whole = new PassThrough({
    destroy: (_error, done) => {
      this.#rest.destroy();
      done(null);
    },
  });

  constructor() {
    this.#rest.on('error', () => undefined);
  }

  /** Everything that was written has been read, and more will come: whoever reads is not the one that is slow. */
  get isStarving(): boolean {
    return !this.#rest.writableEnded && [this.#rest, this.#whole].every(isEmpty);
  }

  /** Copies the chunk. Resolves when there is room for more; what nobody reads any more is passed over. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#rest.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#rest.write(Buffer.from(chunk), () => resolve());
    await promise;
  }

  end(): void {
    this.#rest.end();
  }

  /** The whole archive: the beginning from a file, and then what is written here. Once only. */
  after(file: string): Readable {
    pipeline(inTurn(createReadStream(file), this.#rest), this.#whole).catch(() => undefined);
    return this.#whole;
  }
}

async function* inTurn(first: Readable, second: Readable): AsyncGenerator<Buffer> {
  yield* first;
  yield* second;
}

function isEmpty({ readableLength, writableLength }: PassThrough): boolean {
  return readableLength === 0 && writableLength === 0;
}
