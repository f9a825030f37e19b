/** The post step: takes away what an interrupted main step had to leave, and tells of it. Warns, never fails. */
import { type AlarmParts, soundAlarm } from './alarm/sound.ts';
import type { RunNews } from './command.ts';
import type { Environment } from './domain/destination.ts';
import { BackupError, messageOf } from './domain/errors.ts';
import { isWorkflow } from './inputs/runner-environment.ts';
import { secretsIn } from './inputs/secrets.ts';
import { describeFailure, failureMessage } from './report/failure.ts';
import { RunLog, runnerConsole } from './runner/log.ts';
import { removeWorkDir } from './runner/work-dir.ts';
import { loadState, type State } from './state.ts';

export type PostPorts = Pick<AlarmParts, 'clock' | 'lookUpGoodBackup'>;

export async function cleanUp(env: Environment, ports: PostPorts): Promise<void> {
  const log = new RunLog(runnerConsole(isWorkflow(env)));
  log.maskExactly(secretsIn(env));
  const state = loadState(env);
  if (state.workDir !== undefined) await remove(state.workDir, log);
  if (state.end !== 'told') await tellOfInterruption(state, env, log, ports);
}

async function remove(workDir: string, log: RunLog): Promise<void> {
  try {
    await removeWorkDir(workDir);
  } catch (error) {
    log.warning(`The work folder of the run could not be removed: ${messageOf(error)}. It may hold a password file.`);
  }
}

/** A cancelled run has said so itself but for the issue; one that was killed has said nothing. */
async function tellOfInterruption(state: State, env: Environment, log: RunLog, ports: PostPorts): Promise<void> {
  const news = newsOf(state, log);
  const words = describeFailure(state.end === 'cancelled' ? CANCELLED : KILLED, news);
  if (state.end !== 'cancelled') log.annotate('warning', failureMessage(words), words.title);
  const { lastGood: good } = news;
  const outcome = { kind: 'failed', words, ...(good === undefined ? {} : { good }) } as const;
  await soundAlarm(outcome, { ...ports, env, log, signal: new AbortController().signal });
}

/** As the main step of this very run wrote it down. */
function newsOf({ news }: State, log: RunLog): Partial<RunNews> {
  if (news === undefined) return {};
  try {
    return JSON.parse(news) as Partial<RunNews>;
  } catch (error) {
    log.debug(`what the main step noted down cannot be read: ${messageOf(error)}`);
    return {};
  }
}

const CANCELLED = new BackupError('ERR_CANCELLED', 'The run was cancelled before the backup was done', {
  op: 'run',
  hint: 'Run it again when you want it. If nobody cancelled it, look for a timeout of the job or for a newer run in the same `concurrency` group.',
});

const KILLED = new BackupError('ERR_KILLED', 'The run was ended from outside before it could say anything', {
  op: 'run',
  hint: 'Look at the end of its log: a lack of memory, a runner that went away, or a cancellation that took longer than the runner waits. Then run it again.',
});
