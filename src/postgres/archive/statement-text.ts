/** Keeps the beginning of the statement under way; of most statements that is all of it. */

/**
 * Holds the longest COPY statement (1,600 columns, every name 63 bytes, each of them a doubled quote: 208 KB)
 * and the longest `lowrite` (16 KiB in hexadecimal).
 */
const MAX_HEAD_BYTES = 512 * 1024;
const FIRST_BYTES = 64 * 1024;

export class StatementText {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #isLong = false;

  /** Longer than can be kept: {@link head} is a beginning only. */
  get isLong(): boolean {
    return this.#isLong;
  }

  /** Valid until the next statement begins. */
  get head(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.#isLong = false;
  }

  /** Appends `part` if it still fits, else marks the statement as long and returns false. */
  append(part: Uint8Array): boolean {
    const needed = this.#length + part.length;
    if (this.#isLong || needed > MAX_HEAD_BYTES) {
      this.#isLong = true;
      return false;
    }
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_HEAD_BYTES, Math.max(needed, this.#buffer.length * 2)));
      larger.set(this.head);
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#length);
    this.#length = needed;
    return true;
  }
}
