/** The thread that speaks with GitHub's cache. */
import { parentPort, workerData } from 'node:worker_threads';
import * as cache from '@actions/cache';

export interface CacheWorkerInput {
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

/** To be called on a thread started with {@link CacheWorkerInput} as its data. Answers once. */
export async function runClientCacheWorker(): Promise<void> {
  const { verb, key, folder } = workerData as CacheWorkerInput;
  let said = '';
  // Of this thread alone. What a thread has written may be lost when it is ended, so it goes with the answer.
  process.stdout.write = (text: string | Uint8Array) => {
    said += String(text);
    return true;
  };
  // Keys are matched by their beginning; only the whole one will do.
  const hit =
    verb === 'restore'
      ? (await cache.restoreCache([folder], key)) === key
      : (await cache.saveCache([folder], key)) !== -1;
  parentPort?.postMessage({ hit, said } satisfies CacheAnswer);
}
