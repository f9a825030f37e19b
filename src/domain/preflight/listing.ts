/** Lists in a sentence that stay short. */
import { displayName, type QualifiedName } from '../relations.ts';

const SHOWN = 10;

/** `a.b, c.d and 12 more` */
export function listNames(names: readonly QualifiedName[]): string {
  return listWords(names.map(displayName));
}

/** `a, b and 12 more` */
export function listWords(words: readonly string[]): string {
  const shown = words.slice(0, SHOWN).join(', ');
  return words.length > SHOWN ? `${shown} and ${words.length - SHOWN} more` : shown;
}
