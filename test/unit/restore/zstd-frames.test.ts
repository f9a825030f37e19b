import { randomBytes } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { constants, createZstdDecompress, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCutter } from '../../../src/restore/zstd-frames.ts';

const SKIPPABLE = Buffer.concat([Buffer.from('532a4d1803000000', 'hex'), Buffer.from('abc')]);
const EMPTY_SKIPPABLE = Buffer.from('502a4d1800000000', 'hex');

const checksummed = (bytes: Buffer): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
/** Compresses to nothing but one repeated byte, to itself, and to something between; sizes of every header form. */
const frame = fc
  .tuple(fc.constantFrom('zeros', 'random', 'text'), fc.constantFrom(0, 1, 200, 300, 70_000, 400_000), fc.boolean())
  .map(([kind, size, checksum]) => {
    const plain =
      kind === 'zeros' ? Buffer.alloc(size) : kind === 'random' ? randomBytes(size) : Buffer.alloc(size, 'abcd');
    return { plain, packed: checksum ? checksummed(plain) : zstdCompressSync(plain) };
  });
const part = fc.oneof(
  frame,
  fc.constantFrom({ plain: Buffer.alloc(0), packed: SKIPPABLE }, { plain: Buffer.alloc(0), packed: EMPTY_SKIPPABLE }),
);

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

async function unpack(pieces: readonly Uint8Array[]): Promise<Buffer> {
  const transform = createZstdDecompress();
  pipeline(Readable.from(pieces), transform, () => undefined);
  return Buffer.concat(await transform.toArray());
}

test('Node alone gives the first of two frames and no error, which is why they are cut', async () => {
  const two = Buffer.concat([zstdCompressSync('one'), zstdCompressSync('two')]);
  expect((await unpack([two])).toString()).toBe('one');
  expect((await unpack(new FrameCutter().push(two))).toString()).toBe('onetwo');
});

test('frames of every form come out whole, however they arrive', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), sizes, async (parts, cuts) => {
      const packed = Buffer.concat(parts.map((each) => each.packed));
      const cutter = new FrameCutter();
      const pieces = cut(packed, cuts).flatMap((piece) => cutter.push(piece));
      expect(Buffer.concat(pieces).equals(packed)).toBe(true);
      expect((await unpack(pieces)).equals(Buffer.concat(parts.map((each) => each.plain)))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('byte by byte it is the same', async () => {
  const packed = Buffer.concat([
    checksummed(Buffer.from('first')),
    SKIPPABLE,
    EMPTY_SKIPPABLE,
    zstdCompressSync('second'),
  ]);
  const cutter = new FrameCutter();
  expect((await unpack(cut(packed, [1]).flatMap((piece) => cutter.push(piece)))).toString()).toBe('firstsecond');
});

test('what is no frame is passed on for the decompressor to refuse', async () => {
  const pieces = new FrameCutter().push(Buffer.concat([zstdCompressSync('one'), Buffer.from('no frame at all')]));
  await expect(unpack(pieces)).rejects.toThrow();
});
