/** The post step: takes away what an interrupted main step had to leave, and tells of it. Warns, never fails. */
import type { AlarmParts } from './alarm/sound.ts';
import { ownSessions } from './backup/sessions.ts';
import { Announcements } from './channels/announce.ts';
import { Channels } from './channels/tell.ts';
import type { RunNews } from './command.ts';
import type { Environment } from './domain/destination.ts';
import { BackupError, messageOf } from './domain/errors.ts';
import { variableOf } from './inputs/names.ts';
import { isWorkflow } from './inputs/runner-environment.ts';
import { secretsIn } from './inputs/secrets.ts';
import { INPUTS } from './inputs/spec.ts';
import { readNote } from './news.ts';
import type { Clock } from './ports.ts';
import { removeLeftServers } from './postgres/server/leftover.ts';
import { describeFailure } from './report/failure.ts';
import { type FailureWords, failureMessage } from './report/failure-words.ts';
import { recoveryStage } from './report/recovery-failure.ts';
import { reportIncident } from './report/report.ts';
import { resumeFromNote } from './restore/pause-access.ts';
import { RunLog, runnerConsole } from './runner/log.ts';
import { removeWorkDir } from './runner/work-dir.ts';
import { loadState, type State } from './state.ts';
import { tellEverybody } from './tell-everybody.ts';

export type PostPorts = Pick<AlarmParts, 'clock' | 'lookUpGoodBackup'>;

export async function cleanUp(env: Environment, ports: PostPorts): Promise<void> {
  const log = new RunLog(runnerConsole(isWorkflow(env)));
  log.maskExactly(secretsIn(env));
  const state = loadState(env);
  const news = readNote<Partial<RunNews>>(state.news, log) ?? {};
  if (news.pauseNote && (await giveAccessBack(news.pauseNote, env, { log, clock: ports.clock }))) {
    news.giveAccessBack = [];
  }
  if (state.workDir !== undefined) await remove(state.workDir, log);
  if (state.reported === undefined) await tellOfInterruption(state, news, { env, log, ports });
}

/** A restore that was killed had others kept out of the database. False when they still are. */
async function giveAccessBack(note: string, env: Environment, ports: { log: RunLog; clock: Clock }): Promise<boolean> {
  const { log } = ports;
  try {
    const connection = INPUTS['target-database-url'].parse(env[variableOf('target-database-url')] ?? '', env);
    if (connection === undefined) return false;
    await resumeFromNote(note, ownSessions(connection), ports);
    return true;
  } catch (error) {
    log.annotate(
      'warning',
      `${messageOf(error)}.\nThe log of the restore says in SQL how to give access back; the next restore into that database does it too.`,
      'Others are still kept out of the database',
    );
    return false;
  }
}

async function remove(workDir: string, log: RunLog): Promise<void> {
  try {
    // What it noted in the work folder, so before that goes.
    await removeLeftServers(workDir);
  } catch (error) {
    log.warning(`A local server that the run had started is still there: ${messageOf(error)}`);
  }
  try {
    await removeWorkDir(workDir);
  } catch (error) {
    log.warning(`The work folder of the run could not be removed: ${messageOf(error)}. It may hold a password file.`);
  }
}

/** A run that failed or was cancelled has said so itself but for the issue; one that was killed has said nothing. */
async function tellOfInterruption(
  state: State,
  news: Partial<RunNews>,
  { env, log, ports }: { env: Environment; log: RunLog; ports: PostPorts },
): Promise<void> {
  const told = readNote<FailureWords>(state.failure, log);
  const failure = told ?? describeFailure(killed(news), news);
  if (told === undefined) {
    log.annotate('warning', failureMessage(failure), failure.title);
    reportIncident(failure, news, { env, log, now: ports.clock.now() });
  }
  const ending = { exitCode: 1, failure } as const;
  const { lastGood, startedAt } = news;
  const { signal } = new AbortController();
  const telling = { env, log, clock: ports.clock };
  const channels = new Channels(telling);
  const announcements = new Announcements(telling);
  await tellEverybody(ending, { ...ports, env, log, lastGood, signal, channels, announcements, startedAt });
}

function killed(news: Partial<RunNews>): BackupError {
  const stage = news.command === 'restore' ? recoveryStage(news) : 'looking';
  const next = {
    looking: 'Then run it again.',
    restoring: 'Then run it again.',
    replacing: 'Before anything else find out what the database holds, as the next lines say.',
    replaced: 'There is no need to run it again before you looked at the database.',
  }[stage];
  return new BackupError('ERR_KILLED', 'The run was ended from outside before it could say anything', {
    op: 'run',
    hint: `Look at the end of its log: a lack of memory, a runner that went away, or a cancellation that took longer than the runner waits. ${next}`,
  });
}
