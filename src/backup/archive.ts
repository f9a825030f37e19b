/**
 * The heart of a backup: one stream out of pg_dump, read back by the proof and on its way to storage
 * at once. Nothing touches a disk; the slowest side sets the pace.
 */
import type { ArchiveReport } from '../domain/archive-report.ts';
import { dumpWarning, parseDumpLine } from '../domain/dump-messages.ts';
import { describeProgress } from '../domain/dump-progress.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Clock, Log } from '../ports.ts';
import type { ArchiveProof } from '../postgres/archive-proof.ts';
import type { RunningDump } from '../postgres/dump.ts';
import { type SessionState, watchForStall } from '../postgres/watchdog.ts';
import { release } from '../runner/release.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import type { CopiedObject } from './copied-object.ts';
import type { Trial } from './trial.ts';

/** How often progress is told. */
const PROGRESS_MS = 15_000;

export interface ArchiveParts {
  /** Starts pg_dump; called once, with the listener for its standard error. */
  startDump: (onStderrLine: (line: string) => void) => RunningDump;
  proof: ArchiveProof;
  object: CopiedObject;
  /** Is restored from the same bytes. */
  trial?: Trial;
  askServer: () => Promise<SessionState>;
  /** Called once, when pg_dump has read all definitions: at its first table, or at its end. */
  onDefinitionsRead: () => void;
  tablesInAll: number;
  stallSeconds: number;
  supervisor: Supervisor;
  clock: Clock;
  log: Log;
}

export interface StreamedArchive {
  /** What was read back, or why it could not be read to its end. */
  report: ArchiveReport | Error;
  warnings: Finding[];
  seconds: number;
}

/**
 * Runs the stream to its end. Resolves when pg_dump ended well and every byte was handed to storage; the
 * object is not committed yet. An archive that cannot be read back is a result, not a failure.
 * Rejects with the first failure of any part; the caller aborts the object.
 */
export async function streamArchive(parts: ArchiveParts): Promise<StreamedArchive> {
  const { clock, log, supervisor } = parts;
  const startedAt = clock.now().getTime();
  const stream = new StreamState(startedAt, parts.tablesInAll, parts.onDefinitionsRead);
  const dump = parts.startDump((line) => stream.onStderrLine(line, clock.now().getTime(), log));
  supervisor.watch(dump.succeeded);
  const over = new AbortController();
  const stopWatching = AbortSignal.any([over.signal, supervisor.signal]);
  const background = [
    watchForStall({
      clock,
      signal: stopWatching,
      who: 'pg_dump',
      stallSeconds: parts.stallSeconds,
      lastSignOfLife: () => stream.aliveAt,
      isHeldUp: () => stream.heldUp,
      askServer: parts.askServer,
      onWorking: (seconds) => log.info(`No bytes for ${seconds} s; the server says that it is at work. Waiting on.`),
    }),
    tellProgress(stream, clock, log, stopWatching),
  ];
  for (const task of background) supervisor.watch(task);
  try {
    const report = await pump(dump, parts, stream);
    log.info(stream.describe(clock.now().getTime(), true));
    return { report, warnings: stream.warnings, seconds: (clock.now().getTime() - startedAt) / 1000 };
  } finally {
    over.abort();
    if (supervisor.signal.aborted) await parts.proof.abort();
    await Promise.allSettled([...background, ...(supervisor.signal.aborted ? [dump.process.ended] : [])]);
  }
}

async function pump(dump: RunningDump, parts: ArchiveParts, stream: StreamState): Promise<ArchiveReport | Error> {
  const { supervisor } = parts;
  let broken: Error | undefined;
  const read = async (chunk: Uint8Array): Promise<void> => {
    if (broken === undefined) await parts.proof.write(chunk).catch((error: unknown) => (broken = asError(error)));
  };
  for await (const chunk of dump.process.stdout as AsyncIterable<Buffer>) {
    stream.onBytes(chunk.byteLength, parts.clock.now().getTime());
    stream.heldUp = true;
    await supervisor.guard(Promise.all([read(chunk), parts.object.write(chunk), parts.trial?.write(chunk)]));
    stream.heldUp = false;
    if (!parts.object.holdsChunks) release(chunk);
  }
  await supervisor.guard(dump.succeeded);
  parts.trial?.end();
  stream.onDumped();
  stream.heldUp = true;
  const report = broken ?? (await supervisor.guard(parts.proof.end().catch(asError)));
  return report;
}

async function tellProgress(stream: StreamState, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(PROGRESS_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    log.progress(stream.describe(clock.now().getTime()));
  }
}

/** What is known of the stream while it flows. */
class StreamState {
  aliveAt: number;
  heldUp = false;
  readonly warnings: Finding[] = [];
  readonly #startedAt: number;
  readonly #tablesInAll: number;
  readonly #onDefinitionsRead: () => void;
  #tablesBegun = 0;
  #bytes = 0;

  constructor(startedAt: number, tablesInAll: number, onDefinitionsRead: () => void) {
    this.#onDefinitionsRead = onDefinitionsRead;
    this.aliveAt = startedAt;
    this.#startedAt = startedAt;
    this.#tablesInAll = tablesInAll;
  }

  onBytes(count: number, now: number): void {
    this.#bytes += count;
    this.aliveAt = now;
  }

  onStderrLine(line: string, now: number, log: Log): void {
    this.aliveAt = now;
    const message = parseDumpLine(line);
    if (message.kind === 'table') {
      if (this.#tablesBegun === 0) this.#onDefinitionsRead();
      this.#tablesBegun += 1;
    }
    if (message.kind === 'warning') this.warnings.push(dumpWarning(message.text));
    if (message.kind === 'other') log.debug(message.text);
  }

  onDumped(): void {
    if (this.#tablesBegun === 0) this.#onDefinitionsRead();
  }

  describe(now: number, done = false): string {
    return describeProgress({
      tablesDone: done ? this.#tablesBegun : Math.max(0, this.#tablesBegun - 1),
      tablesInAll: this.#tablesInAll,
      archiveBytes: this.#bytes,
      elapsedSeconds: (now - this.#startedAt) / 1000,
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new BackupError('ERR_INTERNAL', String(error), { op: 'read the archive', hint: 'Please report this.' });
}
