/**
 * Decodes an archive end to end while it streams: `pg_restore -f -` and the reader of its output share one worker
 * thread, so that the plain SQL never crosses threads and the proof hides behind the dump.
 */
import { Worker } from 'node:worker_threads';
import type { ArchiveReport } from '../domain/archive-report.ts';
import { BackupError } from '../domain/errors.ts';
import type { FromWorker, ToWorker, WorkerInput } from './archive/worker-messages.ts';

/** Large, because a message between threads costs about as much as hashing 256 KiB. */
const SLAB_BYTES = 512 * 1024;
/** 4 MiB under way at most: enough to keep `pg_restore` busy over a pause of this thread. */
const SLABS = 8;
/** Of the thread's heap. Node's own limit is 192 MiB, which V8 takes when an archive has many objects, to no gain. */
const YOUNG_GENERATION_MB = 8;
/** Longer than the child's own grace period after SIGTERM (src/runner/process.ts). */
const ABORT_GRACE_MS = 5_000;
/** The last bytes of an archive can be gigabytes of text. */
const LEAST_STALL_MS = 30_000;

export interface ArchiveProofOptions {
  /** `pg_restore` of the client that writes the archive. */
  pgRestorePath: string;
  /** The whole environment of `pg_restore`. */
  env: Record<string, string>;
  /** Aborting it is like {@link ArchiveProof.abort}; what waits rejects with its reason. */
  signal: AbortSignal;
  /** The script of the thread: `archive-proof-worker.ts`, or its bundle. */
  workerUrl: URL;
  /** `pg_restore` may take nothing for so long before the proof is given up. */
  stallSeconds: number;
}

export interface ArchiveProof {
  /**
   * Copies `chunk` and resolves when there is room for more. Rejects with `ERR_NOT_PROVEN` as soon as
   * `pg_restore` or the reader has given up; everything after that rejects with the same error.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * No more bytes will come. Resolves when `pg_restore` has ended well and its output was read to the end;
   * rejects with `ERR_NOT_PROVEN`, which holds what `pg_restore` said.
   */
  end(): Promise<ArchiveReport>;
  /** Ends `pg_restore` and the thread. Idempotent, never rejects; resolves when both are gone. */
  abort(): Promise<void>;
}

/** Starts the thread and `pg_restore`. Must be ended by `end` or `abort`. */
export function startArchiveProof(options: ArchiveProofOptions): ArchiveProof {
  return new WorkerProof(options);
}

class WorkerProof implements ArchiveProof {
  readonly #worker: Worker;
  readonly #signal: AbortSignal;
  readonly #stallMs: number;
  readonly #exited: Promise<void>;
  readonly #report: Promise<ArchiveReport>;
  readonly #free: ArrayBuffer[];
  readonly #onAbort = () => this.#cancel();
  #settle: { resolve: (report: ArchiveReport) => void; reject: (error: unknown) => void };
  #failure: { error: unknown } | undefined;
  #waiting: (() => void)[] = [];
  /** The slab that is being filled. */
  #slab: ArrayBuffer | undefined;
  #filled = 0;

  constructor({ pgRestorePath, env, signal, workerUrl, stallSeconds }: ArchiveProofOptions) {
    this.#stallMs = Math.max(stallSeconds * 1000, LEAST_STALL_MS);
    const workerData: WorkerInput = { pgRestorePath, env };
    // Without execArgv the worker would inherit loaders of whoever runs this process, such as a test runner.
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
    this.#worker = new Worker(workerUrl, { workerData, execArgv: [], resourceLimits });
    this.#free = Array.from({ length: SLABS }, () => new ArrayBuffer(SLAB_BYTES));
    this.#signal = signal;
    const { promise, resolve, reject } = Promise.withResolvers<ArchiveReport>();
    this.#report = promise;
    this.#settle = { resolve, reject };
    // Whoever awaits `end` still sees the rejection; this only keeps Node from calling it unhandled before that.
    this.#report.catch(() => undefined);
    this.#exited = new Promise((done) => this.#worker.once('exit', () => done()));
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (cause) => this.#fail(threadEnded(cause)));
    this.#worker.once('exit', () => this.#fail(threadEnded(undefined)));
    if (signal.aborted) this.#cancel();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#slab ??= await this.#freeSlab();
      const part = chunk.subarray(at, at + SLAB_BYTES - this.#filled);
      new Uint8Array(this.#slab, this.#filled).set(part);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === SLAB_BYTES) this.#sendSlab();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async end(): Promise<ArchiveReport> {
    if (this.#failure === undefined) {
      this.#sendSlab();
      this.#send({ kind: 'end' });
    }
    try {
      await this.#unlessStalled(this.#report);
      return await this.#report;
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#fail(cancelled('The proof was given up'));
    this.#send({ kind: 'abort' });
    const timer = setTimeout(() => void this.#worker.terminate(), ABORT_GRACE_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** A slab to fill. Rejects once the proof has failed. */
  async #freeSlab(): Promise<ArrayBuffer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const slab = this.#free.pop();
      if (slab !== undefined) return slab;
      await this.#unlessStalled(new Promise<void>((resolve) => this.#waiting.push(resolve)));
    }
  }

  /** Fails the proof when `step` takes too long: what hangs must not hold up the dump for hours. */
  async #unlessStalled(step: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => this.#fail(stalled(this.#stallMs)), this.#stallMs);
    try {
      await step;
    } finally {
      clearTimeout(timer);
    }
  }

  #sendSlab(): void {
    const slab = this.#slab;
    if (slab === undefined) return;
    this.#send({ kind: 'bytes', slab, length: this.#filled }, [slab]);
    this.#slab = undefined;
    this.#filled = 0;
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'slab') {
      this.#free.push(message.slab);
      this.#waiting.shift()?.();
    } else if (message.kind === 'report') {
      this.#settle.resolve(message.report);
    } else {
      const { code, message: words, op, hint } = message.error;
      this.#fail(new BackupError(code, words, { op, hint }));
    }
  }

  #cancel(): void {
    const reason: unknown = this.#signal.reason;
    this.#fail(reason instanceof BackupError ? reason : cancelled('The run was cancelled', reason));
    void this.abort();
  }

  /** The first failure stands. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#settle.reject(error);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function stalled(stallMs: number): BackupError {
  return new BackupError('ERR_NOT_PROVEN', `pg_restore took nothing of the archive for ${stallMs / 1000} s`, {
    op: 'read the archive back',
    hint: 'The machine may be out of memory or CPU. Run the backup again.',
  });
}

function threadEnded(cause: unknown): BackupError {
  return new BackupError('ERR_NOT_PROVEN', 'The thread that reads the archive back ended unexpectedly', {
    op: 'read the archive back',
    hint: 'Run the backup again. If it happens again, the machine may be short of memory.',
    cause,
  });
}

function cancelled(what: string, cause?: unknown): BackupError {
  return new BackupError('ERR_CANCELLED', what, {
    op: 'read the archive back',
    hint: 'Run the backup again; nothing was published.',
    cause,
  });
}
