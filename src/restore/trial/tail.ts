/** The rest of an archive that streams by: read at the pace of whoever restores it. */
import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';

/** So much may lie between the dump and pg_restore. */
const BUFFER_BYTES = 1024 * 1024;

export class ArchiveTail {
  readonly #stream = new PassThrough({ highWaterMark: BUFFER_BYTES });

  constructor() {
    // Whoever reads may close its end at any time: pg_restore stops when it has all that it restores.
    this.#stream.on('error', () => undefined);
  }

  /** Everything that was written has been read, and more will come: whoever reads is not the one that is slow. */
  get isStarving(): boolean {
    return this.#stream.readableLength === 0 && this.#stream.writableLength === 0 && !this.#stream.writableEnded;
  }

  /** Copies the chunk. Resolves when there is room for more; what nobody reads any more is passed over. */
  async write(chunk: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.write(Buffer.from(chunk), () => resolve());
    await promise;
  }

  end(): void {
    this.#stream.end();
  }

  /** The whole archive: the beginning from a file, and then what is written here. Once only. */
  after(file: string): Readable {
    return Readable.from(inTurn(createReadStream(file), this.#stream), { objectMode: false });
  }
}

async function* inTurn(first: Readable, second: Readable): AsyncGenerator<Buffer> {
  yield* first;
  yield* second;
}
