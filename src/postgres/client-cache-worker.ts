/** Entry of the cache's thread where the action runs unbundled; the bundle starts itself instead. */
import { workerData } from 'node:worker_threads';
import { isClientCacheWorker, runClientCacheWorker } from './client-cache/worker.ts';

if (isClientCacheWorker(workerData)) await runClientCacheWorker();
