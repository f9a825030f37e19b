/** A cancelled run, said in one way by every storage. */
import { BackupError } from '../domain/errors.ts';

/**
 * The signal's own BackupError where it carries one (a deadline, a lost snapshot); `ERR_STORAGE_STALLED` for
 * `AbortSignal.timeout`; else `ERR_CANCELLED`.
 */
export function cancelledError(signal: AbortSignal, op: string): BackupError {
  if (signal.reason instanceof BackupError) return signal.reason;
  if (signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError') {
    return new BackupError('ERR_STORAGE_STALLED', `There was not enough time to ${op}.`, {
      op,
      hint: 'Check the way to the storage, then run again.',
      cause: signal.reason,
    });
  }
  return new BackupError('ERR_CANCELLED', `The run was cancelled (${op}).`, {
    op,
    hint: 'Nothing of it became visible and older backups are untouched. Run it again when you want it.',
    cause: signal.reason,
  });
}

/** Throws {@link cancelledError} when `signal` has fired. */
export function throwIfCancelled(signal: AbortSignal, op: string): void {
  if (signal.aborted) throw cancelledError(signal, op);
}

/**
 * What `work` gives, or {@link cancelledError} as soon as `signal` fires. For what cannot be cancelled itself, such as a
 * call to a file system that hangs: it may go on, and nobody hears of its end.
 */
export async function unlessCancelled<T>(signal: AbortSignal, op: string, work: Promise<T>): Promise<T> {
  let onAbort = (): void => undefined;
  const cancelled = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(cancelledError(signal, op));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
