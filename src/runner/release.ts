/**
 * Gives the memory of a chunk back at once, if the chunk is all of it. Every read from a pipe allocates its own
 * 64 KiB, of which the garbage collector otherwise lets some 70 MB pile up, because it sees only small objects.
 * Nobody may hold on to the chunk.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0);
}
