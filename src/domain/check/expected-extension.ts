/** One entry of `expected-extensions`: `postgis`, or `postgis>=3.4`. */

export interface WantedExtension {
  name: string;
  least?: string;
}

/** `undefined` when it is none. */
export function parseExpectedExtension(text: string): WantedExtension | undefined {
  const match = /^([A-Za-z0-9_][A-Za-z0-9_-]*)(?:\s*>=\s*([0-9][0-9A-Za-z.-]*))?$/.exec(text);
  if (match === null) return undefined;
  const [, name = '', least] = match;
  return { name, ...(least === undefined ? {} : { least }) };
}

/** Part by part as numbers: 3.10 is newer than 3.9. What is no number counts as 0. */
export function isOlderVersion(version: string, than: string): boolean {
  const [left, right] = [parts(version), parts(than)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function parts(version: string): number[] {
  return version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
}
