/** Reading one object of a storage without waiting for ever. */
import type { Readable } from 'node:stream';
import { BackupError } from '../domain/errors.ts';
import { countOf } from '../domain/words.ts';
import type { Storage } from '../ports.ts';
import { cancelledError } from '../storage/cancelled.ts';

export interface ReadParts {
  signal: AbortSignal;
  /** A storage that gives nothing for so long is given up. */
  stallSeconds: number;
}

/** How long somebody waited for a storage: the rest of the time was work of our own. */
export class Waiting {
  #milliseconds = 0;

  get seconds(): number {
    return this.#milliseconds / 1000;
  }

  add(milliseconds: number): void {
    this.#milliseconds += milliseconds;
  }
}

/**
 * The stored bytes from the first on. A connection that breaks is replaced by the storage itself; here only silence
 * has an end: `ERR_STORAGE_STALLED`. Whoever stops reading in the middle ends the connection.
 */
export async function* readStored(
  storage: Storage,
  key: string,
  parts: ReadParts,
  waiting = new Waiting(),
): AsyncGenerator<Uint8Array> {
  const patience = new Patience(storage.uri(key), parts, waiting);
  let stream: Readable | undefined;
  try {
    const opening = storage.get(key);
    // Comes too late for somebody who has given up: nobody else would end it.
    opening.then(
      (late) => patience.isOver && end(late),
      () => undefined,
    );
    stream = await patience.await(opening);
    const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    for (;;) {
      const { done, value } = await patience.await(iterator.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    patience.close();
    if (stream !== undefined) end(stream);
  }
}

/** What goes wrong while it is ended is nobody's matter any more, and without a listener it would end the process. */
function end(stream: Readable): void {
  stream.on('error', () => undefined);
  stream.destroy();
}

/** One watch for a whole object, because there are too many pieces for a timer each. */
class Patience {
  readonly #uri: string;
  readonly #parts: ReadParts;
  readonly #waiting: Waiting;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#giveUp(cancelledError(this.#parts.signal, `read ${this.#uri}`));
  #since: number | undefined;
  #reject: (error: unknown) => void = () => undefined;
  #over: BackupError | undefined;

  constructor(uri: string, parts: ReadParts, waiting: Waiting) {
    this.#uri = uri;
    this.#parts = parts;
    this.#waiting = waiting;
    const limitMs = parts.stallSeconds * 1000;
    this.#timer = setInterval(
      () => {
        if (this.#since !== undefined && performance.now() - this.#since > limitMs) this.#giveUp(stalled(uri, parts));
      },
      Math.min(1_000, limitMs / 4),
    );
    parts.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (parts.signal.aborted) this.#onAbort();
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  await<T>(work: Promise<T>): Promise<T> {
    const since = performance.now();
    this.#since = since;
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#over !== undefined) reject(this.#over);
      const settle = (): void => {
        this.#since = undefined;
        this.#waiting.add(performance.now() - since);
      };
      work.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(error);
        },
      );
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#parts.signal.removeEventListener('abort', this.#onAbort);
  }

  #giveUp(error: BackupError): void {
    this.#over ??= error;
    this.#reject(this.#over);
  }
}

function stalled(uri: string, { stallSeconds }: ReadParts): BackupError {
  return new BackupError('ERR_STORAGE_STALLED', `Nothing of ${uri} arrived for ${countOf(stallSeconds, 'second')}`, {
    op: `read ${uri}`,
    hint: 'Check the way to that destination, then run again. Raise `stall-timeout-seconds` if it is only slow.',
    retryable: true,
  });
}
