/** Whether a folder holds programs of Postgres that run here and are of the major that is wanted. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type ClientSource, type ClientVersion, parseClientVersion } from '../domain/client-version.ts';
import { messageOf } from '../domain/errors.ts';
import { isForeignProgram } from './foreign-program.ts';
import type { CommandContext, Exec } from './short-command.ts';

export interface FolderContext extends CommandContext {
  /** Asks a program of this machine for its version. */
  ask: Exec;
}

/** Either what is known of the programs, or one sentence for each place that was looked at. */
export type ProgramInspection =
  | {
      /** As printed: `17.11`, `19rc1`. */
      version: string;
      /** What they need in their environment: the way to the libraries that were brought along with them. */
      env: Readonly<Record<string, string>>;
    }
  | { reasons: string[] };

/** Elsewhere the system knows where the libraries are, and `lib` is something else. */
const BRING_LIBRARIES: readonly ClientSource[] = ['tool-cache', 'cache', 'fetched'];

/**
 * Runs all of these programs: each must start and be of the major, else the folder is not taken. A folder `lib` beside
 * what was brought to the machine is where its libraries are looked for first.
 */
export async function inspectPrograms(
  programs: readonly string[],
  wanted: { major: number; folder: string; source: ClientSource },
  context: FolderContext,
): Promise<ProgramInspection> {
  const { major, folder, source } = wanted;
  const libraries = path.join(path.dirname(folder), 'lib');
  const env: Record<string, string> =
    BRING_LIBRARIES.includes(source) && existsSync(libraries) ? { LD_LIBRARY_PATH: libraries } : {};
  let version: ClientVersion | undefined;
  for (const program of programs) {
    const file = path.join(folder, program);
    if (!existsSync(file)) return { reasons: [`${file}: not there`] };
    const printed = await printedVersion(file, { ...context, env: { ...context.env, ...env } });
    if ('problem' in printed) return { reasons: [`${file}: ${printed.problem}`] };
    const { found } = printed;
    if (found.major !== major) return { reasons: [`${file}: is version ${found.text}, needed is ${major}`] };
    version ??= found;
    if (found.text !== version.text) {
      return { reasons: [`${file}: is version ${found.text}, but ${programs[0]} beside it is ${version.text}`] };
    }
  }
  return { version: version?.text ?? '', env };
}

async function printedVersion(
  file: string,
  context: FolderContext,
): Promise<{ found: ClientVersion } | { problem: string }> {
  try {
    if (await isForeignProgram(file)) return { problem: 'does not run: it is a program for another system' };
    const { exitCode, stdout, stderr } = await context.ask(file, ['--version'], context);
    if (exitCode !== 0) return { problem: `does not run (exit code ${exitCode}): ${stderr.trim()}` };
    const found = parseClientVersion(stdout);
    return found === undefined ? { problem: `says it is «${stdout.trim().slice(0, 100)}»` } : { found };
  } catch (error) {
    context.signal.throwIfAborted();
    return { problem: `cannot be started: ${messageOf(error)}` };
  }
}
