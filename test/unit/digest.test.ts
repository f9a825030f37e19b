import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';
import { compileRowsModule, generatedSource } from '../../src/postgres/digest/build.ts';
import { RowsDigester } from '../../src/postgres/digest/rows-digester.ts';
import { ROWS_MODULE_BASE64 } from '../../src/postgres/digest/rows-xxh64x2.generated.ts';

const SECOND_SEED = 0x9e3779b185ebca87n;
const { h64Raw, create64 } = await xxhash();

/** XXH64 of one input by the specification alone. */
function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const [p1, p2, p3] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n] as const;
  const [p4, p5] = [0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n] as const;
  const wrap = (value: bigint) => BigInt.asUintN(64, value);
  const rotate = (value: bigint, bits: bigint) => wrap((wrap(value) << bits) | (wrap(value) >> (64n - bits)));
  const round = (lane: bigint, input: bigint) => wrap(rotate(lane + input * p2, 31n) * p1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = wrap(seed + p5);
  if (bytes.length >= 32) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map(wrap);
    for (; at + 32 <= bytes.length; at += 32) {
      for (const index of lanes.keys())
        lanes[index] = round(lanes[index] ?? 0n, view.getBigUint64(at + index * 8, true));
    }
    const [v1 = 0n, v2 = 0n, v3 = 0n, v4 = 0n] = lanes;
    hash = wrap(rotate(v1, 1n) + rotate(v2, 7n) + rotate(v3, 12n) + rotate(v4, 18n));
    for (const lane of lanes) hash = wrap((hash ^ round(0n, lane)) * p1 + p4);
  }
  hash = wrap(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4);
  }
  if (at + 4 <= bytes.length) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < bytes.length; at += 1) hash = wrap(rotate(hash ^ wrap(BigInt(bytes[at] ?? 0) * p5), 11n) * p1);
  hash = wrap((hash ^ (hash >> 33n)) * p2);
  hash = wrap((hash ^ (hash >> 29n)) * p3);
  return hash ^ (hash >> 32n);
}

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, '0');
}

function expectedDigest(rows: readonly Uint8Array[], hash: (row: Uint8Array, seed: bigint) => bigint): string {
  const sum = (seed: bigint) => rows.reduce((total, row) => total + hash(row, seed), 0n);
  return hex(sum(0n)) + hex(sum(SECOND_SEED));
}

function copyText(rows: readonly Uint8Array[], end = ''): Buffer {
  return Buffer.concat([...rows.flatMap((row) => [row, Buffer.from('\n')]), Buffer.from(end)]);
}

/** Cuts `bytes` into pieces of the given sizes, over and over. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sizes[parts.length % sizes.length] ?? 1;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

function digestOf(parts: readonly Uint8Array[]) {
  const digester = new RowsDigester();
  for (const part of parts) digester.feedRows(part);
  return digester.finish();
}

const row = fc.uint8Array({ maxLength: 200 }).map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0x0b : byte)));
const rowsOf = fc.array(row, { maxLength: 40 });
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });

describe('the content digest', () => {
  test('has the known values of XXH64', () => {
    const empty = digestOf([Buffer.from('\n')]);
    expect(empty.digest).toBe(`ef46db3751d8e999${hex(xxh64(Buffer.alloc(0), SECOND_SEED))}`);
    expect(digestOf([Buffer.from('a\n')]).digest.slice(0, 16)).toBe('d24ec4f1a98c6e5b');
    expect(digestOf([Buffer.from('abc\n')]).digest.slice(0, 16)).toBe('44bc2cf5ad770999');
    const spammish = 'Nobody inspects the spammish repetition';
    expect(digestOf([Buffer.from(`${spammish}\n`)]).digest.slice(0, 16)).toBe('fbcea83c8a378bf1');
    expect(xxh64(Buffer.from(spammish), 0n)).toBe(0xfbcea83c8a378bf1n);
  });

  test('of no rows is zero, and one empty row is not no row', () => {
    expect(digestOf([])).toEqual({ rows: 0, digest: '0'.repeat(32), bytes: 0 });
    expect(digestOf([Buffer.from('\n\n\n')])).toMatchObject({ rows: 3, bytes: 3 });
  });

  test('agrees with two independent implementations for rows of every length', () => {
    for (let length = 0; length <= 300; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, index) => ((index * 37 + length) % 245) + 11);
      const { digest } = digestOf([copyText([bytes])]);
      expect(digest).toBe(expectedDigest([bytes], xxh64));
      expect(digest).toBe(expectedDigest([bytes], (each, seed) => h64Raw(each, seed)));
    }
  });

  test('agrees with another implementation however the bytes are cut', () => {
    fc.assert(
      fc.property(rowsOf, sizes, (rows, cuts) => {
        const text = copyText(rows);
        const digest = expectedDigest(rows, (each, seed) => h64Raw(each, seed));
        expect(digestOf(pieces(text, cuts))).toEqual({ rows: rows.length, digest, bytes: text.length });
      }),
    );
  });

  test('does not depend on the order of rows, and changes when a row is lost, doubled or altered', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), fc.nat(), (rows, at) => {
        const { digest } = digestOf([copyText(rows)]);
        const turned = [...rows.slice(at % rows.length), ...rows.slice(0, at % rows.length)].reverse();
        expect(digestOf([copyText(turned)]).digest).toBe(digest);
        const chosen = rows[at % rows.length] as Uint8Array;
        const others = rows.filter((_, index) => index !== at % rows.length);
        expect(digestOf([copyText(others)]).digest).not.toBe(digest);
        expect(digestOf([copyText([...rows, chosen])]).digest).not.toBe(digest);
        expect(digestOf([copyText([...others, Buffer.concat([chosen, Buffer.from('x')])])]).digest).not.toBe(digest);
      }),
    );
  });

  test('keeps two rows apart whose bytes moved over the boundary between them', () => {
    expect(digestOf([Buffer.from('ab\nc\n')]).digest).not.toBe(digestOf([Buffer.from('a\nbc\n')]).digest);
  });

  test('reads a row of 50 MB in constant memory', () => {
    const block = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz-ABCDE'.repeat(1561)).subarray(0, 65_521);
    const digester = new RowsDigester();
    const reference = [create64(0n), create64(SECOND_SEED)];
    digester.feedRows(Buffer.from('before\n'));
    for (let index = 0; index < 800; index += 1) {
      digester.feedRows(block);
      for (const hash of reference) hash.update(block);
    }
    digester.feedRows(Buffer.from('\n'));
    const before = Buffer.from('before');
    const [first = 0n, second = 0n] = reference.map((hash) => hash.digest());
    expect(digester.finish()).toEqual({
      rows: 2,
      digest: hex(first + h64Raw(before, 0n)) + hex(second + h64Raw(before, SECOND_SEED)),
      bytes: 800 * 65_521 + 8,
    });
  });

  test('takes a chunk larger than its own memory', () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => Buffer.from(`${index}\t${'x'.repeat(index % 90)}`));
    const text = copyText(rows);
    expect(text.length).toBeGreaterThan(600_000);
    expect(digestOf([text])).toEqual(digestOf(pieces(text, [777])));
  });
});

describe('the end of a COPY block', () => {
  const rest = 'SELECT 1;\n\\.\n';
  const rows = ['1\tone', '\\N', '', '\\\\.', '.', 'x\\.', '\\.x'].map((text) => Buffer.from(text));

  test('is found wherever the bytes are cut, and what follows is left alone', () => {
    const text = copyText(rows, `\\.\n${rest}`);
    const whole = digestOf([copyText(rows)]);
    for (let size = 1; size <= text.length; size += 1) {
      const digester = new RowsDigester();
      let offset = 0;
      for (const part of pieces(text, [size])) {
        if (digester.ended) break;
        offset += digester.feed(part, 0);
      }
      expect(digester.ended).toBe(true);
      expect(offset).toBe(text.length - rest.length);
      expect(digester.finish()).toEqual(whole);
    }
  });

  test('is found from an offset inside a chunk', () => {
    const text = Buffer.from('COPY t FROM stdin;\na\nb\n\\.\nrest');
    const digester = new RowsDigester();
    expect(digester.feed(text, 19)).toBe(text.length - 4);
    expect(digester.finish()).toMatchObject({ rows: 2, bytes: 4 });
  });

  test('is not looked for in the rows of COPY TO STDOUT', () => {
    expect(digestOf([Buffer.from('\\.\n')]).rows).toBe(1);
  });

  test('that never comes is an error', () => {
    const digester = new RowsDigester();
    digester.feed(Buffer.from('1\n2\n'), 0);
    expect(() => digester.finish()).toThrow(expect.objectContaining({ code: 'ERR_NOT_PROVEN' }));
    const cut = new RowsDigester();
    cut.feedRows(Buffer.from('1\n2'));
    expect(() => cut.finish()).toThrow(expect.objectContaining({ code: 'ERR_NOT_PROVEN' }));
  });

  test('makes room for the next table after a reset', () => {
    const digester = new RowsDigester();
    digester.feed(Buffer.from('1\n2\n\\.\n'), 0);
    digester.reset();
    digester.feed(Buffer.from('3\n\\.\n'), 0);
    expect(digester.finish()).toEqual(digestOf([Buffer.from('3\n')]));
  });
});

test('the committed WebAssembly module is what its source compiles to', async () => {
  const module = await compileRowsModule();
  expect(ROWS_MODULE_BASE64).toBe(Buffer.from(module).toString('base64'));
  expect(generatedSource(module)).toContain(ROWS_MODULE_BASE64);
});
