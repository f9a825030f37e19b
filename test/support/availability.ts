/**
 * The one way to leave a test out because the machine lacks something. The name of what was left out and the
 * reason reach the end of the run's output; a test that is set aside in any other way fails the run (see reporter.ts).
 */
import { spawnSync } from 'node:child_process';
import { describe, test } from 'vitest';

/** Whether something can be had on this machine; the reason is read by people: say what to install. */
export type Availability = true | { skipped: string };

/**
 * `describe` when `available`; otherwise one skipped test named `name (skipped: reason)` stands for the whole suite
 * and `body` is not called, so it may rely on what is missing.
 */
export function describeIf(available: Availability, name: string, body: () => void): void {
  if (available === true) describe(name, body);
  else standIn(name, available.skipped);
}

/** `describe` with something that had to be fetched or started first, or the reason why it cannot be had. */
export function describeWith<T extends object>(
  resource: T | { skipped: string },
  name: string,
  body: (resource: T) => void,
): void {
  if ('skipped' in resource) standIn(name, resource.skipped);
  else describe(name, () => body(resource));
}

/** `test` when `available`; otherwise a skipped test named `name (skipped: reason)`. */
export function testIf(available: Availability, name: string, body: () => void | Promise<void>): void {
  if (available === true) test(name, body);
  else standIn(name, available.skipped);
}

/** The first of `needs` that is missing decides. */
export function allOf(...needs: readonly Availability[]): Availability {
  return needs.find((need) => need !== true) ?? true;
}

/** For what a file's mode forbids. */
export const NOT_ROOT: Availability = process.getuid?.() !== 0 || { skipped: 'root may read every file' };

/** Whether `program args` can be started and ends well; `remedy` says how to get it, e.g. `apt-get install age`. */
export function programAvailable(program: string, args: readonly string[], remedy: string): Availability {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' });
  if (error === undefined && status === 0) return true;
  return { skipped: `${program} is not on this machine; ${remedy}` };
}

function standIn(name: string, reason: string): void {
  test.skipIf(true)(`${name} (skipped: ${reason})`, () => undefined);
}
