/** The main step: masks, reads the inputs, runs the command, reports. Everything it needs is handed in. */
import type { AlarmParts } from './alarm/sound.ts';
import { Announcements } from './channels/announce.ts';
import { Channels } from './channels/tell.ts';
import type { CommandContext, CommandResult, RunNews } from './command.ts';
import type { Environment } from './domain/destination.ts';
import { BackupError, messageOf } from './domain/errors.ts';
import { readCommand, readInputs } from './inputs/read.ts';
import { isWorkflow } from './inputs/runner-environment.ts';
import { secretsIn } from './inputs/secrets.ts';
import type { CommandName } from './inputs/spec.ts';
import type { Inputs } from './inputs/types.ts';
import { News } from './news.ts';
import type { Clock, Log } from './ports.ts';
import type { Ending } from './report/ending.ts';
import { reportFailure, reportResult } from './report/report.ts';
import { type Cancellation, watchForCancellation } from './runner/cancellation.ts';
import { RunLog, runnerConsole } from './runner/log.ts';
import { makeWorkDir, planWorkDir, removeWorkDir } from './runner/work-dir.ts';
import { remember } from './state.ts';
import { tellEverybody } from './tell-everybody.ts';
import { VERSION } from './version.ts';

/** The runner ends the process 10 s after its first signal. */
const CLEAN_UP_MS = 6_500;

export type Commands = {
  [Name in CommandName]: (
    inputs: Extract<Inputs, { command: Name }>,
    context: CommandContext,
  ) => Promise<CommandResult>;
};

export interface Ports {
  clock: Clock;
  commands: Commands;
  /** See `CommandContext`. */
  threads: CommandContext['threads'];
  /** How an alarm learns which backups there are; see `AlarmParts`. */
  lookUpGoodBackup: AlarmParts['lookUpGoodBackup'];
  /** How long a cancelled command may take to clean up; 6.5 s by default. */
  cleanUpMs?: number;
}

/** Runs to the end and reports it. Resolves with the exit code, never rejects. */
export async function run(env: Environment, ports: Ports): Promise<number> {
  const log = new RunLog(runnerConsole(isWorkflow(env)));
  const cancellation = watchForCancellation(process);
  const news = new News(env, log);
  const telling = { env, log, clock: ports.clock };
  const parts = {
    ...{ log, cancellation, news },
    channels: new Channels(telling),
    announcements: new Announcements({ ...telling, cacheWorker: ports.threads.cache }),
  };
  try {
    const ending = await runCommand(env, ports, parts);
    await tellOthers(ending, env, ports, parts);
    return ending.exitCode;
  } finally {
    cancellation.close();
  }
}

interface RunParts {
  log: RunLog;
  cancellation: Cancellation;
  news: News;
  channels: Channels;
  announcements: Announcements;
}

/** Never rejects: what went wrong is reported. */
async function runCommand(
  env: Environment,
  { clock, commands, threads, cleanUpMs = CLEAN_UP_MS }: Ports,
  { log, cancellation, news, channels, announcements }: RunParts,
): Promise<Ending> {
  const { signal, cancelled } = cancellation;
  try {
    log.maskExactly(secretsIn(env));
    const command = readCommand(env);
    news.add({ startedAt: clock.now().toISOString(), ...(command === undefined ? {} : { command }) });
    channels.started(cancelled);
    announcements.started(cancelled);
    const inputs = readInputs(env);
    const tell = (more: Partial<RunNews>): void => {
      news.add(more);
      announcements.heard(more, news.known, cancelled);
    };
    const result = await withWorkDir(inputs.runner.tempDirectory, env, log, (workDir) => {
      const surroundings = { log, clock, env, signal, workDir, version: VERSION, threads, tell };
      const context = { ...surroundings, isAnnounced: announcements.isHeard, probeChannels: announcements.probe };
      // The entry of a command takes the inputs of that command: TypeScript cannot follow it through a union.
      const command = commands[inputs.command] as (inputs: Inputs, context: CommandContext) => Promise<CommandResult>;
      return withinGrace(command(inputs, context), signal, (over) => clock.sleep(cleanUpMs, over));
    });
    if (result.outcome === 'watched') announcements.watched(result.report, cancelled);
    const defect = cancellation.defect();
    if (defect !== undefined) throw defect;
    return reportResult(result, { env, log, now: clock.now() });
  } catch (error) {
    return reportFailure(rootOf(error, signal), news.known, { env, log, now: clock.now() });
  }
}

/** After everything else is told. A cancelled run has no time for it: its post step does it then. */
async function tellOthers(
  ending: Ending,
  env: Environment,
  { clock, lookUpGoodBackup }: Ports,
  { log, cancellation, news, channels, announcements }: RunParts,
): Promise<void> {
  const signal = cancellation.cancelled;
  if ('failure' in ending) news.failed(ending.failure);
  const { lastGood, startedAt } = news.known;
  if (!signal.aborted) {
    const told = { channels, announcements, startedAt };
    await tellEverybody(ending, { env, log, clock, signal, lookUpGoodBackup, lastGood, ...told });
  }
  if (!signal.aborted || ending.exitCode === 0) news.reported();
}

/** The folder is gone when this settles; that it could not be removed is a warning and hides nothing. */
async function withWorkDir<T>(
  tempDirectory: string,
  env: Environment,
  log: Log,
  body: (workDir: string) => Promise<T>,
): Promise<T> {
  const workDir = planWorkDir(tempDirectory);
  try {
    remember('workDir', workDir, env);
    await makeWorkDir(workDir);
  } catch (cause) {
    throw new BackupError(
      'ERR_PREFLIGHT',
      `A private folder cannot be made in ${tempDirectory}, or not be noted for the post step: ${messageOf(cause)}`,
      {
        op: 'make the work folder',
        hint: 'Free space there, or point RUNNER_TEMP (outside a workflow TMPDIR) to a folder that can be written.',
        cause,
      },
    );
  }
  try {
    return await body(workDir);
  } finally {
    await removeWorkDir(workDir).catch((error: unknown) =>
      log.warning(`The work folder ${workDir} could not be removed: ${messageOf(error)}. It may hold a password file.`),
    );
  }
}

/** What `command` gives; after a cancellation only as long as there is time to tell about it. */
async function withinGrace<T>(
  command: Promise<T>,
  signal: AbortSignal,
  grace: (settled: AbortSignal) => Promise<void>,
): Promise<T> {
  const settled = new AbortController();
  const overdue = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      grace(settled.signal).then(
        () => reject(signal.reason),
        () => undefined,
      );
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([command, overdue]);
  } finally {
    settled.abort();
  }
}

/** What a part throws because it was cancelled is not what went wrong. */
function rootOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted && !(error instanceof BackupError) ? signal.reason : error;
}
