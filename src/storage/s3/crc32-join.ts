/**
 * The CRC32 of two pieces together, from that of each: so that an object's need not be computed beside those of its parts.
 * A CRC is a polynomial over GF(2) modulo the generator of IEEE 802.3, here in zlib's reversed order of bits: what follows it
 * multiplies it by x for each of its bits.
 */

const GENERATOR = 0xedb88320;
/** The polynomial 1: the highest bit is x⁰. */
const ONE = 0x8000_0000;
/** x, x², x⁴, x⁸ …; 2³² − 1 divides the order of x, so that they repeat. */
const POWERS = powersOfX();

/** @param followingBytes how many bytes `following` is the CRC of */
export function joinCrc32(leading: number, following: number, followingBytes: number): number {
  let shift = ONE;
  // Bytes have 2³ bits.
  for (let rest = followingBytes, power = 3; rest > 0; rest = Math.floor(rest / 2), power += 1) {
    if (rest % 2 === 1) shift = multiply(POWERS[power % 32] as number, shift);
  }
  return (multiply(shift, leading) ^ following) >>> 0;
}

function powersOfX(): number[] {
  const powers = [ONE >>> 1];
  while (powers.length < 32) {
    const last = powers.at(-1) as number;
    powers.push(multiply(last, last));
  }
  return powers;
}

function multiply(left: number, right: number): number {
  let product = 0;
  let shifted = right;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ GENERATOR;
  }
  return product >>> 0;
}
