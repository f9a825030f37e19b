/** Entry of the proof's thread. */
import os from 'node:os';
import { runArchiveProofWorker } from './archive/worker.ts';

/** Linux counts this for the calling thread and what it starts: pg_dump and a server on this machine set the pace. */
const BEHIND_THE_DUMP = 10;
if (process.platform === 'linux') os.setPriority(BEHIND_THE_DUMP);

await runArchiveProofWorker();
