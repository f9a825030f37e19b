/** Keys of objects in messages. They come from whoever can write there, so they are shown as JSON and cut. */
import { countOf } from './words.ts';

const KEYS_NAMED = 5;
const KEY_CHARACTERS = 120;

/** `"shop/notes.txt", "shop/x" and 3 others` */
export function fewKeys(keys: readonly string[]): string {
  const named = keys.slice(0, KEYS_NAMED).map((key) => JSON.stringify(key.slice(0, KEY_CHARACTERS)));
  const more = keys.length > named.length ? ` and ${countOf(keys.length - named.length, 'other')}` : '';
  return `${named.join(', ')}${more}`;
}
