/** The thread that speaks with GitHub's cache. */
import { parentPort, workerData } from 'node:worker_threads';
import * as cache from '@actions/cache';

export interface CacheWorkerInput {
  /** `restore-newest` takes the newest entry whose key begins with `key`. */
  verb: 'restore' | 'restore-newest' | 'save';
  key: string;
  /** Absolute path; saved from and restored to. */
  folder: string;
}

export interface CacheAnswer {
  /** Whether the entry was restored, or was saved now. */
  hit: boolean;
  /** Its whole key. */
  key: string;
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
  const answer = verb === 'save' ? await save(folder, key) : await restore(folder, key, verb === 'restore-newest');
  parentPort?.postMessage({ ...answer, said } satisfies CacheAnswer);
}

/** Keys are matched by their beginning. */
async function restore(folder: string, key: string, anyEnd: boolean): Promise<Omit<CacheAnswer, 'said'>> {
  const found = await cache.restoreCache([folder], key);
  return { hit: found !== undefined && (anyEnd || found === key), key: found ?? key };
}

async function save(folder: string, key: string): Promise<Omit<CacheAnswer, 'said'>> {
  return { hit: (await cache.saveCache([folder], key)) !== -1, key };
}
