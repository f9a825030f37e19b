/**
 * Cuts what zstd wrote at the ends of its frames (RFC 8878, 3.1). Node's decompressor goes on with the next frame only
 * when that begins with a write of its own: of a file from `pzstd`, or of two files in one, it would otherwise give the
 * first part and no error.
 */

const SKIPPABLE_HEADER_BYTES = 8;
const CHECKSUM_BYTES = 4;
const RLE = 1;

export class FrameCutter {
  #state: 'start' | 'skippable' | 'block' | 'last' | 'unknown' = 'start';
  /** Of a frame or a block, gathered because it may be cut in two. */
  #header: number[] = [];
  #headerBytes = 5;
  /** Content to pass over before anything else is read. */
  #passOver = 0;
  #hasChecksum = false;

  /** The same bytes, in pieces of which none reaches beyond the end of a frame. */
  push(chunk: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#passOver > 0) {
        const step = Math.min(this.#passOver, chunk.byteLength - at);
        this.#passOver -= step;
        at += step;
      } else {
        this.#header.push(chunk[at] as number);
        at += 1;
        if (this.#header.length === this.#headerBytes) this.#readHeader(Buffer.from(this.#header));
      }
      if (this.#state !== 'last' || this.#passOver > 0) continue;
      pieces.push(chunk.subarray(start, at));
      start = at;
      this.#expect('start', 5);
    }
    return start < chunk.byteLength ? [...pieces, chunk.subarray(start)] : pieces;
  }

  #readHeader(header: Buffer): void {
    if (this.#state === 'block') {
      this.#readBlock(header.readUIntLE(0, 3));
    } else if (this.#state === 'skippable') {
      this.#state = 'last';
      this.#passOver = header.readUInt32LE(4);
    } else {
      this.#readStart(header);
    }
  }

  #readStart(header: Buffer): void {
    const magic = header.readUInt32LE(0);
    if (magic >>> 4 === 0x0184d2a5) {
      this.#state = 'skippable';
      this.#headerBytes = SKIPPABLE_HEADER_BYTES;
    } else if (magic === 0xfd2fb528) {
      this.#passOver = this.#readFrame(header[4] as number);
      this.#expect('block', 3);
    } else {
      // The decompressor says what is wrong with it.
      this.#state = 'unknown';
      this.#passOver = Number.POSITIVE_INFINITY;
    }
  }

  /** How many bytes of the frame's header follow its descriptor. */
  #readFrame(descriptor: number): number {
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const windowBytes = isSingleSegment ? 0 : 1;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03] as number;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
    return windowBytes + dictionaryBytes + sizeBytes;
  }

  #readBlock(header: number): void {
    const isLast = (header & 1) === 1;
    const size = ((header >>> 1) & 3) === RLE ? 1 : header >>> 3;
    this.#passOver = size + (isLast && this.#hasChecksum ? CHECKSUM_BYTES : 0);
    if (isLast) this.#state = 'last';
    this.#header = [];
  }

  #expect(state: 'start' | 'block', headerBytes: number): void {
    this.#state = state;
    this.#headerBytes = headerBytes;
    this.#header = [];
  }
}
