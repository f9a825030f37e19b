/** Keeps psql from obeying commands that stand in a dump. */
import { randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

/** Only comments and empty lines may come before a dump's own `\restrict`; pg_dump's header is a few hundred bytes. */
const HEADER_BYTES = 16 * 1024;
const OWN_RESTRICT = /^(?:(?:--[^\n]*)?\r?\n)*\\restrict (\S+)\r?\n/;

/**
 * Puts `\restrict` with a key of our own, which nobody knows, in front of a script and takes the script's own pair
 * away: psql then refuses every backslash command up to the end, whatever the dump holds (CVE-2025-8714). Data is not
 * touched: a row may look like `\restrict …`, but it does not hold the key of the dump's first line.
 */
export class Restrict extends Transform {
  #head: Buffer | undefined = Buffer.alloc(0);
  #footer: Buffer | undefined;
  #tail: Buffer = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#head !== undefined) {
      this.#head = Buffer.concat([this.#head, chunk]);
      if (this.#head.length >= HEADER_BYTES) this.#pushHead();
    } else this.#pushBody(chunk);
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#head !== undefined) this.#pushHead();
    this.push(this.#tail);
    done();
  }

  #pushHead(): void {
    const head = this.#head ?? Buffer.alloc(0);
    this.#head = undefined;
    this.push(`\\restrict ${randomBytes(24).toString('hex')}\n`);
    const own = OWN_RESTRICT.exec(head.toString('latin1', 0, HEADER_BYTES));
    if (own !== null) this.#footer = Buffer.from(`\n\\unrestrict ${own[1]}\n`, 'latin1');
    this.#pushBody(head.subarray(own?.[0].length ?? 0));
  }

  /** Passes bytes on but for the footer, which may lie across two chunks. */
  #pushBody(chunk: Buffer): void {
    if (this.#footer === undefined) {
      this.push(chunk);
      return;
    }
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const at = bytes.indexOf(this.#footer);
    if (at !== -1) {
      this.push(bytes.subarray(0, at + 1));
      const rest = bytes.subarray(at + this.#footer.length);
      this.#footer = undefined;
      this.#tail = Buffer.alloc(0);
      this.push(rest);
      return;
    }
    const kept = Math.min(this.#footer.length - 1, bytes.length);
    this.push(bytes.subarray(0, bytes.length - kept));
    this.#tail = Buffer.from(bytes.subarray(bytes.length - kept));
  }
}
