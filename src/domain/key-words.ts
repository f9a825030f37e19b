/** Keys of objects in messages. They come from whoever can write there, so they are shown as JSON and cut. */
import { listWords } from './words.ts';

const KEYS_NAMED = 5;
const KEY_CHARACTERS = 120;

/** `"shop/notes.txt", "shop/x" and 3 more` */
export function fewKeys(keys: readonly string[]): string {
  const quoted = keys.map((key) => JSON.stringify(key.slice(0, KEY_CHARACTERS)));
  return listWords(quoted, { most: KEYS_NAMED });
}
