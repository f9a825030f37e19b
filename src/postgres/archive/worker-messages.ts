/** What the two threads of the proof say to each other. */
import type { ArchiveReport } from '../../domain/archive-report.ts';
import type { ErrorCode } from '../../domain/errors.ts';

/** `workerData` of the proof's thread. */
export interface WorkerInput {
  pgRestorePath: string;
  env: Record<string, string>;
}

/** Slabs go to the worker with bytes of the archive and come back empty: nothing is allocated on the way. */
export type ToWorker = { kind: 'bytes'; slab: ArrayBuffer; length: number } | { kind: 'end' } | { kind: 'abort' };

export type FromWorker =
  | { kind: 'slab'; slab: ArrayBuffer }
  | { kind: 'report'; report: ArchiveReport }
  | { kind: 'failed'; error: ThrownError };

/** A `BackupError` without its class, which does not survive the way between threads. */
export interface ThrownError {
  code: ErrorCode;
  message: string;
  op: string;
  hint: string;
}
