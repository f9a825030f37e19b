/** The thread that speaks with GitHub's cache. */
import { parentPort, workerData } from 'node:worker_threads';

export interface CacheWorkerInput {
  role: 'client-cache';
  verb: 'restore' | 'save';
  key: string;
  /** Absolute path; saved from and restored to. */
  folder: string;
}

export interface CacheAnswer {
  /** Whether the entry of exactly this key was restored, or was saved now. */
  hit: boolean;
  /** What the library wrote: workflow commands, which are not for the runner. */
  said: string;
}

export function isClientCacheWorker(data: unknown): data is CacheWorkerInput {
  return typeof data === 'object' && data !== null && 'role' in data && data.role === 'client-cache';
}

/** To be called on a thread started with {@link CacheWorkerInput} as its data. Answers once. */
export async function runClientCacheWorker(): Promise<void> {
  const { verb, key, folder } = workerData as CacheWorkerInput;
  let said = '';
  // Of this thread alone. What a thread has written may be lost when it is ended, so it goes with the answer.
  process.stdout.write = (text: string | Uint8Array) => {
    said += String(text);
    return true;
  };
  // Within the one file of the bundle, but evaluated only here.
  const cache = await import(/* webpackMode: "eager" */ '@actions/cache');
  // Keys are matched by their beginning; only the whole one will do.
  const hit =
    verb === 'restore'
      ? (await cache.restoreCache([folder], key)) === key
      : (await cache.saveCache([folder], key)) !== -1;
  parentPort?.postMessage({ hit, said } satisfies CacheAnswer);
}
