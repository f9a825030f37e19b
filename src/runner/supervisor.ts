/** Parts that live and die together: the first failure ends all of them and is the one that is thrown. */

export class Supervisor {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onOuterAbort = (): void => this.fail(this.#outer.reason);

  /** `outer` is the run's own signal; its abort is a failure like any other. */
  constructor(outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.fail(outer.reason);
    outer.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  /** Aborts at the first failure, with that failure as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends every part. Only the first call counts. */
  fail(error: unknown): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(error);
  }

  /** Ends every part when `promise` rejects. */
  watch(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.fail(error));
  }

  /**
   * The value of `promise`, or a rejection with the *first* failure of any part, at once.
   * A rejection of `promise` itself is such a failure.
   */
  async guard<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#controller;
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(signal.reason);
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } catch (error) {
      this.fail(error);
      throw signal.reason;
    } finally {
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
      promise.catch(() => undefined);
    }
  }

  /** Stops listening to the run's signal. */
  close(): void {
    this.#outer.removeEventListener('abort', this.#onOuterAbort);
  }
}
