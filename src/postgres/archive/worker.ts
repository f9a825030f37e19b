/** The proof's own thread: `pg_restore -f -` between the archive's bytes and the reader of plain SQL. */
import type { Readable, Writable } from 'node:stream';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BackupError, messageOf } from '../../domain/errors.ts';
import { type ProcessEnd, startProcess } from '../../runner/process.ts';
import { release } from '../../runner/release.ts';
import { ArchiveReader } from '../archive-reader.ts';
import type { FromWorker, ThrownError, ToWorker, WorkerInput } from './worker-messages.ts';

/** Serves one archive and ends the thread. To be called once, on the thread that `startArchiveProof` started. */
export async function runArchiveProofWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this is not a thread');
  try {
    await proveArchive(port, workerData as WorkerInput);
  } catch (error) {
    post(port, { kind: 'failed', error: asThrown(error) });
  } finally {
    port.close();
  }
}

async function proveArchive(port: MessagePort, { pgRestorePath, env }: WorkerInput): Promise<void> {
  const stop = new AbortController();
  const child = startProcess(pgRestorePath, ['--format=custom', '--file=-'], {
    env,
    signal: stop.signal,
    stdin: 'pipe',
    stdout: 'pipe',
    bulkOutput: true,
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the pipes of pg_restore are missing');
  const archive = new ArchiveInput(stdin, port);
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'bytes') archive.write(message.slab, message.length);
    else if (message.kind === 'end') stdin.end();
    else stop.abort();
  });
  const reader = new ArchiveReader();
  const unreadable = await readAll(stdout, reader);
  if (unreadable !== undefined) stop.abort();
  const end = await child.ended.catch((error: unknown) => {
    throw failed(`pg_restore could not be started: ${messageOf(error)}`);
  });
  if (unreadable !== undefined) throw unreadable;
  checkEnd(end, archive);
  post(port, { kind: 'report', report: reader.end() });
}

/** Reads plain SQL to its end. Returns what the reader threw, if it did: then `pg_restore` has nobody to write to. */
function readAll(stdout: Readable, reader: ArchiveReader): Promise<unknown> {
  return new Promise((resolve) => {
    stdout.on('data', (chunk: Buffer) => {
      try {
        reader.write(chunk);
        release(chunk);
      } catch (error) {
        stdout.destroy();
        resolve(error);
      }
    });
    stdout.once('error', resolve);
    stdout.once('close', () => resolve(undefined));
  });
}

/** The writing end towards `pg_restore`. */
class ArchiveInput {
  readonly #stdin: Writable;
  readonly #port: MessagePort;
  /** `pg_restore` stopped reading before the archive's end. */
  wasCut = false;

  constructor(stdin: Writable, port: MessagePort) {
    this.#stdin = stdin;
    this.#port = port;
    stdin.on('error', () => {
      this.wasCut = true;
    });
  }

  write(slab: ArrayBuffer, length: number): void {
    // Also called back after an error: the other thread must never wait for a slab that was lost.
    this.#stdin.write(new Uint8Array(slab, 0, length), () => post(this.#port, { kind: 'slab', slab }, [slab]));
  }
}

function checkEnd(end: ProcessEnd, archive: ArchiveInput): void {
  const said = end.stderr === '' ? '' : `: ${end.stderr}`;
  if (end.signal !== null) throw failed(`pg_restore was ended by ${end.signal}${said}`);
  if (end.code !== 0) throw failed(`pg_restore ended with exit code ${end.code}${said}`);
  if (/^pg_restore: /m.test(end.stderr)) throw failed(`pg_restore warned${said}`);
  if (archive.wasCut) throw failed('pg_restore ended before it had read the whole archive');
}

function failed(message: string): BackupError {
  return new BackupError('ERR_NOT_PROVEN', message, {
    op: 'read the archive back',
    hint: 'The archive cannot be decoded to its end, so it may not be restorable. Run the backup again; if it happens again, look at the disk and memory of the runner.',
  });
}

function asThrown(error: unknown): ThrownError {
  if (error instanceof BackupError) {
    return { code: error.code, message: error.message, op: error.op, hint: error.hint };
  }
  const hint = 'This is a defect of the action. Please report it with this message.';
  return { code: 'ERR_INTERNAL', message: messageOf(error), op: 'read the archive back', hint };
}

function post(port: MessagePort, message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
