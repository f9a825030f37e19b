/** Numbers and lists in words, for people. */

const WORDS_LISTED = 10;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.2 GiB`: binary units, three significant digits at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `4 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 1) return `${Math.round(seconds * 1000)} ms`;
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2 h 5 min`, `1 day 2 h`, `12 days`: coarser the longer ago. */
export function formatAge(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return formatDuration(seconds);
  const days = Math.floor(hours / 24);
  const words = days === 1 ? '1 day' : `${formatCount(days)} days`;
  return days < 7 && hours % 24 > 0 ? `${words} ${hours % 24} h` : words;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** The first `most`, and how many more there are. @param elsewhere where: `in the job summary` */
export function fewOf(items: readonly string[], most: number, elsewhere?: string): string[] {
  const more = items.length - most;
  if (more <= 0) return [...items];
  return [...items.slice(0, most), `and ${formatCount(more)} more${elsewhere === undefined ? '' : ` ${elsewhere}`}`];
}

/**
 * `a, b and 12 more`: a list inside of a sentence, which stays short.
 *
 * @param all how many there are, where `words` are examples alone
 */
export function listWords(
  words: readonly string[],
  { most = WORDS_LISTED, all = words.length }: { most?: number; all?: number } = {},
): string {
  const shown = words.slice(0, most);
  const more = all - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`;
}

/** A sentence that goes on, with `; …` or in another one: without its full stop. */
export function goingOn(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

/** `1 table`, `1,234 tables`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `1 of 1 table`, `2 of 1,234 tables`: the noun goes with `all`. */
export function shareOf(share: number, all: number, one: string, many?: string): string {
  return `${formatCount(share)} of ${countOf(all, one, many)}`;
}
