/** The beginning of an archive that streams by, kept until its table of contents is known: all definitions lie in it. */
import { appendFile } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';

export class ArchiveHead<T> {
  readonly file: string;
  /** What `read` made of it. */
  readonly contents: Promise<T>;
  readonly #stream = new PassThrough();
  #isKnown = false;

  /**
   * @param file is written; it holds at least the table of contents, and then some of the first rows
   * @param read may end the stream as soon as it knows enough
   */
  constructor(file: string, read: (stream: Readable) => Promise<T>) {
    this.file = file;
    // Whoever reads may close its end at any time.
    this.#stream.on('error', () => undefined);
    this.contents = read(this.#stream).finally(() => {
      this.#isKnown = true;
    });
    this.contents.catch(() => undefined);
  }

  /** Nothing more needs to be written. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Copies the chunk. Resolves when there is room for more. */
  async write(chunk: Uint8Array): Promise<void> {
    // Whoever gives up waiting may give the chunk's memory away while it is still being written.
    const copy = Buffer.from(chunk);
    await appendFile(this.file, copy);
    const { promise: taken, resolve } = Promise.withResolvers<void>();
    this.#stream.write(copy, () => resolve());
    await Promise.race([taken, this.contents.catch(() => undefined)]);
  }

  end(): void {
    this.#stream.end();
  }
}
