/** One run of pg_restore or psql against a target: its messages, its progress, and an eye on whether it still lives. */
import { createReadStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BackupError } from '../domain/errors.ts';
import { isHopeless, type RestoreEnd } from '../domain/restore-failure.ts';
import { MessageCollector, parseProgress } from '../domain/restore-messages.ts';
import type { Clock, Log } from '../ports.ts';
import { type RunningProcess, startProcess } from '../runner/process.ts';
import { type SessionState, watchForStall } from './watchdog.ts';

/** Name of all sessions of a restore in pg_stat_activity. */
export const RESTORE_SESSION = 'db-backup-action restore';

export interface RestoreContext {
  /** libpq's environment for the target's database: paths of files, no secret. */
  env: Record<string, string>;
  signal: AbortSignal;
  clock: Clock;
  log: Log;
  stallSeconds: number;
  /** Whether a session named {@link RESTORE_SESSION} is at work; asked over a connection of its own. */
  askServer: () => Promise<SessionState>;
  /** Called when the rows of another table begin to be loaded. */
  onProgress?: (progress: { tablesBegun: number }) => void;
}

/** What the runs of one restore have in common. */
export class RestoreWatch {
  readonly collector = new MessageCollector();
  /** Milliseconds since the epoch; when rows were last known to be loading. */
  dataUntil: number | undefined;
  tablesBegun = 0;
  #loading = false;

  line(line: string, now: number, { log, onProgress }: RestoreContext): void {
    log.debug(line);
    this.collector.add(line);
    const progress = parseProgress(line);
    if (progress === 'data-begins') {
      this.#loading = true;
      this.tablesBegun += 1;
      onProgress?.({ tablesBegun: this.tablesBegun });
    }
    if (progress !== 'other' || this.#loading) this.dataUntil = now;
    // One process loads one table after the other; with several the end of each is said.
    if (progress === 'other') this.#loading = false;
  }
}

/** Rejects with the signal's reason, `ERR_RESTORE_FAILED` or what the source failed with; the child is gone then. */
export async function runRestoreProcess(
  program: {
    file: string;
    args: readonly string[];
    stdin?: Readable /** Its output; else nothing. */;
    onOutput?: (output: Readable) => Promise<void>;
  },
  watch: RestoreWatch,
  context: RestoreContext,
): Promise<RestoreEnd> {
  const name = program.file.split('/').at(-1) ?? program.file;
  const over = new AbortController();
  const ending = AbortSignal.any([context.signal, over.signal]);
  let aliveAt = context.clock.now().getTime();
  let child: RunningProcess | undefined;
  const onStderrLine = (line: string): void => {
    aliveAt = context.clock.now().getTime();
    watch.line(line, aliveAt, context);
    if (watch.collector.messages.some(isHopeless)) child?.kill();
  };
  const started = startProcess(program.file, program.args, {
    env: { ...context.env, PGAPPNAME: RESTORE_SESSION },
    signal: context.signal,
    stdin: program.stdin === undefined ? 'ignore' : 'pipe',
    stdout: program.onOutput === undefined ? 'ignore' : 'pipe',
    onStderrLine,
  });
  child = started;
  const source = { aliveAt: () => aliveAt, touch: () => (aliveAt = context.clock.now().getTime()) };
  const feeding = program.stdin === undefined ? undefined : feed(program.stdin, started, source.touch);
  const stalled = watchChild(name, source.aliveAt, context, ending);
  try {
    const output = program.onOutput?.(started.stdout as Readable) ?? Promise.resolve();
    const end = await Promise.race([Promise.all([started.ended, output]).then(([ended]) => ended), stalled]);
    const broken = await feeding?.();
    context.signal.throwIfAborted();
    if (broken !== undefined) throw broken;
    return { program: name, ...end };
  } finally {
    over.abort();
    started.kill();
    await started.ended.catch(() => undefined);
  }
}

/** Never resolves; rejects when the restore hangs. */
async function watchChild(
  who: string,
  lastSignOfLife: () => number,
  { clock, log, stallSeconds, askServer }: RestoreContext,
  signal: AbortSignal,
): Promise<never> {
  try {
    await watchForStall({
      clock,
      signal,
      stallSeconds,
      who,
      lastSignOfLife,
      isHeldUp: () => false,
      askServer,
      onWorking: (seconds) =>
        log.info(`${who} has said nothing for ${seconds} s; the server says that it is at work. Waiting on.`),
    });
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new BackupError('ERR_RESTORE_FAILED', error.message, {
      op: 'restore',
      hint: 'The connection to the target is dead, or another session there holds a lock that the restore waits for. Look at pg_stat_activity of the target and run it again; raise `stall-timeout-seconds` if the server is only slow.',
      retryable: true,
      cause: error,
    });
  }
  return await new Promise<never>(() => undefined);
}

/** Feeds until the child has ended; its early end is no error of the source. Returns the source's own error. */
function feed(stream: Readable, child: RunningProcess, touch: () => void): () => Promise<unknown> {
  let broken: unknown;
  const stdin = child.stdin as Writable;
  stream.on('data', touch);
  stream.once('error', (error) => {
    // The pipeline passes on to the source that the child has closed its end, having read all that it needs.
    if (stdin.destroyed) return;
    broken = error;
    // What was fed is cut short: nobody must take it for the whole.
    child.kill();
  });
  const piping = pipeline(stream, stdin).catch(() => undefined);
  return async () => {
    stream.destroy();
    await piping;
    return broken;
  };
}

export function openFile(path: string): Readable {
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}
