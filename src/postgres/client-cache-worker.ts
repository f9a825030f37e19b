/** Entry of the cache's thread. */
import { runClientCacheWorker } from './client-cache/worker.ts';

hideFromChildren('ACTIONS_RUNTIME_TOKEN');
await runClientCacheWorker();

/** The library reads it from the environment and hands a copy of that, of what can be listed, to tar. */
function hideFromChildren(name: string): void {
  const { [name]: value, ...others } = process.env;
  process.env = Object.defineProperty(others, name, { value, enumerable: false });
}
