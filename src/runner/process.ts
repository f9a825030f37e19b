/** Child processes without a shell, tied to an AbortSignal, with their standard error kept and watched. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

/** How long a child may take to end after SIGTERM before SIGKILL. The runner itself grants about 7 s. */
const KILL_GRACE_MS = 3_000;
/** The last bytes of standard error that are kept for an error message. */
const STDERR_TAIL_BYTES = 16 * 1024;

/** What `stdbuf` of GNU coreutils preloads into a program; where Debian, Ubuntu and Fedora keep it. */
const STDBUF_LIBRARY = '/usr/libexec/coreutils/libstdbuf.so';
/**
 * Programs of C write to a pipe in pieces of 4 KiB. Measured on a dump of 800 MB that is read back: with pieces of
 * 256 KiB for pg_dump and pg_restore the whole takes 8 % less time.
 */
const LARGE_WRITES: Record<string, string> = existsSync(STDBUF_LIBRARY)
  ? { LD_PRELOAD: STDBUF_LIBRARY, _STDBUF_O: String(256 * 1024) }
  : {};

export interface ProcessOptions {
  /** The whole environment of the child: nothing is inherited that is not listed. */
  env: Record<string, string>;
  signal: AbortSignal;
  stdin?: 'ignore' | 'pipe';
  stdout?: 'ignore' | 'pipe';
  /** The folder in which it runs; this process's own by default. */
  cwd?: string;
  /** Whom it runs as, with no further groups; only root may name somebody else. */
  account?: { uid: number; gid: number };
  /** In a session of its own: what is sent to this process's group, such as Ctrl-C, does not reach it. */
  detached?: boolean;
  /** How it is asked to end; `SIGTERM` by default. */
  endSignal?: NodeJS.Signals;
  /** The child leads a group of its own, and all that it starts is ended with it: for a shell. */
  ownGroup?: boolean;
  /** Gigabytes come out of its standard output: it writes them in large pieces, where the system can make it do so. */
  bulkOutput?: boolean;
  /** Called for every line of standard error as it arrives. */
  onStderrLine?: (line: string) => void;
}

/** How a child ended. Exactly one of `code` and `signal` is not null. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last 16 KiB of standard error. */
  stderr: string;
}

export interface RunningProcess {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** Resolves when the child has ended and its pipes are closed; rejects only when it could not be started. */
  readonly ended: Promise<ProcessEnd>;
  /** Its end signal now, SIGKILL after a grace period. Idempotent. */
  kill(): void;
}

/**
 * Starts `file` with `args`, never through a shell. When `signal` aborts, the child is ended;
 * the caller sees that as an ordinary end by signal.
 */
export function startProcess(file: string, args: readonly string[], options: ProcessOptions): RunningProcess {
  const spawnOptions: SpawnOptions = {
    env: options.bulkOutput === true ? { ...options.env, ...LARGE_WRITES } : options.env,
    stdio: [options.stdin ?? 'ignore', options.stdout ?? 'ignore', 'pipe'],
    windowsHide: true,
    detached: options.detached === true || options.ownGroup === true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.account === undefined ? {} : { uid: options.account.uid, gid: options.account.gid }),
  };
  const child = spawn(file, [...args], spawnOptions);
  const kill = endGently(child, options);
  if (options.signal.aborted) kill();
  options.signal.addEventListener('abort', kill, { once: true });
  // What the leader of a group leaves behind would hold its pipes open.
  if (options.ownGroup === true) child.once('exit', kill);
  const stderr = watchStderr(child, options.onStderrLine);
  const ended = new Promise<ProcessEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stderr: stderr() }));
  }).finally(() => options.signal.removeEventListener('abort', kill));
  // Whoever awaits `ended` later still sees the rejection; this only keeps Node from calling it unhandled before that.
  ended.catch(() => undefined);
  return { stdin: child.stdin, stdout: child.stdout, ended, kill };
}

function endGently(child: ChildProcess, { endSignal = 'SIGTERM', ownGroup = false }: ProcessOptions): () => void {
  let asked = false;
  return () => {
    if (asked || (!ownGroup && (child.exitCode !== null || child.signalCode !== null))) return;
    asked = true;
    send(child, endSignal, ownGroup);
    const timer = setTimeout(() => send(child, 'SIGKILL', ownGroup), KILL_GRACE_MS);
    // Of a group others may live on when its leader has ended; they hold its pipes open.
    child.once(ownGroup ? 'close' : 'exit', () => clearTimeout(timer));
  };
}

function send(child: ChildProcess, signal: NodeJS.Signals, ownGroup: boolean): void {
  if (!ownGroup || child.pid === undefined) return void child.kill(signal);
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Gone already, or of another user by now, such as behind sudo.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function watchStderr(child: ChildProcess, onLine: ((line: string) => void) | undefined): () => string {
  let tail = '';
  let partial = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_BYTES);
    if (onLine === undefined) return;
    const lines = (partial + text).split('\n');
    partial = (lines.pop() ?? '').slice(-STDERR_TAIL_BYTES);
    for (const line of lines) onLine(line);
  });
  child.stderr?.on('end', () => {
    if (partial !== '' && onLine !== undefined) onLine(partial);
  });
  return () => tail.trim();
}
