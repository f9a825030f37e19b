/** The value behind `=>`. */
import type { SqlToken } from '../sql/tokens.ts';

export interface ValueExpectation {
  form: 'value';
  /** `null` stands for SQL's NULL. */
  value: string | null;
  /** It stood in quotes: the text must be the same, also where it looks like a number. */
  quoted: boolean;
}

/** What is wrong, in words, when it is none. */
export function readExpectation(text: string, tokens: readonly SqlToken[]): ValueExpectation | string {
  const [first] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) return 'behind `=>` the expected value is missing';
  const written = text.slice(first.at, last.end);
  if (tokens.length === 1 && first.kind === 'quoted' && first.text.startsWith("'")) {
    return { form: 'value', value: first.text.slice(1, -1).replaceAll("''", "'"), quoted: true };
  }
  if (!/^[\p{L}\p{N}_.:+-]+$/u.test(written)) {
    return 'the value behind `=>` is neither a number, one plain word nor a text; write it in single quotes';
  }
  return { form: 'value', value: /^null$/i.test(written) ? null : written, quoted: false };
}
