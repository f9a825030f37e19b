/** From the process's signals, and from what should never happen, to one AbortSignal with words. */
import type { EventEmitter } from 'node:events';
import { BackupError } from '../domain/errors.ts';
import { unexpectedError } from '../domain/unexpected.ts';

export interface Cancellation {
  /** Fires once, with a `BackupError` as its reason. */
  readonly signal: AbortSignal;
  /** Fires only when the run was asked to end, not when something in it broke, and also after that. */
  readonly cancelled: AbortSignal;
  /** An error that nobody caught, if there was one: the run must not end well then. */
  defect(): BackupError | undefined;
  close(): void;
}

/**
 * `SIGINT` and `SIGTERM` are how the runner cancels a step: about 7.5 s after the first comes the second, 2.5 s later
 * the end. An uncaught error, or nothing left to wait for in the middle of the run, ends the run in the same way, so
 * that it is cleaned up after and told.
 */
export function watchForCancellation(source: EventEmitter): Cancellation {
  const controller = new AbortController();
  let defect: BackupError | undefined;
  const asked = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const reason = cancelledBy(name);
    controller.abort(reason);
    asked.abort(reason);
  };
  const onError = (error: unknown): void => {
    defect ??= unexpectedError(error);
    controller.abort(defect);
  };
  const onIdle = (): void => onError(new Error('the run has nothing left to wait for, but has not ended'));
  const listeners = {
    SIGINT: onSignal,
    SIGTERM: onSignal,
    uncaughtException: onError,
    unhandledRejection: onError,
    beforeExit: onIdle,
  };
  for (const [event, listener] of Object.entries(listeners)) source.on(event, listener);
  return {
    signal: controller.signal,
    cancelled: asked.signal,
    defect: () => defect,
    close() {
      for (const [event, listener] of Object.entries(listeners)) source.off(event, listener);
    },
  };
}

function cancelledBy(name: NodeJS.Signals): BackupError {
  return new BackupError('ERR_CANCELLED', `The run was cancelled (${name})`, {
    op: 'run',
    hint: 'Run it again when you want it. If nobody cancelled it, look for a timeout of the job or for a newer run in the same `concurrency` group.',
  });
}
