/** Entry of the proof's thread where the action runs unbundled; the bundle starts itself instead. */
import { workerData } from 'node:worker_threads';
import { isArchiveProofWorker, runArchiveProofWorker } from './archive/worker.ts';

if (isArchiveProofWorker(workerData)) await runArchiveProofWorker();
