/** Bech32 (BIP 173) without its limit of 90 characters, as age uses it. */
import { bech32 } from '@scure/base';

export interface Bech32 {
  /** Lower case. */
  prefix: string;
  bytes: Uint8Array;
}

/** `undefined` when the text is not bech32: mixed case, foreign characters, wrong checksum or bits left over. */
export function decodeBech32(text: string): Bech32 | undefined {
  const decoded = bech32.decodeUnsafe(text, false);
  const bytes = decoded === undefined ? undefined : bech32.fromWordsUnsafe(decoded.words);
  return decoded === undefined || !bytes ? undefined : { prefix: decoded.prefix, bytes };
}
