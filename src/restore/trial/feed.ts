/** pg_restore, fed from a stream that cannot be read again. */
import { BackupError } from '../../domain/errors.ts';
import type { ClientTools } from '../../postgres/client-tools.ts';
import { type ProcessEnd, type RunningProcess, startProcess } from '../../runner/process.ts';

/** A restore in which every object fails says a few lines for each. */
const MAX_LINES = 20_000;

export interface FeedOptions {
  tools: ClientTools;
  /** The whole environment of pg_restore. */
  env: Record<string, string>;
  database: string;
  /** Path of the list of entries; absent: everything. */
  listFile?: string;
  signal: AbortSignal;
  /** pg_restore may take nothing for so long. */
  stallSeconds: number;
}

export interface FeedEnd extends ProcessEnd {
  /** All that it said. */
  lines: readonly string[];
}

export class RestoreFeed {
  /** Rejects when pg_restore could not be started. */
  readonly ended: Promise<FeedEnd>;
  readonly #child: RunningProcess;
  readonly #stallMs: number;
  readonly #stallSeconds: number;
  #isClosed = false;
  #failure: BackupError | undefined;

  constructor({ tools, env, database, listFile, signal, stallSeconds }: FeedOptions) {
    this.#stallMs = stallSeconds * 1000;
    this.#stallSeconds = stallSeconds;
    const lines: string[] = [];
    // A connection string, so that no database name can be taken for one.
    const name = database.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
    const list = listFile === undefined ? [] : [`--use-list=${listFile}`];
    this.#child = startProcess(tools.pgRestore, ['--no-password', `--dbname=dbname='${name}'`, ...list], {
      env,
      signal,
      stdin: 'pipe',
      onStderrLine: (line) => {
        if (lines.length < MAX_LINES) lines.push(line);
      },
    });
    this.#child.stdin?.on('error', () => undefined);
    this.ended = this.#child.ended.then((end) => {
      if (this.#failure !== undefined) throw this.#failure;
      return { ...end, lines };
    });
    this.ended.catch(() => undefined);
  }

  /**
   * Resolves when the chunk is not needed any more. pg_restore may stop reading when it has all that it restores: what
   * follows is passed over. Rejects when it took nothing for too long.
   */
  async write(chunk: Uint8Array): Promise<void> {
    const { stdin } = this.#child;
    if (stdin === null || this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#failure = stalled(this.#stallSeconds);
      this.#child.kill();
    }, this.#stallMs);
    const { promise, resolve } = Promise.withResolvers<Error | null | undefined>();
    // Until it calls back, the bytes may not be given away, however long ago pg_restore was given up.
    stdin.write(chunk, resolve);
    const broken = await promise;
    clearTimeout(timer);
    this.#isClosed = broken !== null && broken !== undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }

  end(): void {
    this.#child.stdin?.end();
  }
}

function stalled(seconds: number): BackupError {
  return new BackupError('ERR_RESTORE_FAILED', `pg_restore took nothing of the archive for ${seconds} s`, {
    op: 'restore into a local server',
    hint: 'The machine may be short of memory, CPU or disk. Raise `stall-timeout-seconds`, or leave `restore` out of `verify`.',
  });
}
