/**
 * Bech32 (BIP 173) without its limit of 90 characters, as age uses it. Our own, because every run checks recipients
 * before its first line of log and the age library takes longer to load than all of that.
 */

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_CHARACTERS = 6;

export interface Bech32 {
  /** Lower case. */
  prefix: string;
  bytes: Uint8Array;
}

/** `undefined` when the text is not bech32: mixed case, foreign characters, wrong checksum or bits left over. */
export function decodeBech32(text: string): Bech32 | undefined {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  const separator = lower.lastIndexOf('1');
  if (separator < 1 || lower.length - separator - 1 < CHECKSUM_CHARACTERS) return undefined;
  const prefix = lower.slice(0, separator);
  if (!/^[\x21-\x7e]+$/.test(prefix)) return undefined;
  const words = [...lower.slice(separator + 1)].map((character) => ALPHABET.indexOf(character));
  if (words.includes(-1) || checksum([...expand(prefix), ...words]) !== 1) return undefined;
  const bytes = toBytes(words.slice(0, -CHECKSUM_CHARACTERS));
  return bytes === undefined ? undefined : { prefix, bytes };
}

function expand(prefix: string): number[] {
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function checksum(words: readonly number[]): number {
  let sum = 1;
  for (const word of words) {
    const top = sum >> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    for (const [bit, value] of GENERATOR.entries()) if ((top >> bit) & 1) sum ^= value;
  }
  return sum;
}

/** Groups of five bits to bytes; what is left over must be fewer than five bits, all zero. */
function toBytes(words: readonly number[]): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const word of words) {
    value = ((value << 5) | word) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return bits >= 5 || (value & ((1 << bits) - 1)) !== 0 ? undefined : Uint8Array.from(bytes);
}
