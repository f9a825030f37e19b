/** Which of the names that there are was meant by one that there is not. */

/** At most three, nearest first: few typing errors away, or one contains the other. */
export function closeNames(name: string, known: readonly string[]): string[] {
  const plain = name.replaceAll(/[_ ]/g, '-');
  return known
    .map((candidate) => ({ candidate, distance: distanceOf(plain, candidate) }))
    .filter(({ distance }) => distance <= 3)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

function distanceOf(name: string, candidate: string): number {
  const typing = editDistance(name, candidate);
  const nested = Math.min(name.length, candidate.length) >= 4 && (candidate.includes(name) || name.includes(candidate));
  if (nested) return Math.min(typing, 3);
  // Of a short word, three other letters are another word.
  return typing <= Math.floor(candidate.length / 3) ? typing : Number.POSITIVE_INFINITY;
}

/** Levenshtein's. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
