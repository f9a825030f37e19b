/** Where Node starts: the main step, the post step, or the thread that proves an archive. */
import { pathToFileURL } from 'node:url';
import { isMainThread, workerData } from 'node:worker_threads';
import { backup } from './commands/backup.ts';
import { run } from './main.ts';
import { cleanUp } from './post.ts';
import { isArchiveProofWorker, runArchiveProofWorker } from './postgres/archive-proof.ts';
import { systemClock } from './runner/clock.ts';
import { endProcess } from './runner/exit.ts';
import { isPostStep } from './state.ts';

if (!isMainThread) {
  if (isArchiveProofWorker(workerData)) await runArchiveProofWorker();
} else if (isPostStep(process.env)) {
  await cleanUp(process.env);
} else {
  const proofThread = pathToFileURL(process.argv[1] as string);
  endProcess(await run(process.env, { clock: systemClock, commands: { backup }, proofThread }));
}
