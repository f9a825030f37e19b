/** Which words `backup` knows, and which of them was meant by one that it does not know. */
import { closeNames, editDistance } from './close-names.ts';

/** The words that choose without saying more. */
export const CHOICES = ['latest', 'latest-proven', 'latest-restored'] as const;

const EXAMPLE = 'before:2026-11-21T02:00:00Z';

/** All that `backup` may say. */
export const SELECTOR_FORMS = `Write ${CHOICES.join(', ')}, ${EXAMPLE}, the id of a backup or its beginning, or where it lies (s3://bucket/… or a path such as ./name).`;

/** What people call a backup, and the form that says it. Of several the first line counts. */
const MEANT: readonly (readonly [RegExp, string])[] = [
  [/^(restored|drilled|tested)$/, 'latest-restored'],
  [/^(proven|good|safe|verified|valid|green)$/, 'latest-proven'],
  [/^(before|yesterday|today|tonight|night|hour|day|week|month|ago)s?$/, EXAMPLE],
  [/^(newest|last|recent|current|now)$/, 'latest-proven'],
];

/** What was meant by a text that is none of the forms; empty when nothing is like it. */
function meantBy(text: string): string[] {
  const [date, day = '', time] = /^(\d{4}-\d\d-\d\d)([T ].*)?$/i.exec(text) ?? [];
  if (date !== undefined) {
    return time === undefined ? [`${day.replaceAll('-', '')} for one of that day`, `before:${day}`] : [EXAMPLE];
  }
  const word = text.toLowerCase();
  const parts = word.split(/[-_ ]/);
  const meant = MEANT.find(([pattern]) => parts.some((part) => pattern.test(part)));
  return meant === undefined ? closeNames(word, CHOICES).slice(0, 1) : [meant[1]];
}

/** Without a slash and the end of a file's name: more likely a word than a place. */
export function isBareWord(text: string): boolean {
  return !/[/.]/.test(text);
}

/** Too like one of the words to be taken for a file: whoever has one of that name can write `./name`. */
export function isMistakenWord(text: string): boolean {
  const word = text.toLowerCase();
  const isLikeOne =
    /^(latest|before|newest)/.test(word) ||
    MEANT.some(([pattern]) => pattern.test(word)) ||
    CHOICES.some((choice) => editDistance(word, choice) <= 2);
  return isBareWord(word) && isLikeOne;
}

/** `Did you mean …?`, where something is like it, and all forms. */
export function selectorAdvice(text: string): string {
  const meant = meantBy(text);
  return meant.length === 0 ? SELECTOR_FORMS : `Did you mean ${meant.join(' or ')}? ${SELECTOR_FORMS}`;
}
