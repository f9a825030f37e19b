/**
 * Raises and ends the alarm in GitHub. It only ever warns: whatever goes wrong here changes neither the error that is
 * told nor the exit code, and takes 20 seconds at most.
 */
import { randomUUID } from 'node:crypto';
import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import { runMarker, runsOften } from '../domain/alarm.ts';
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import { type Gravity, gravityOf } from '../domain/notify/level.ts';
import type { Listener } from '../domain/notify/told.ts';
import type { History } from '../domain/notify.ts';
import { GitHubError } from '../github/errors.ts';
import { issuesOf } from '../github/issues.ts';
import { type AlarmInputs, readAlarmInputs } from '../inputs/alarm.ts';
import type { Clock } from '../ports.ts';
import type { Ending } from '../report/ending.ts';
import type { FailureWords } from '../report/failure-words.ts';
import { type AlarmRun, conditionOf } from '../report/issue.ts';
import { Markdown } from '../report/markdown.ts';
import { reportIssue } from '../report/report.ts';
import type { RunLog } from '../runner/log.ts';
import type { LookUpParts } from './good-backup.ts';
import { type AlarmTask, type Raised, raise, recover, rememberTold } from './issue.ts';

const LONGEST_MS = 20_000;
const MAX_TRIES = 3;
/** A limit that lasts longer is left to the next run. */
const LONGEST_PAUSE_MS = 8_000;
const FIRST_PAUSE_MS = 500;
/** For one request when all others were told. */
const AFTERWARDS_MS = 6_000;

export interface AlarmParts {
  env: Environment;
  log: RunLog;
  clock: Clock;
  /** Of a cancellation, which leaves the alarm to the post step. */
  signal: AbortSignal;
  /** Of the series, where the run came so far as to learn it; otherwise it is looked up. */
  lastGood?: GoodBackup | undefined;
  lookUpGoodBackup(inputs: AlarmInputs, parts: LookUpParts): Promise<GoodBackup>;
  /** Others are told besides the issue, so that it must be known how grave a failure is. */
  othersListen: boolean;
}

/** What others than the issue need to know. */
export interface Sounded {
  history: History;
  /** The issue that is open about it, or was closed now. */
  issue?: { number: number; url: string };
  /** Of a failure. */
  verdict?: { gravity: Gravity; good: GoodBackup };
  /** Notes in the issue that they were told of this failure. Never rejects. */
  remember(to: readonly Listener[]): Promise<void>;
  /** Says in the issue about this failure what nobody else could be told. Never rejects. */
  note(text: string): Promise<void>;
}

const nothing = async (): Promise<void> => undefined;
const UNHEARD: Sounded = { history: { known: 'unknown' }, remember: nothing, note: nothing };

/** Opens, comments or closes the issue of this series and says in the log what was done. Never rejects. */
export async function soundAlarm(ending: Ending, parts: AlarmParts): Promise<Sounded> {
  const { env, log } = parts;
  let alone = UNHEARD;
  try {
    const inputs = readAlarmInputs(env);
    if (inputs?.dryRun === true) return UNHEARD;
    const verdict = 'failure' in ending ? await judge(ending.failure, inputs, parts) : undefined;
    if (verdict !== undefined) alone = { ...UNHEARD, verdict };
    if (inputs === undefined || !inputs.wanted) return alone;
    if (inputs.token === '') {
      log.notice(
        'No issue is opened when a run fails: `github-token` is empty. Remove that line, then the token of the job is used, or set `issue-on-failure: false`.',
      );
      return alone;
    }
    const sounded = await settle(ending, inputs, parts, verdict);
    if (sounded?.issue !== undefined) reportIssue(sounded.issue.number, { env, log });
    return sounded ?? alone;
  } catch (error) {
    if (!parts.signal.aborted) warn(ending, error, log);
    return alone;
  }
}

/** `undefined` when nothing is to be said in an issue. */
async function settle(
  ending: Ending,
  inputs: AlarmInputs,
  parts: AlarmParts,
  verdict: Sounded['verdict'],
): Promise<Sounded | undefined> {
  const { clock, log } = parts;
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(LONGEST_MS)]);
  const task = taskOf(inputs, parts, signal);
  if ('failure' in ending && verdict !== undefined) {
    const { failure } = ending;
    const { good } = verdict;
    const raised = await persist(raise(task, failure, good), { clock, signal });
    const { number, url, history, gravity } = raised;
    const afterwards = () => taskOf(inputs, parts, AbortSignal.any([parts.signal, AbortSignal.timeout(AFTERWARDS_MS)]));
    return {
      ...{ history, issue: { number, url }, verdict: { gravity, good } },
      remember: (to) => quietly(log, () => noteTold(afterwards(), failure, raised, to)),
      note: async (text) => {
        // Else one more comment each time, where one is withheld because it came too often.
        if (!raised.isTold) return;
        const comment = new Markdown(task.redact, true).text(text);
        await quietly(log, () => afterwards().issues.comment(number, comment));
      },
    };
  }
  if (!('proven' in ending)) return undefined;
  const { issue, history } = await persist(recover(task, ending.proven), { clock, signal });
  return { ...UNHEARD, history, ...(issue === undefined ? {} : { issue }) };
}

function taskOf(inputs: AlarmInputs, { log, clock }: AlarmParts, signal: AbortSignal): AlarmTask {
  const { token, apiUrl, run } = inputs;
  const issues = issuesOf({ token, apiUrl, repository: run.repository, clock, signal });
  return { inputs, issues, log, redact: log.redact, run: describeRun(inputs), now: clock.now() };
}

/** Where nobody will ask for it, it costs no request. */
async function noteTold(
  task: AlarmTask,
  failure: FailureWords,
  raised: Raised,
  others: readonly Listener[],
): Promise<void> {
  const to: Listener[] = raised.isTold ? ['issue', ...others] : [...others];
  const isAsked = others.length > 0 || (raised.isTold && runsOften(failure.command));
  if (!isAsked) return;
  const condition = conditionOf({ words: failure, gravity: raised.gravity });
  await rememberTold(
    task,
    raised,
    to.map((each) => ({ ...condition, to: each, at: task.now })),
  );
}

/** What cannot be noted may be told once more the next time, and that is all. */
async function quietly(log: RunLog, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    log.info(`${error.message}.`);
  }
}

/** How grave it is, as long as no issue tells more. */
async function judge(
  failure: FailureWords,
  inputs: AlarmInputs | undefined,
  parts: AlarmParts,
): Promise<Sounded['verdict']> {
  const { clock, lastGood, othersListen } = parts;
  const isHeard = othersListen || (inputs?.wanted === true && inputs.token !== '');
  if (!isHeard) return undefined;
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(LONGEST_MS)]);
  const good = lastGood ?? (await findGoodBackup(failure, inputs, { ...parts, signal }));
  const { command, level } = failure;
  const facts = { command, good, now: clock.now(), ...(level === undefined ? {} : { level }) };
  return { gravity: gravityOf(facts), good };
}

async function findGoodBackup(
  { code, series }: FailureWords,
  inputs: AlarmInputs | undefined,
  parts: AlarmParts,
): Promise<GoodBackup> {
  if (inputs === undefined) return { known: 'unreadable', why: 'outside of a workflow the storage is not looked at' };
  if (code === 'ERR_INPUT') return { known: 'unreadable', why: 'with wrong inputs the storage was not looked at' };
  if (code.startsWith('ERR_STORAGE')) return { known: 'unreadable', why: 'it is the storage that failed' };
  return await parts.lookUpGoodBackup(inputs, { ...parts, ...(series === undefined ? {} : { series }) });
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
