/** Short commands whose output is a few lines. Streams go through `runner/process.ts` instead. */
import { type ExecFileException, execFile } from 'node:child_process';
import { getExecOutput } from '@actions/exec';

export interface CommandOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandContext {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  /** The folder in which it runs; this process's own by default. */
  cwd?: string;
}

/**
 * Runs a command silently, without a shell. Rejects when it cannot be started or takes longer than
 * {@link COMMAND_LIMIT_SECONDS}, and with the signal's reason when that aborts first; the command is ended then.
 */
export type Exec = (file: string, args: readonly string[], context: CommandContext) => Promise<CommandOutput>;

export const PROXY_VARIABLES = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
] as const;
/** A slow mirror needs most of a minute for its lists; far more than that only a dead one. */
export const COMMAND_LIMIT_SECONDS = 180;
/** A version is printed in milliseconds; a loaded machine is given time. */
const ANSWER_LIMIT_SECONDS = 30;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** What apt and the loader need, messages in English. The rest of the step's environment, with its secrets, stays here. */
function commandEnvironment(env: CommandContext['env']): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', ...PROXY_VARIABLES];
  const passed = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), LC_ALL: 'C' };
}

export const systemExec: Exec = async (file, args, { env, signal, cwd }) => {
  signal.throwIfAborted();
  const options = {
    env: commandEnvironment(env),
    signal,
    timeout: COMMAND_LIMIT_SECONDS * 1000,
    maxBuffer: MAX_OUTPUT_BYTES,
    ...(cwd === undefined ? {} : { cwd }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutput>();
  execFile(file, args, options, (error, stdout, stderr) => {
    const exitCode = error === null ? 0 : error.code;
    if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
    else reject(signal.aborted ? signal.reason : ending(error));
  });
  return await promise;
};

/** For a program that answers at once, from this machine alone: by the toolkit, which cannot end what it started. */
export const toolkitExec: Exec = async (file, args, { env, signal, cwd }) => {
  signal.throwIfAborted();
  // The toolkit splits its first argument at blanks like a command line; quotes keep a path whole.
  const commandLine = `"${file.replaceAll('"', '\\"')}"`;
  const options = { silent: true, ignoreReturnCode: true, env: commandEnvironment(env) };
  const answer = getExecOutput(commandLine, [...args], cwd === undefined ? options : { ...options, cwd });
  answer.catch(() => undefined);
  const late = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_SECONDS * 1000)]);
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.aborted ? signal.reason : new Error(`it did not answer within ${ANSWER_LIMIT_SECONDS} s`));
  };
  late.addEventListener('abort', onAbort, { once: true });
  return await Promise.race([answer, overdue]).finally(() => late.removeEventListener('abort', onAbort));
};

function ending(error: ExecFileException | null): Error {
  if (error?.killed === true) return new Error(`it did not end within ${COMMAND_LIMIT_SECONDS} s`, { cause: error });
  if (typeof error?.signal === 'string') return new Error(`it was ended by ${error.signal}`, { cause: error });
  return error ?? new Error('it ended without an exit code');
}
