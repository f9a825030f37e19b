/** Times and words that several parts of the page have in common. */
import type { Level } from '../../domain/status/model.ts';
import { ageOf } from '../../domain/time.ts';
import type { Html, Markup } from './markup.ts';

/** How good something is, as the style sheet names it. */
export type Tone = 'good' | 'doubt' | 'bad' | 'plain';

export const LEVEL_TONES: Readonly<Record<Level, Tone>> = { info: 'plain', warning: 'doubt', critical: 'bad' };

export function badge(tone: Tone, words: string, markup: Markup): Html {
  return markup.html`<span class="badge ${tone}">${words}</span>`;
}

/** `3 h 5 min`; nothing is younger than now, whatever clocks say. */
export function ageAt(now: Date, at: Date): string {
  return withoutZero(ageOf(at, now));
}

/** `3 h` for `3 h 0 min`. */
export function withoutZero(time: string): string {
  return time.replace(/(?<=\D) 0 \w+$/, '');
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, names.length > most + 1 ? most : names.length);
  const more = names.length - shown.length;
  const all = more > 0 ? [...shown, `${more} more`] : shown;
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/**
 * A table as wide as it must be, which scrolls by itself, by keyboard too, and never moves the page.
 *
 * @param note stands above it: a caption would be as wide as the table, and out of sight on a phone
 */
export function scrolling(label: string, table: Html, markup: Markup, note?: string): Html {
  return markup.html`${
    note === undefined
      ? undefined
      : markup.html`<p class="muted small note">${note}</p>
`
  }<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;
}
