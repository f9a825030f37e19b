/** A short command, without a shell. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 180_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Its standard output; an error whose message ends with the last line of standard error. */
export async function runTool(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<string> {
  try {
    const options = { env: { ...process.env, LC_ALL: 'C', ...env }, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout } = await promisify(execFile)(file, args, cwd === undefined ? options : { ...options, cwd });
    return stdout;
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string };
    const lastLine = stderr.trim().split('\n').at(-1) ?? '';
    throw new Error(code === 'ENOENT' ? `no ${file} here` : `${file} ended with ${code}: ${lastLine}`, {
      cause: error,
    });
  }
}
