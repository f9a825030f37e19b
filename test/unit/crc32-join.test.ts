/** CRCs of pieces, joined, against zlib's CRC of the whole. */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { joinCrc32 } from '../../src/storage/s3/crc32-join.ts';

test.each([
  [0, 0],
  [0, 5],
  [5, 0],
  [1, 1],
  [3, 70_000],
  [70_000, 3],
  [16 * 1024 * 1024, 16 * 1024 * 1024],
  [1_000_003, 999_983],
])('%d bytes and %d after them', (leading, following) => {
  const [first, second] = [randomBytes(leading), randomBytes(following)];
  expect(joinCrc32(crc32(first), crc32(second), following)).toBe(crc32(Buffer.concat([first, second])));
});

test('many parts, one after the other', () => {
  const parts = Array.from({ length: 50 }, (_, index) => randomBytes(1 + index * 97));
  const joined = parts.reduce((whole, part) => joinCrc32(whole, crc32(part), part.byteLength), 0);
  expect(joined).toBe(crc32(Buffer.concat(parts)));
});

test('more bytes than 32 bits can count: zeros, whose CRC follows from those of halves', () => {
  let [length, crc] = [2 ** 20, crc32(Buffer.alloc(2 ** 20))];
  for (; length < 2 ** 34; length *= 2) crc = joinCrc32(crc, crc, length);
  // Once more in other pieces.
  const mebibyte = crc32(Buffer.alloc(2 ** 20));
  const rest = Array.from({ length: 14 }, (_, index) => index).reduce(
    (zeros, index) => joinCrc32(zeros, zeros, 2 ** (20 + index)),
    mebibyte,
  );
  expect(rest).toBe(crc);
  expect(joinCrc32(0, 0x1234_5678, 2 ** 40)).toBe(0x1234_5678);
});
