/**
 * Raises and ends the alarm in GitHub. It only ever warns: whatever goes wrong here changes neither the error that is
 * told nor the exit code, and takes 20 seconds at most.
 */
import { randomUUID } from 'node:crypto';
import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import { runMarker } from '../domain/alarm.ts';
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import { GitHubError } from '../github/errors.ts';
import { issuesOf } from '../github/issues.ts';
import { type AlarmInputs, readAlarmInputs } from '../inputs/alarm.ts';
import type { Clock } from '../ports.ts';
import type { FailureWords } from '../report/failure-words.ts';
import type { AlarmRun } from '../report/issue.ts';
import { type Ending, reportIssue } from '../report/report.ts';
import type { RunLog } from '../runner/log.ts';
import type { LookUpParts } from './good-backup.ts';
import { type AlarmTask, raise, recover } from './issue.ts';

const LONGEST_MS = 20_000;
const MAX_TRIES = 3;
/** A limit that lasts longer is left to the next run. */
const LONGEST_PAUSE_MS = 8_000;
const FIRST_PAUSE_MS = 500;

export interface AlarmParts {
  env: Environment;
  log: RunLog;
  clock: Clock;
  /** Of a cancellation, which leaves the alarm to the post step. */
  signal: AbortSignal;
  /** Of the series, where the run came so far as to learn it; otherwise it is looked up. */
  lastGood?: GoodBackup | undefined;
  lookUpGoodBackup(inputs: AlarmInputs, parts: LookUpParts): Promise<GoodBackup>;
}

/** Opens, comments or closes the issue of this series and says in the log what was done. Never rejects. */
export async function soundAlarm(ending: Ending, parts: AlarmParts): Promise<void> {
  const { env, log } = parts;
  try {
    const inputs = readAlarmInputs(env);
    if (inputs === undefined || !inputs.wanted || inputs.dryRun) return;
    if (inputs.token === '') {
      log.notice(
        'No issue is opened when a run fails: `github-token` is empty. Remove that line, then the token of the job is used, or set `issue-on-failure: false`.',
      );
      return;
    }
    const number = await settle(ending, inputs, parts);
    if (number !== undefined) reportIssue(number, { env, log });
  } catch (error) {
    if (!parts.signal.aborted) warn(ending, error, log);
  }
}

async function settle(ending: Ending, inputs: AlarmInputs, parts: AlarmParts): Promise<number | undefined> {
  const { clock, log } = parts;
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(LONGEST_MS)]);
  const { token, apiUrl, run } = inputs;
  const issues = issuesOf({ token, apiUrl, repository: run.repository, clock, signal });
  const redact = (text: string): string => log.redact(text);
  const task: AlarmTask = { inputs, issues, log, redact, run: describeRun(inputs), now: clock.now() };
  if (ending.exitCode === 0) {
    return 'proven' in ending ? await persist(recover(task, ending.proven), { clock, signal }) : undefined;
  }
  const { failure } = ending;
  const good = parts.lastGood ?? (await findGoodBackup(failure, inputs, { ...parts, signal }));
  return await persist(raise(task, failure, good), { clock, signal });
}

async function findGoodBackup({ code }: FailureWords, inputs: AlarmInputs, parts: AlarmParts): Promise<GoodBackup> {
  if (code === 'ERR_INPUT') return { known: 'unreadable', why: 'with wrong inputs the storage was not looked at' };
  if (code.startsWith('ERR_STORAGE')) return { known: 'unreadable', why: 'it is the storage that failed' };
  return await parts.lookUpGoodBackup(inputs, parts);
}

function describeRun({ run }: AlarmInputs): AlarmRun {
  const { workflow, runId, runAttempt, url } = run;
  return { workflow, runId, runAttempt, url, marker: runMarker(`${runId}/${runAttempt}`, randomUUID().slice(0, 8)) };
}

/** Tries again what may pass, as long as there is time. `attempt` looks at the open issues anew each time. */
async function persist<T>(
  attempt: () => Promise<T>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = error instanceof GitHubError && tries < MAX_TRIES ? pauseAfter(error, tries) : undefined;
      if (pause === undefined || signal.aborted) throw error;
      await clock.sleep(pause, signal);
    }
  }
}

/** In milliseconds; undefined when waiting is of no use, or would take too long. */
function pauseAfter(error: GitHubError, tries: number): number | undefined {
  if (!error.retryable) return undefined;
  if (error.fault !== 'rate-limited') return FIRST_PAUSE_MS * 2 ** (tries - 1);
  const { retryAfterMs } = error;
  return retryAfterMs !== undefined && retryAfterMs <= LONGEST_PAUSE_MS ? retryAfterMs : undefined;
}

function warn(ending: Ending, error: unknown, log: RunLog): void {
  const title = 'failure' in ending ? 'The issue about this could not be written' : 'The issue could not be closed';
  const action = error instanceof GitHubError ? `\nWhat to do: ${error.hint}` : '';
  log.annotate('warning', `${messageOf(error)}.${action}`, title);
}
