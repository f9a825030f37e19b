/** One message to one place, within a time limit; a place that was not told is a warning, once in a run. */
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';
import type { Untold } from '../report/notice.ts';
import { reportUntold } from '../report/report.ts';
import type { RunLog } from '../runner/log.ts';
import type { SendParts } from './channel.ts';
import { adviceOf } from './not-taken.ts';

export interface TellParts {
  env: Environment;
  log: RunLog;
  clock: Clock;
}

export class Delivery {
  readonly #parts: TellParts;
  readonly #longestMs: number;
  /** Inputs of the places that were warned of. */
  readonly #warned = new Set<string>();

  /** @param longestMs for one message, its repetitions included */
  constructor(parts: TellParts, longestMs: number) {
    this.#parts = parts;
    this.#longestMs = longestMs;
  }

  /**
   * That it was not told, and what to do; `undefined` when it was told. Never rejects.
   *
   * @param input that the place was given by
   * @param signal of a cancellation, which leaves the rest to the post step: after it nothing is warned of
   */
  async try(
    input: string,
    signal: AbortSignal,
    send: (parts: SendParts) => Promise<void>,
  ): Promise<Untold | undefined> {
    const { env, log, clock } = this.#parts;
    try {
      await send({ clock, signal: AbortSignal.any([signal, AbortSignal.timeout(this.#longestMs)]) });
      return undefined;
    } catch (error) {
      const [why, advice] = [messageOf(error), adviceOf(error)];
      if (!signal.aborted && !this.#warned.has(input)) {
        this.#warned.add(input);
        reportUntold({ input, why, advice }, { env, log });
      }
      return { seen: `\`${input}\` was not told: ${why}.`, advice };
    }
  }
}
