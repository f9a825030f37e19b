/**
 * `COPY … TO STDOUT` through the driver, which has no support for it: while the statement runs, the socket's bytes
 * come here first. Rows go to the consumer, every other message goes on to the driver.
 */
import type { Socket } from 'node:net';
import type pg from 'pg';
import { release } from '../runner/release.ts';
import { RowlessQuery } from './rowless-query.ts';

/** Rows are gathered to blocks of this size, so that the consumer is called seldom. */
const BLOCK_BYTES = 256 * 1024;
/** Of a message: one byte of type, four of length, which count themselves. */
const HEADER_BYTES = 5;
const COPY_DATA = 0x64;

/**
 * Runs one COPY statement and hands its text over in blocks that end anywhere; a block is valid only during the call.
 * Backpressure: `consume` is synchronous, so the socket is read no faster than it works.
 * Rejects with the server's error, with what `consume` threw, or when the connection ends; after the latter two the
 * session is of no use and must be ended.
 */
export async function copyOut(
  client: pg.Client,
  statement: string,
  consume: (block: Uint8Array) => void,
): Promise<void> {
  const stream = client.connection.stream as Socket;
  const driver = stream.listeners('data') as ((bytes: Buffer) => void)[];
  const splitter = new MessageSplitter(consume, (message) => {
    for (const listener of driver) listener.call(stream, message);
  });
  let failure: unknown;
  const intercept = (bytes: Buffer): void => {
    try {
      // The driver may hold on to what it was given.
      if (!splitter.push(bytes)) release(bytes);
    } catch (error) {
      failure = error;
      stream.destroy();
    }
  };
  stream.removeAllListeners('data');
  stream.on('data', intercept);
  try {
    await client.query(new RowlessQuery(statement)).ended;
    splitter.flush();
  } catch (error) {
    throw failure ?? error;
  } finally {
    stream.off('data', intercept);
    for (const listener of driver) stream.on('data', listener);
    splitter.release();
  }
}

/** Takes the stream of messages apart. CopyData may be cut anywhere, other messages are handed on whole. */
export class MessageSplitter {
  readonly #consume: (block: Uint8Array) => void;
  readonly #forward: (message: Buffer) => void;
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  /** Bytes of the current CopyData message that are still to come. */
  #copyLeft = 0;
  /** A header, or a message of another kind, that the last chunk cut. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(consume: (block: Uint8Array) => void, forward: (message: Buffer) => void) {
    this.#consume = consume;
    this.#forward = forward;
  }

  /** Returns whether a part of `chunk` itself was handed on to the driver. */
  push(chunk: Buffer): boolean {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = Buffer.alloc(0);
    let forwarded = false;
    let at = 0;
    while (at < bytes.length) {
      if (this.#copyLeft > 0) {
        const size = Math.min(this.#copyLeft, bytes.length - at);
        this.#gather(bytes, at, at + size);
        this.#copyLeft -= size;
        at += size;
        continue;
      }
      if (bytes.length - at < HEADER_BYTES) break;
      const length = bytes.readUInt32BE(at + 1);
      if (bytes[at] === COPY_DATA) {
        this.#copyLeft = length - 4;
        at += HEADER_BYTES;
        continue;
      }
      if (bytes.length - at < length + 1) break;
      // Rows before an error or the end reach the consumer first.
      this.flush();
      this.#forward(bytes.subarray(at, at + length + 1));
      forwarded = bytes === chunk;
      at += length + 1;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
    return forwarded;
  }

  /** Hands the beginning of a message that is still incomplete on, for whoever reads next. */
  release(): void {
    if (this.#rest.length > 0) this.#forward(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  flush(): void {
    if (this.#filled === 0) return;
    const size = this.#filled;
    this.#filled = 0;
    this.#consume(this.#block.subarray(0, size));
  }

  #gather(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const size = Math.min(to - at, BLOCK_BYTES - this.#filled);
      bytes.copy(this.#block, this.#filled, at, at + size);
      this.#filled += size;
      at += size;
      if (this.#filled === BLOCK_BYTES) this.flush();
    }
  }
}
