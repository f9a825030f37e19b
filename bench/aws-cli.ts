/** The AWS command line for the users' usual recipe: from PATH, or from PyPI into the project's cache. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VENV = join(import.meta.dirname, '..', '.cache', 'awscli');

export async function awsCommandLine(): Promise<{ path: string } | { skipped: string }> {
  const installed = join(VENV, 'bin', 'aws');
  for (const path of ['aws', installed]) {
    if (await works(path)) return { path };
  }
  try {
    await run('python3', ['-m', 'venv', VENV]);
    await run(join(VENV, 'bin', 'pip'), ['install', '--quiet', 'awscli']);
    await access(installed);
    return { path: installed };
  } catch (error) {
    return {
      skipped: `the AWS command line is not there and could not be installed: ${(error as Error).message.split('\n')[0]}`,
    };
  }
}

async function works(path: string): Promise<boolean> {
  return run(path, ['--version']).then(
    () => true,
    () => false,
  );
}
