import fc from 'fast-check';
import { expect, it } from 'vitest';
import { choosePartSize, describePartSize, MIB } from '../../src/domain/part-size.ts';

const GIB = 1024 * MIB;
const choose = (expectedBytes: number | undefined, maxParts = 10_000, fixedMib?: number) =>
  choosePartSize({ expectedBytes, maxParts, fixedMib });

it('takes 16 MiB when nothing is known, and for every database up to 78 GiB', () => {
  for (const bytes of [undefined, 0, GIB, 78 * GIB]) {
    expect(choose(bytes)).toEqual({
      partSizeBytes: 16 * MIB,
      maxParts: 10_000,
      inFlight: 4,
      capacityBytes: 160_000 * MIB,
    });
  }
  expect(choose(79 * GIB).partSizeBytes).toBe(17 * MIB);
});

it('always holds twice the estimate, in whole MiB, up to the largest part that S3 allows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 * 1024 * GIB }), fc.constantFrom(1_000, 10_000), (bytes, maxParts) => {
      const plan = choose(bytes, maxParts);
      expect(plan.partSizeBytes % MIB).toBe(0);
      expect(plan.partSizeBytes).toBeLessThanOrEqual(5 * GIB);
      if (plan.partSizeBytes < 5 * GIB) expect(plan.capacityBytes).toBeGreaterThanOrEqual(2 * bytes);
    }),
  );
});

it('sends fewer large parts at once, so that buffers stay within 320 MiB or two parts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 5 * 1024 }), (mib) => {
      const { inFlight, partSizeBytes } = choose(undefined, 10_000, mib);
      expect(inFlight).toBeGreaterThanOrEqual(1);
      expect((inFlight + 1) * partSizeBytes).toBeLessThanOrEqual(Math.max(320 * MIB, 2 * partSizeBytes));
    }),
  );
});

it('uses a size that the user fixed as it is', () => {
  expect(choose(100 * GIB, 1_000, 5)).toMatchObject({ partSizeBytes: 5 * MIB, capacityBytes: 5_000 * MIB });
});

it('says what larger parts cost, and nothing of usual ones', () => {
  expect(describePartSize(choose(undefined))).toBeUndefined();
  expect(describePartSize(choose(500 * GIB))).toBe(
    'Parts of 103 MiB, so that an object of up to 1005.9 GiB fits into 10,000 parts. ' +
      'Buffers take up to 309 MiB of memory (2 in flight and one being filled).',
  );
});
