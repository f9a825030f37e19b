/** Parsers of single input values. Each takes the text as the runner gives it, trimmed, and throws `ERR_INPUT`. */
import type { Environment } from '../domain/destination.ts';
import { BackupError, InputError, type InputProblem } from '../domain/errors.ts';

/**
 * From the text of one input to its value. The runner gives every declared input that the step does not name as an
 * empty string, so an empty text means "not given" and each parser decides what that stands for.
 */
export type Parse<T> = (text: string, env: Environment) => T;

const HINT = 'Correct the `with:` block of the step. Nothing was read from the database and nothing was written.';
const QUOTED_CHARACTERS = 40;

/** For parsers: one thing that is wrong, as a sentence about the input. */
export function rejected(message: string): BackupError {
  return new BackupError('ERR_INPUT', message, { op: 'read inputs', hint: HINT });
}

/** A value in a message, cut short and without line breaks. Not for secrets. */
export function quoted(text: string): string {
  const short = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
  return JSON.stringify(short);
}

/** What `body` throws about an input, as problems of `input`; anything else is thrown on. */
export function problemsOf(input: string, error: unknown): InputProblem[] {
  if (error instanceof InputError) return error.problems.map(({ message }) => ({ input, message }));
  if (error instanceof BackupError && (error.code === 'ERR_INPUT' || error.code === 'ERR_PATTERN')) {
    return [{ input, message: error.message }];
  }
  throw error;
}

/** `value` when the input is empty. */
export function orElse<T, const D extends T | undefined>(parse: Parse<T>, value: D): Parse<T | D> {
  return (text, env) => (text === '' ? value : parse(text, env));
}

/** `undefined` when the input is empty. */
export function optional<T>(parse: Parse<T>): Parse<T | undefined> {
  return orElse(parse, undefined);
}

/** A whole number without sign, point or exponent. */
export function wholeNumber(least: number, most: number): Parse<number> {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
    throw rejected(`${quoted(text)} is not a whole number from ${least} to ${most}.`);
  };
}

/** The booleans of YAML 1.2's core schema, as the toolkit's own `getBooleanInput` reads them. */
export const yesOrNo: Parse<boolean> = (text) => {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  throw rejected(`${quoted(text)} is neither true nor false.`);
};

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): Parse<W> {
  return (text) => {
    const word = words.find((known) => known === text);
    if (word !== undefined) return word;
    throw rejected(`${quoted(text)} is not one of: ${words.join(', ')}.`);
  };
}

/** One value a line; empty lines are passed over, doubles are one. All that is wrong is thrown together. */
export function lines<T>(parse: Parse<T>, separator: RegExp = /\r\n|\r|\n/): Parse<readonly T[]> {
  return (text, env) => {
    const items = text.split(separator).map((line) => line.trim());
    const problems: InputProblem[] = [];
    const values: T[] = [];
    for (const item of new Set(items.filter((line) => line !== ''))) {
      try {
        values.push(parse(item, env));
      } catch (error) {
        problems.push(...problemsOf('', error));
      }
    }
    if (problems.length > 0) throw new InputError(withoutDoubles(problems));
    return values;
  };
}

function withoutDoubles(problems: readonly InputProblem[]): InputProblem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

/** One value a line, or several in one line with commas between them. Only for values that never hold a comma. */
export function words<T>(parse: Parse<T>): Parse<readonly T[]> {
  return lines(parse, /\r\n|\r|\n|,/);
}
