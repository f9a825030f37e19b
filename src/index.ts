/** Where Node starts: the main step or the post step. */
import { pathToFileURL } from 'node:url';
import { backup } from './commands/backup.ts';
import { run } from './main.ts';
import { cleanUp } from './post.ts';
import { systemClock } from './runner/clock.ts';
import { endProcess } from './runner/exit.ts';
import { isPostStep } from './state.ts';

const OLDEST_NODE = 24;
/** Beside the bundle of this file: a bundle of its own, because a thread loads all of its script, and this one is large. */
const PROOF_BUNDLE = 'proof/index.js';

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.log(
    `::error title=Node is too old::db-backup-action needs Node ${OLDEST_NODE}, and this is ${process.versions.node}. Nothing was read or written.`,
  );
  process.exitCode = 1;
} else if (isPostStep(process.env)) {
  await cleanUp(process.env);
} else {
  const proofThread = new URL(PROOF_BUNDLE, pathToFileURL(process.argv[1] as string));
  endProcess(await run(process.env, { clock: systemClock, commands: { backup }, proofThread }));
}
