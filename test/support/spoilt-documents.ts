/** Stored documents with one thing wrong, for tests of what reads them. */
import { expect } from 'vitest';

/** A copy with the value at one place changed, its keys joined by dots; `undefined` removes it. */
export function changed(document: object, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(document) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() as string;
  const parent = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** Every path to a value inside `value`. */
export function paths(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...paths(each, path)];
  });
}

/**
 * The words with which `parse` refuses a document: its text, or what is written as one.
 * @param expected of the error, beside its code
 */
export function refusedBy(parse: (text: string) => unknown, document: unknown, expected: object = {}): string {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  try {
    parse(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_MANIFEST', ...expected });
    return (error as Error).message;
  }
  throw new Error(`was accepted: ${text}`);
}
