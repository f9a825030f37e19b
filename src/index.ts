/** Where Node starts: the main step or the post step. */
import { pathToFileURL } from 'node:url';
import { lookUpGoodBackup } from './alarm/good-backup.ts';
import { backup } from './commands/backup.ts';
import { check } from './commands/check.ts';
import { drill } from './commands/drill.ts';
import { prune } from './commands/prune.ts';
import { restore } from './commands/restore.ts';
import { status } from './commands/status.ts';
import { run } from './main.ts';
import { cleanUp } from './post.ts';
import { systemClock } from './runner/clock.ts';
import { endProcess } from './runner/exit.ts';
import { keepYoungGenerationSmall } from './runner/memory.ts';
import { isPostStep } from './state.ts';

keepYoungGenerationSmall();
const OLDEST_NODE = 24;
const script = process.argv[1] as string;
/** Bundles beside that of this file: a thread loads all of its script, and this one is large. */
const threads = (main: URL) => ({ proof: new URL('proof/index.js', main), cache: new URL('cache/index.js', main) });

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.log(
    `::error title=Node is too old::db-backup-action needs Node ${OLDEST_NODE}, and this is ${process.versions.node}. Nothing was read or written.`,
  );
  process.exitCode = 1;
} else if (isPostStep(script, process.env)) {
  await cleanUp(process.env, { clock: systemClock, lookUpGoodBackup });
} else {
  const main = pathToFileURL(script);
  const ports = {
    clock: systemClock,
    commands: { backup, restore, drill, prune, status, check },
    threads: threads(main),
    lookUpGoodBackup,
  };
  endProcess(await run(process.env, ports));
}
