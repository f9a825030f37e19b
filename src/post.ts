/** The post step: takes away what an interrupted main step had to leave. Warns, never fails. */
import type { Environment } from './domain/destination.ts';
import { messageOf } from './domain/errors.ts';
import { isWorkflow } from './inputs/runner-environment.ts';
import { secretsIn } from './inputs/secrets.ts';
import { RunLog, runnerConsole } from './runner/log.ts';
import { removeWorkDir } from './runner/work-dir.ts';
import { loadState } from './state.ts';

export async function cleanUp(env: Environment): Promise<void> {
  const log = new RunLog(runnerConsole(isWorkflow(env)));
  log.maskExactly(secretsIn(env));
  const { workDir } = loadState(env);
  if (workDir === undefined) return;
  try {
    await removeWorkDir(workDir);
  } catch (error) {
    log.warning(`The work folder of the run could not be removed: ${messageOf(error)}. It may hold a password file.`);
  }
}
