/** One run of the action in the demo. */
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { makeToolCache, type PgDumpShim } from '../client-shims.ts';
import { type ActionResult, runAction } from '../run-action.ts';
import { putServerInto } from '../server-search.ts';
import type { SetStage } from './story.ts';

export interface DemoRun {
  /** What pg_dump is replaced by. */
  shim?: PgDumpShim;
  /** The action finds the server from npm, as on a runner that has one. */
  withServer?: boolean;
  onLine?: (line: string) => void;
}

export async function runInDemo(
  stage: SetStage,
  inputs: Readonly<Record<string, string>>,
  { shim, withServer = false, onLine }: DemoRun = {},
): Promise<ActionResult> {
  const tools = await makeToolCache(stage.clients, shim);
  // After Ctrl-C nobody may wait until the run has ended.
  stage.resources.defer(() => tools.remove());
  if (withServer) {
    // Where root runs this, the server is another account.
    await chmod(tools.folder, 0o755);
    await putServerInto(tools.folder, stage.clients.major);
  }
  const run = await runAction({
    inputs,
    runner: 'self-hosted',
    // No password file of whoever runs the demo.
    env: { HOME: path.join(stage.folder, 'home'), RUNNER_TOOL_CACHE: tools.folder },
    onStart: stage.onStart,
    ...(onLine === undefined ? {} : { onLine }),
  });
  stage.signal.throwIfAborted();
  return run;
}
