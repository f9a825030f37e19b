/** Programs at pinned versions that Go builds once into `.cache/bin`, through the ordinary client of its proxy. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '../../src/domain/errors.ts';

const BIN = fileURLToPath(new URL('../../.cache/bin', import.meta.url));
const BUILD_LIMIT_MS = 600_000;

/** @param module e.g. `github.com/versity/versitygw/cmd/versitygw`, whose last part names the program */
export interface GoProgram {
  module: string;
  /** `v1.8.0` */
  version: string;
}

/** The path of the program. Throws a short reason where it cannot be had. Safe to call from several processes. */
export async function goProgram({ module, version }: GoProgram): Promise<string> {
  const name = path.basename(module);
  const file = path.join(BIN, `${name}-${version}`);
  const present = await access(file).then(
    () => true,
    () => false,
  );
  if (present) return file;
  const run = promisify(execFile);
  await run('go', ['version']).catch(() => {
    throw new Error('Go is not installed');
  });
  await mkdir(BIN, { recursive: true });
  const scratch = await mkdtemp(path.join(BIN, 'build-'));
  try {
    const env = { ...process.env, GOBIN: scratch };
    await run('go', ['install', `${module}@${version}`], { env, timeout: BUILD_LIMIT_MS });
    await rename(path.join(scratch, name), file);
    return file;
  } catch (error) {
    throw new Error(`${name} could not be built: ${messageOf(error).split('\n')[0]}`, { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
