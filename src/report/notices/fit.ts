/** Text within the limit of a channel, escaped for it. */

const CUT = '…';

/**
 * `text` after `encode`, at most `most` UTF-16 units: cut before it is escaped, so that no escape is cut in two.
 * @param encode for the channel; never makes a text shorter
 */
export function fitted(text: string, most: number, encode: (text: string) => string = (same) => same): string {
  const whole = encode(text.toWellFormed());
  if (whole.length <= most) return whole;
  let [low, high] = [0, Math.min(text.length, most)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (cutAt(text, middle, encode).length <= most) low = middle;
    else high = middle - 1;
  }
  return cutAt(text, low, encode);
}

function cutAt(text: string, end: number, encode: (text: string) => string): string {
  // Half of a character outside of the first plane would be a sign of its own.
  const whole = text.slice(0, end).replace(/[\uD800-\uDBFF]$/, '');
  return `${encode(whole.toWellFormed())}${CUT}`;
}
