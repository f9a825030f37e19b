/** Entry of the cache's thread. */
import { runClientCacheWorker } from './client-cache/worker.ts';

await runClientCacheWorker();
