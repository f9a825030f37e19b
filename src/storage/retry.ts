/** Repeats what failed for a passing reason: bounded, with full jitter, on an injected clock. */
import type { Clock } from '../ports.ts';

export interface RetryPolicy {
  /** Tries in all, the first included. */
  attempts: number;
  /** The first pause is random between 0 and this; each further one up to twice as long. */
  baseDelayMs: number;
  maxDelayMs: number;
}

/** At most 31 s of pauses: rides out a restarted server or a throttled minute, and still ends. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, baseDelayMs: 1_000, maxDelayMs: 20_000 };

export interface RetryContext {
  policy: RetryPolicy;
  clock: Clock;
  signal: AbortSignal;
  /** Uniform in [0, 1). */
  random: () => number;
  isTransient: (error: unknown) => boolean;
  /** Called before each pause. */
  onRetry?: (error: unknown, attempt: number, pauseMs: number) => void;
}

/**
 * How long to wait after the `failures`th failure in a row. Full jitter: uniform between zero and the exponential
 * bound, so that many jobs that were thrown off together do not return together.
 */
export function pauseMs(policy: RetryPolicy, failures: number, random: () => number): number {
  return Math.round(random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (failures - 1)));
}

/**
 * Runs `attempt` (numbered from 1) until it succeeds, fails for good, or the tries are used up; then throws the last
 * error as it came.
 */
export async function withRetry<T>(attempt: (number: number) => Promise<T>, context: RetryContext): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      if (context.signal.aborted || number >= context.policy.attempts || !context.isTransient(error)) throw error;
      const pause = pauseMs(context.policy, number, context.random);
      context.onRetry?.(error, number, pause);
      await context.clock.sleep(pause, context.signal);
    }
  }
}
