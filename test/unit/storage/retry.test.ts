import { expect, it } from 'vitest';
import { type RetryContext, withRetry } from '../../../src/storage/retry.ts';

function context(overrides: Partial<RetryContext> = {}) {
  const pauses: number[] = [];
  const base: RetryContext = {
    policy: { attempts: 4, baseDelayMs: 100, maxDelayMs: 300 },
    clock: {
      now: () => new Date(0),
      sleep: async (milliseconds) => {
        pauses.push(milliseconds);
      },
    },
    signal: new AbortController().signal,
    random: () => 1,
    isTransient: () => true,
  };
  return { pauses, context: { ...base, ...overrides } };
}

it('doubles the bound of its pauses up to the limit and ends with the last error', async () => {
  const { pauses, context: retry } = context();
  const failing = withRetry((attempt) => Promise.reject(new Error(`try ${attempt}`)), retry);
  await expect(failing).rejects.toThrow('try 4');
  expect(pauses).toEqual([100, 200, 300]);
});

it('spreads its pauses down to nothing', async () => {
  const { pauses, context: retry } = context({ random: () => 0 });
  await expect(withRetry(() => Promise.reject(new Error('no')), retry)).rejects.toThrow('no');
  expect(pauses).toEqual([0, 0, 0]);
});

it('returns what a later try returns', async () => {
  const { context: retry } = context();
  const result = withRetry(
    (attempt) => (attempt < 3 ? Promise.reject(new Error('no')) : Promise.resolve(attempt)),
    retry,
  );
  expect(await result).toBe(3);
});

it('does not repeat what is final, nor anything after the run was cancelled', async () => {
  const { pauses, context: final } = context({ isTransient: () => false });
  await expect(withRetry(() => Promise.reject(new Error('final')), final)).rejects.toThrow('final');
  const cancel = new AbortController();
  const { context: cancelled } = context({ signal: cancel.signal });
  let tries = 0;
  const running = withRetry(() => {
    tries++;
    cancel.abort();
    return Promise.reject(new Error('cut off'));
  }, cancelled);
  await expect(running).rejects.toThrow('cut off');
  expect(tries).toBe(1);
  expect(pauses).toEqual([]);
});
