/** Dollar quotes: `$tag$ … $tag$`. */
import { DOLLAR, IN_WORD } from './sql-bytes.ts';

/** A tag of a length that no client writes is none. */
const MAX_TAG_BYTES = 1024;

/** One dollar quote, fed in pieces cut anywhere. */
export class DollarQuote {
  #delimiter: number[] = [];
  #matched = 0;

  /** A dollar sign was read. */
  begin(): void {
    this.#delimiter = [DOLLAR];
    this.#matched = 0;
  }

  /** What the next byte behind the first dollar sign makes of it; a `parameter` is a number such as `$1`. */
  tagByte(byte: number): 'tag' | 'body' | 'parameter' | 'neither' {
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (this.#delimiter.length === 1 && isDigit) return 'parameter';
    if (IN_WORD[byte] !== 1 || this.#delimiter.length > MAX_TAG_BYTES) return 'neither';
    this.#delimiter.push(byte);
    return byte === DOLLAR ? 'body' : 'tag';
  }

  /** The offset behind the closing delimiter; `undefined` when the body goes on in the next chunk. */
  endOfBody(bytes: Buffer, from: number): number | undefined {
    let at = from;
    while (at < bytes.length) {
      if (this.#matched === 0) {
        const found = bytes.indexOf(DOLLAR, at);
        if (found === -1) return undefined;
        this.#matched = 1;
        at = found + 1;
        continue;
      }
      const byte = bytes[at] as number;
      at += 1;
      // A dollar sign stands only at both ends of the delimiter, so after a mismatch it can only begin anew.
      if (byte !== this.#delimiter[this.#matched]) this.#matched = byte === DOLLAR ? 1 : 0;
      else this.#matched += 1;
      if (this.#matched === this.#delimiter.length) return at;
    }
    return undefined;
  }
}
