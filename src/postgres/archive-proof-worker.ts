/** Entry of the proof's thread. */
import { runArchiveProofWorker } from './archive/worker.ts';

await runArchiveProofWorker();
