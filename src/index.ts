/** Where Node starts: the main step, the post step, or one of the threads. */
import { pathToFileURL } from 'node:url';
import { isMainThread, workerData } from 'node:worker_threads';
import { lookUpGoodBackup } from './alarm/good-backup.ts';
import { backup } from './commands/backup.ts';
import { run } from './main.ts';
import { cleanUp } from './post.ts';
import { isArchiveProofWorker, runArchiveProofWorker } from './postgres/archive-proof.ts';
import { isClientCacheWorker, runClientCacheWorker } from './postgres/client-cache.ts';
import { systemClock } from './runner/clock.ts';
import { endProcess } from './runner/exit.ts';
import { isPostStep } from './state.ts';

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.log(
    `::error title=Node is too old::db-backup-action needs Node ${OLDEST_NODE}, and this is ${process.versions.node}. Nothing was read or written.`,
  );
  process.exitCode = 1;
} else if (!isMainThread) {
  if (isArchiveProofWorker(workerData)) await runArchiveProofWorker();
  else if (isClientCacheWorker(workerData)) await runClientCacheWorker();
} else if (isPostStep(process.env)) {
  await cleanUp(process.env, { clock: systemClock, lookUpGoodBackup });
} else {
  const proofThread = pathToFileURL(process.argv[1] as string);
  endProcess(await run(process.env, { clock: systemClock, commands: { backup }, proofThread, lookUpGoodBackup }));
}
