/** One run of pg_restore or psql against a target: its messages, its progress, and an eye on whether it still lives. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { BackupError } from '../domain/errors.ts';
import { isHopeless, type RestoreEnd } from '../domain/restore-failure.ts';
import { MessageCollector, parseProgress, withoutRowData } from '../domain/restore-messages.ts';
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
    log.debug(withoutRowData(line));
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
  const touch = (): void => {
    aliveAt = context.clock.now().getTime();
  };
  const onStderrLine = (line: string): void => {
    touch();
    watch.line(line, aliveAt, context);
    const last = watch.collector.messages.at(-1);
    if (last !== undefined && isHopeless(last)) child?.kill();
  };
  const started = startProcess(program.file, program.args, {
    env: { ...context.env, PGAPPNAME: RESTORE_SESSION },
    signal: context.signal,
    stdin: program.stdin === undefined ? 'ignore' : 'pipe',
    stdout: program.onOutput === undefined ? 'ignore' : 'pipe',
    onStderrLine,
  });
  child = started;
  const feeding = program.stdin === undefined ? undefined : feed(program.stdin, started, touch);
  const life = { at: () => aliveAt, isHeldUp: () => feeding?.isHungry() ?? false };
  const stalled = watchChild(name, life, context, ending);
  try {
    const output = program.onOutput?.(started.stdout as Readable) ?? Promise.resolve();
    const end = await Promise.race([Promise.all([started.ended, output]).then(([ended]) => ended), stalled]);
    const broken = await feeding?.end();
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
  life: { at: () => number; isHeldUp: () => boolean },
  { clock, log, stallSeconds, askServer }: RestoreContext,
  signal: AbortSignal,
): Promise<never> {
  try {
    await watchForStall({
      clock,
      signal,
      stallSeconds,
      who,
      lastSignOfLife: life.at,
      isHeldUp: life.isHeldUp,
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

interface Feeding {
  /** The child waits for the source, which has limits of its own. */
  isHungry: () => boolean;
  /** Ends it and gives the source's own error, if it had one. */
  end: () => Promise<unknown>;
}

/** Feeds until the child has ended or takes no more, which is no error of the source. */
function feed(stream: Readable, child: RunningProcess, touch: () => void): Feeding {
  let hungry = true;
  const stdin = child.stdin as Writable;
  const closed = new AbortController();
  for (const event of ['error', 'close']) stdin.once(event, () => closed.abort());
  const pump = async (): Promise<void> => {
    for await (const chunk of stream) {
      if (closed.signal.aborted) return;
      hungry = false;
      touch();
      if (!stdin.write(chunk)) await once(stdin, 'drain', { signal: closed.signal });
      hungry = true;
    }
    hungry = false;
    stdin.end();
  };
  const fed = pump().catch((error: unknown) => {
    if (closed.signal.aborted) return undefined;
    // What was fed is cut short: nobody must take it for the whole.
    child.kill();
    return error;
  });
  const end = async (): Promise<unknown> => {
    closed.abort();
    stream.destroy();
    return await fed;
  };
  return { isHungry: () => hungry, end };
}

export function openFile(path: string): Readable {
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}
