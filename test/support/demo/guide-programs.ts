/** The programs that RESTORE.md asks for and a fresh machine may lack, and what takes their place. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stockAge } from '../age-cli.ts';

const AGE_BY_LIBRARY = fileURLToPath(new URL('./age-by-library.ts', import.meta.url));

/** A guide that can be carried out here. */
export interface GuidePrograms {
  /** Absolute paths, each under the name by which the guide calls it. */
  programs: string[];
  /** The guide without the commands that nothing here can run. */
  guide: string;
  /** For people: what is used, and what had to be replaced or left out. */
  words: string[];
}

/** `folder` takes what has to be made. */
export async function findGuidePrograms(guide: string, folder: string): Promise<GuidePrograms> {
  const age = await stockAge();
  const programs = [await agePath(age, folder)];
  const ageWords =
    'skipped' in age
      ? 'The stock tool age cannot be had here, so the age-encryption library decrypts in its place.'
      : `Decrypted by the stock tool age ${age.version.replace(/^v/, '')}${path.isAbsolute(age.age) ? ', fetched into .cache/age' : ''}.`;
  if (isProgram('jq')) return { programs, guide, words: [ageWords] };
  const without = withoutProgram(guide, 'jq');
  return {
    programs,
    guide: without,
    words: [
      ageWords,
      'The stock tool jq is not on this machine, so the step of the guide that counts rows with it is left out; the next step compares more than that.',
    ],
  };
}

/** Without the `sh` blocks that call `program`. */
export function withoutProgram(guide: string, program: string): string {
  const calls = new RegExp(`(^|[|;(\\s])${program}\\s`, 'm');
  return guide.replaceAll(/^```sh\n[\s\S]*?^```$/gm, (block) => (calls.test(block) ? '' : block));
}

async function agePath(age: Awaited<ReturnType<typeof stockAge>>, folder: string): Promise<string> {
  if (!('skipped' in age)) return age.age;
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'age');
  const words = [process.execPath, AGE_BY_LIBRARY].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  await writeFile(file, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  return file;
}

function isProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}
