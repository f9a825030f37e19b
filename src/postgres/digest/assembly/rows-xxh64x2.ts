/**
 * Splits COPY text into rows and digests them as `rows-xxh64x2` (docs/format.md).
 *
 * The host copies bytes to `input()` and calls `feed`. Nothing is allocated: the state is a handful of
 * globals and 32 bytes of memory, so a row may be of any length and may span any number of calls.
 * Constants and steps are those of the XXH64 specification (xxhash_spec.md of the xxHash project).
 */
const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

/** The second seed; the first is 0. */
const SEED: u64 = 0x9e3779b185ebca87;

/** The bytes of `\.`, read as a little-endian number. */
const TERMINATOR: u32 = 0x2e5c;

/** Bytes of one call at most. Behind them `findNewline` may read up to 15 bytes of slack. */
const INPUT_BYTES: i32 = 262144;

/** What is left of the open row behind its last whole stripe of 32 bytes. */
const rest: usize = memory.data(32, 16);

/** Lanes of both seeds for the row that spans calls. */
let a1: u64 = 0;
let a2: u64 = 0;
let a3: u64 = 0;
let a4: u64 = 0;
let b1: u64 = 0;
let b2: u64 = 0;
let b3: u64 = 0;
let b4: u64 = 0;

/** A row has begun whose newline has not been seen. */
let isOpen: bool = false;
let openLength: u64 = 0;
let isEnded: bool = false;
let rowCount: u64 = 0;
let sumA: u64 = 0;
let sumB: u64 = 0;

export function input(): usize {
  return (__heap_base + 15) & ~15;
}

export function inputBytes(): i32 {
  return INPUT_BYTES;
}

export function reset(): void {
  isOpen = false;
  openLength = 0;
  isEnded = false;
  rowCount = 0;
  sumA = 0;
  sumB = 0;
}

/** 1 once the terminator line was read. */
export function ended(): i32 {
  return isEnded ? 1 : 0;
}

/** 1 while a row waits for its newline. */
export function open(): i32 {
  return isOpen ? 1 : 0;
}

/** Exact up to 2^53. */
export function rows(): f64 {
  return <f64>rowCount;
}

/** Sum of the hashes with seed 0. */
export function sum0(): u64 {
  return sumA;
}

/** Sum of the hashes with the second seed. */
export function sum1(): u64 {
  return sumB;
}

/**
 * Reads `length` bytes at `input()`. With `terminated`, stops behind the line `\.`.
 * Returns how many bytes were read.
 */
export function feed(length: i32, terminated: i32): i32 {
  const base = input();
  const end = base + <usize>length;
  let at = base;
  if (isOpen) {
    const newline = findNewline(at, end);
    absorb(at, newline);
    if (newline == end) return length;
    at = newline + 1;
    isOpen = false;
    if (terminated && openLength == 2 && load<u16>(rest) == <u16>TERMINATOR) {
      isEnded = true;
      return <i32>(at - base);
    }
    closeRow();
  }
  while (at < end) {
    const newline = findNewline(at, end);
    if (newline == end) {
      openRow();
      absorb(at, end);
      break;
    }
    const size = newline - at;
    if (size == 2 && terminated && load<u16>(at) == <u16>TERMINATOR) {
      isEnded = true;
      return <i32>(newline + 1 - base);
    }
    hashRow(at, size);
    at = newline + 1;
  }
  return length;
}

// @ts-ignore: decorator
@inline
function findNewline(from: usize, end: usize): usize {
  const wanted = i8x16.splat(0x0a);
  let at = from;
  while (at < end) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (hits) {
      at += <usize>ctz(hits);
      return at < end ? at : end;
    }
    at += 16;
  }
  return end;
}

// @ts-ignore: decorator
@inline
function step(lane: u64, scaled: u64): u64 {
  return rotl(lane + scaled, 31) * P1;
}

// @ts-ignore: decorator
@inline
function merge(hash: u64, lane: u64): u64 {
  return (hash ^ (rotl(lane * P2, 31) * P1)) * P1 + P4;
}

// @ts-ignore: decorator
@inline
function converge(v1: u64, v2: u64, v3: u64, v4: u64): u64 {
  const mixed = rotl(v1, 1) + rotl(v2, 7) + rotl(v3, 12) + rotl(v4, 18);
  return merge(merge(merge(merge(mixed, v1), v2), v3), v4);
}

// @ts-ignore: decorator
@inline
function avalanche(hash: u64): u64 {
  let h = hash;
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}

/** A row that lies whole in the input. */
// @ts-ignore: decorator
@inline
function hashRow(from: usize, size: usize): void {
  let at = from;
  let hashA: u64 = P5;
  let hashB: u64 = SEED + P5;
  if (size >= 32) {
    const last = from + size - 32;
    let v1: u64 = P1 + P2;
    let v2: u64 = P2;
    let v3: u64 = 0;
    let v4: u64 = 0 - P1;
    let w1: u64 = SEED + P1 + P2;
    let w2: u64 = SEED + P2;
    let w3: u64 = SEED;
    let w4: u64 = SEED - P1;
    do {
      // Scaling the input does not depend on the seed: once for both.
      const s1 = load<u64>(at) * P2;
      const s2 = load<u64>(at, 8) * P2;
      const s3 = load<u64>(at, 16) * P2;
      const s4 = load<u64>(at, 24) * P2;
      v1 = step(v1, s1);
      v2 = step(v2, s2);
      v3 = step(v3, s3);
      v4 = step(v4, s4);
      w1 = step(w1, s1);
      w2 = step(w2, s2);
      w3 = step(w3, s3);
      w4 = step(w4, s4);
      at += 32;
    } while (at <= last);
    hashA = converge(v1, v2, v3, v4);
    hashB = converge(w1, w2, w3, w4);
  }
  finishRow(hashA + <u64>size, hashB + <u64>size, at, from + size);
}

/** The bytes behind the last whole stripe, then the sums. */
// @ts-ignore: decorator
@inline
function finishRow(startA: u64, startB: u64, from: usize, end: usize): void {
  let hashA = startA;
  let hashB = startB;
  let at = from;
  while (at + 8 <= end) {
    const scaled = rotl(load<u64>(at) * P2, 31) * P1;
    hashA = rotl(hashA ^ scaled, 27) * P1 + P4;
    hashB = rotl(hashB ^ scaled, 27) * P1 + P4;
    at += 8;
  }
  if (at + 4 <= end) {
    const scaled = <u64>load<u32>(at) * P1;
    hashA = rotl(hashA ^ scaled, 23) * P2 + P3;
    hashB = rotl(hashB ^ scaled, 23) * P2 + P3;
    at += 4;
  }
  while (at < end) {
    const scaled = <u64>load<u8>(at) * P5;
    hashA = rotl(hashA ^ scaled, 11) * P1;
    hashB = rotl(hashB ^ scaled, 11) * P1;
    at += 1;
  }
  sumA += avalanche(hashA);
  sumB += avalanche(hashB);
  rowCount += 1;
}

function openRow(): void {
  isOpen = true;
  openLength = 0;
  a1 = P1 + P2;
  a2 = P2;
  a3 = 0;
  a4 = 0 - P1;
  b1 = SEED + P1 + P2;
  b2 = SEED + P2;
  b3 = SEED;
  b4 = SEED - P1;
}

/** Adds bytes to the open row. */
function absorb(from: usize, end: usize): void {
  const held = <usize>(openLength & 31);
  const size = end - from;
  openLength += <u64>size;
  let at = from;
  if (held > 0) {
    const room: usize = 32 - held;
    if (size < room) {
      memory.copy(rest + held, from, size);
      return;
    }
    memory.copy(rest + held, from, room);
    absorbStripe(rest);
    at += room;
  }
  while (at + 32 <= end) {
    absorbStripe(at);
    at += 32;
  }
  memory.copy(rest, at, end - at);
}

// @ts-ignore: decorator
@inline
function absorbStripe(at: usize): void {
  const s1 = load<u64>(at) * P2;
  const s2 = load<u64>(at, 8) * P2;
  const s3 = load<u64>(at, 16) * P2;
  const s4 = load<u64>(at, 24) * P2;
  a1 = step(a1, s1);
  a2 = step(a2, s2);
  a3 = step(a3, s3);
  a4 = step(a4, s4);
  b1 = step(b1, s1);
  b2 = step(b2, s2);
  b3 = step(b3, s3);
  b4 = step(b4, s4);
}

function closeRow(): void {
  let hashA: u64 = P5;
  let hashB: u64 = SEED + P5;
  if (openLength >= 32) {
    hashA = converge(a1, a2, a3, a4);
    hashB = converge(b1, b2, b3, b4);
  }
  finishRow(hashA + openLength, hashB + openLength, rest, rest + <usize>(openLength & 31));
}
