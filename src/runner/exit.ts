/** The end of the process. */

/** Cancelling takes up to 6.5 s, and the runner grants 10, with a second signal after 7.5. */
const PATIENCE_MS = 2_000;

/**
 * Lets the process end by itself. Only when something is still open after a while, such as a socket of a command that
 * did not heed its cancellation, the process is ended: all is reported by then, and a job would hang for hours. A signal
 * ends it at once, but does not change how it ends.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit());
  setTimeout(() => process.exit(), PATIENCE_MS).unref();
}
