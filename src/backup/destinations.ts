/** Where the set goes: several storages side by side, of which one may fail without taking the others along. */
import type { Destination } from '../domain/destination.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import { goingOn } from '../domain/words.ts';
import type { Log, Storage } from '../ports.ts';

/** One line of `storage`, opened. */
export interface Target {
  destination: Destination;
  storage: Storage;
}

/** A destination that was given up in this run. */
export interface LostTarget {
  target: Target;
  error: BackupError;
}

export interface DestinationsParts {
  /** In the order of `storage`; at least one. */
  targets: readonly Target[];
  /** The run's own: after its abort nothing counts as a destination's fault. */
  signal: AbortSignal;
  log: Log;
}

export class Destinations {
  readonly #parts: DestinationsParts;
  readonly #lost: LostTarget[] = [];
  #alive: readonly Target[];

  constructor(parts: DestinationsParts) {
    this.#parts = parts;
    this.#alive = parts.targets;
  }

  get all(): readonly Target[] {
    return this.#parts.targets;
  }

  /** Those that have not failed, in the order of `storage`. Never empty. */
  get alive(): readonly Target[] {
    return this.#alive;
  }

  /** Those that have failed, in the order of failing. */
  get lost(): readonly LostTarget[] {
    return this.#lost;
  }

  /** The one that is read from: the first that has not failed. */
  get first(): Target {
    return this.#alive[0] as Target;
  }

  /**
   * Does the same at each of `targets` that is alive, side by side, and waits for all. One that fails is lost; the
   * values are those of the others, in order. Rejects when nothing is left, and with the run's own failure.
   */
  async each<T>(work: (target: Target) => Promise<T>, targets = this.#alive): Promise<T[]> {
    const asked = targets.filter((target) => this.#alive.includes(target));
    const settled = await Promise.allSettled(asked.map(work));
    const values: T[] = [];
    for (const [index, outcome] of settled.entries()) {
      if (outcome.status === 'fulfilled') values.push(outcome.value);
      else this.#lose(asked[index] as Target, outcome.reason);
    }
    return values;
  }

  #lose(target: Target, reason: unknown): void {
    const { signal, log } = this.#parts;
    signal.throwIfAborted();
    if (!this.#alive.includes(target)) return;
    const error = reason instanceof BackupError ? reason : unexpectedError(reason);
    this.#lost.push({ target, error });
    const left = this.#alive.filter((other) => other !== target);
    if (left.length === 0) throw everyoneLost(this.#lost, this.#parts.targets);
    this.#alive = left;
    const others = left.map(({ storage }) => storage.location).join(', ');
    log.warning(`${target.storage.location} is given up: ${goingOn(error.message)}. The backup goes on to ${others}.`);
  }

  /** Ends all sockets and open writers. */
  async close(): Promise<void> {
    await Promise.all(this.#parts.targets.map(({ storage }) => storage.close()));
  }
}

/** The error of the destination that is named first; the others' words with it. */
function everyoneLost(lost: readonly LostTarget[], order: readonly Target[]): BackupError {
  const sorted = order.flatMap((target) => lost.filter((each) => each.target === target));
  const [first, ...others] = sorted.map(({ error }) => error);
  if (first === undefined || others.length === 0) return first ?? unexpectedError(new Error('no destination'));
  const rest = sorted.slice(1).map(({ target, error }) => `${target.storage.location}: ${messageOf(error)}`);
  return new BackupError(first.code, `No destination could be written. ${first.message}`, {
    op: first.op,
    hint: first.hint,
    cause: new AggregateError([first.cause, ...rest].filter((each) => each !== undefined).map(asCause)),
  });
}

function asCause(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
