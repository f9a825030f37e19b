/** Short commands whose output is a few lines. Streams go through `runner/process.ts` instead. */
import { getExecOutput } from '@actions/exec';

export interface CommandOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandContext {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

/**
 * Runs a command silently, without a shell. Rejects when it cannot be started, and with the signal's reason
 * when that aborts first: the command itself is then left to end on its own.
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
/** Messages in English, no questions asked; needrestart would restart services after an installation on Ubuntu. */
export const FIXED_ENVIRONMENT = { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' } as const;

/** What a package manager and the loader need. The rest of the step's environment, with its secrets, stays here. */
function commandEnvironment(env: CommandContext['env']): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', ...PROXY_VARIABLES];
  const passed = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...FIXED_ENVIRONMENT };
}

export const actionsExec: Exec = async (file, args, { env, signal }) => {
  signal.throwIfAborted();
  // The toolkit splits its first argument at blanks like a command line; quotes keep a path whole.
  const commandLine = `"${file.replaceAll('"', '\\"')}"`;
  const options = { silent: true, ignoreReturnCode: true, env: commandEnvironment(env) };
  const output = getExecOutput(commandLine, [...args], options);
  output.catch(() => undefined);
  return await Promise.race([output, rejection(signal, output)]);
};

/** Rejects when the signal aborts before `settled` does; otherwise stays open, which costs nothing. */
function rejection(signal: AbortSignal, settled: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const forget = () => signal.removeEventListener('abort', abort);
    settled.then(forget, forget);
  });
}
