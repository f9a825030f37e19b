/**
 * A strict reader of JSON: a value is built field by field from a description of its shape, so that nothing untyped
 * and nothing unknown gets further. Fields come out in the order of the description, which makes what is written
 * from the result stable.
 */

/** Takes a value apart; throws a {@link ShapeError} whose message names the field. */
export type Reader<T> = (value: unknown, path: string) => T;

/** Which field is wrong and what was expected: `objects[0].sizeBytes is not a whole number`. */
export class ShapeError extends Error {}

const OPTIONAL = Symbol('optional');
type OptionalReader<T> = Reader<T | undefined> & { [OPTIONAL]: true };

/** A reader for every field; a field that may be absent needs {@link optional}. */
export type Shape<T> = {
  [K in keyof T]-?: undefined extends T[K] ? OptionalReader<Exclude<T[K], undefined>> : Reader<T[K]>;
};

export const text: Reader<string> = (value, path) => {
  if (typeof value === 'string') return value;
  throw new ShapeError(`${path} is not a text`);
};

export const flag: Reader<boolean> = (value, path) => {
  if (typeof value === 'boolean') return value;
  throw new ShapeError(`${path} is neither true nor false`);
};

/** A whole number from 0 up that JSON carries exactly. */
export const count: Reader<number> = (value, path) => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new ShapeError(`${path} is not a whole number`);
};

/** A duration or the like: finite, from 0 up. */
export const amount: Reader<number> = (value, path) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new ShapeError(`${path} is not a number from 0 up`);
};

/** A text of a certain form; `expected` completes the sentence "… is not …". */
export function matching(pattern: RegExp, expected: string): Reader<string> {
  return (value, path) => {
    if (pattern.test(text(value, path))) return value as string;
    throw new ShapeError(`${path} is not ${expected}`);
  };
}

export const sha256Hex = matching(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
/** `2026-11-21T02:00:00.000Z` and nothing looser, so that times compare as texts. */
export const utcTime: Reader<string> = (value, path) => {
  const time = text(value, path);
  const date = new Date(time);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) && !Number.isNaN(date.getTime())) {
    if (date.toISOString() === time) return time;
  }
  throw new ShapeError(`${path} is not a time in UTC such as 2026-11-21T02:00:00.000Z`);
};

export function oneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  return (value, path) => {
    const word = words.find((known) => known === value);
    if (word !== undefined) return word;
    throw new ShapeError(`${path} is not one of: ${words.join(', ')}`);
  };
}

/** The type of a text without a check of its value, where newer writers may use words that this reader lacks. */
export function anyWord<T extends string>(): Reader<T> {
  return matching(/^[a-z][a-z0-9-]*$/, 'a word in small letters') as Reader<T>;
}

export function list<T>(item: Reader<T>): Reader<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(`${path} is not a list`);
    return value.map((each, index) => item(each, `${path}[${index}]`));
  };
}

/** An object used as a map. Comes out with its keys sorted. */
export function mapOf<T>(key: Reader<string>, item: Reader<T>): Reader<Record<string, T>> {
  return (value, path) => {
    const entries = Object.entries(asObject(value, path)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(
      entries.map(([name, each]) => [key(name, `a key of ${path}`), item(each, `${path}.${name}`)]),
    );
  };
}

export function nullable<T>(item: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null ? null : item(value, path));
}

/** A field that may be absent; `null` is not absent. */
export function optional<T>(item: Reader<T>): OptionalReader<T> {
  const reader: Reader<T | undefined> = (value, path) => (value === undefined ? undefined : item(value, path));
  return Object.assign(reader, { [OPTIONAL]: true as const });
}

/** Fields that the shape does not name are dropped. */
export function object<T extends object>(shape: Shape<T>): Reader<T> {
  const fields = Object.entries(shape) as [string, Reader<unknown>][];
  return (value, path) => {
    const given = asObject(value, path);
    const built: Record<string, unknown> = {};
    for (const [name, reader] of fields) {
      const field = Object.hasOwn(given, name) ? given[name] : undefined;
      const fieldPath = path === '' ? name : `${path}.${name}`;
      if (field === undefined && !(OPTIONAL in reader)) throw new ShapeError(`${fieldPath} is missing`);
      const read = reader(field, fieldPath);
      if (read !== undefined) built[name] = read;
    }
    return built as T;
  };
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ShapeError(`${path === '' ? 'the document' : path} is not an object`);
}
