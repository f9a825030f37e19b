/** The one issue of a series: what the plan says, carried out. */

import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import {
  CRITICAL_LABEL,
  type Escalation,
  type Failing,
  isOfRun,
  issuesAbout,
  type OpenIssue,
  planAfterOpening,
  planForFailure,
  planForSuccess,
} from '../domain/alarm.ts';
import { describeDestination } from '../domain/destination.ts';
import { type Gravity, gravityOf } from '../domain/notify/level.ts';
import { readTold, type Told, withTold, withToldLine } from '../domain/notify/told.ts';
import type { History } from '../domain/notify.ts';
import { DAY_MS } from '../domain/time.ts';
import { GitHubError, type GitHubFault } from '../github/errors.ts';
import type { Issues, NewIssue } from '../github/issues.ts';
import type { AlarmInputs } from '../inputs/alarm.ts';
import type { Log } from '../ports.ts';
import type { Proven } from '../report/ending.ts';
import type { FailureWords } from '../report/failure-words.ts';
import {
  type AlarmEvent,
  type AlarmRun,
  duplicateComment,
  failureComment,
  issueBody,
  issueTitle,
  recoveryComment,
} from '../report/issue.ts';

/** The longest time that a run of GitHub Actions may take: platform limit. */
const LONGEST_RUN_MS = 35 * DAY_MS;

export interface AlarmTask {
  inputs: AlarmInputs;
  issues: Issues;
  log: Log;
  redact: (text: string) => string;
  run: AlarmRun;
  now: Date;
}

/** What became of the issue about a failure. */
export interface Raised {
  number: number;
  url: string;
  gravity: Gravity;
  /** Who was told before, as the issue said. */
  history: History;
  /** The text of the issue, to note in it who was told. */
  body: string;
  /** The issue itself says it now. */
  isTold: boolean;
}

/**
 * A try to tell of a failure, which may be repeated: it finds what an earlier try has done although nobody heard of it.
 */
export function raise(task: AlarmTask, words: FailureWords, good: GoodBackup): () => Promise<Raised> {
  const { inputs, issues, log, redact, run, now } = task;
  const failing = failingOf(task, words, good);
  const { subject, destination } = inputs;
  const storage = destination === undefined ? {} : { storage: describeDestination(destination) };
  const eventOf = (gravity: Gravity): AlarmEvent => ({ words, subject, good, gravity, run, now, ...storage });
  const gone = new Set<number>();
  const told = new Set<number>();
  return async () => {
    for (;;) {
      const open = (await issues.open()).filter(({ number }) => !gone.has(number));
      const own = open.find(({ body }) => body.includes(run.marker));
      if (own !== undefined) return await afterOpening(task, eventOf(gravityOf(failing)), own);
      const plan = planForFailure(failing, open);
      const event = eventOf(plan.gravity);
      if (plan.action === 'open') return await afterOpening(task, event, await openIssue(task, event));
      const { number, url, body } = plan.issue;
      const history = { known: 'open-issue', told: readTold(body) } as const;
      const raised = { number, url, body, gravity: plan.gravity, history };
      if (plan.action === 'withhold') {
        log.info(`No comment on issue #${number}, because ${plan.reason}.`);
        return { ...raised, isTold: false };
      }
      // Still open after the comment: another run might have closed it at the same time.
      if (told.has(number)) return { ...raised, isTold: true };
      if (await succeeds(issues.comment(number, failureComment(event, redact)), 'missing')) {
        told.add(number);
        if (plan.escalation !== undefined) await escalate(task, number, plan.escalation);
        log.info(`Issue #${number} has a new comment: ${url}`);
      } else {
        // Deleted or transferred since it was listed.
        gone.add(number);
      }
    }
  };
}

function failingOf({ inputs, now }: AlarmTask, words: FailureWords, good: GoodBackup): Failing {
  const { command, code, condition = code, level } = words;
  return {
    ...{ command, code: condition, good, now },
    ...(level === undefined ? {} : { level }),
    subject: inputs.subject,
    run: runOf(inputs),
    remindAfterHours: inputs.remindAfterHours,
  };
}

/** Notes in the issue who was told, for the runs after this one. Rejects with a `GitHubError`. */
export async function rememberTold(
  { issues }: AlarmTask,
  { number, body }: Raised,
  now: readonly Told[],
): Promise<void> {
  await issues.rewrite(number, withToldLine(body, withTold(readTold(body), now)));
}

/** The comment said it already: what cannot be changed of the issue is a warning. */
async function escalate({ issues, log }: AlarmTask, number: number, { title, label }: Escalation): Promise<void> {
  const steps = [
    ...(label === undefined ? [] : [() => issues.addLabel(number, label)]),
    ...(title === undefined ? [] : [() => issues.retitle(number, title)]),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof GitHubError)) throw error;
      log.warning(`Issue #${number} is critical, but does not look like it: ${error.message}.`);
    }
  }
  if (steps.length > 0) log.info(`Issue #${number} is critical now.`);
}

function runOf({ run: { runId, runAttempt } }: AlarmInputs): string {
  return `${runId}/${runAttempt}`;
}

/** With what GitHub refuses left out, one thing after the other: an alarm without a label is an alarm. */
async function openIssue(task: AlarmTask, event: AlarmEvent): Promise<OpenedIssue> {
  const { inputs, issues, log, redact } = task;
  const { assignees } = inputs;
  const labels = labelsOf(inputs, event);
  const text = { title: issueTitle(event, redact), body: issueBody(event, redact) };
  const wishes: NewIssue[] = [
    { ...text, labels, assignees },
    ...(assignees.length === 0 ? [] : [{ ...text, labels, assignees: [] }]),
    ...(labels.length === 0 ? [] : [{ ...text, labels: [], assignees: [] }]),
  ];
  for (const [index, wish] of wishes.entries()) {
    try {
      const created = await issues.create(wish);
      log.info(`Issue #${created.number} was opened: ${created.url}`);
      if (index > 0)
        log.warning(
          `Issue #${created.number} was opened without ${leftOut({ labels, assignees }, wish)}: GitHub refused them. Correct \`issue-labels\` and \`issue-assignees\`.`,
        );
      return { ...created, body: wish.body };
    } catch (error) {
      if (index === wishes.length - 1 || !isFault(error, 'invalid', 'denied')) throw error;
    }
  }
  throw new Error('no way to open an issue is left');
}

interface OpenedIssue {
  number: number;
  url: string;
  body: string;
}

function labelsOf({ labels }: AlarmInputs, { gravity }: AlarmEvent): readonly string[] {
  return gravity.level === 'critical' ? [...new Set([...labels, CRITICAL_LABEL])] : labels;
}

function leftOut({ labels, assignees }: Pick<NewIssue, 'labels' | 'assignees'>, wish: NewIssue): string {
  const words = [
    ...(wish.assignees.length < assignees.length ? [`the assignees ${assignees.join(', ')}`] : []),
    ...(wish.labels.length < labels.length ? [`the labels ${labels.join(', ')}`] : []),
  ];
  return words.join(' and ');
}

/** Of two runs that opened one at the same time the later one gives way. */
async function afterOpening(
  { inputs, issues, log, redact }: AlarmTask,
  event: AlarmEvent,
  { number, url, body }: OpenedIssue,
): Promise<Raised> {
  const { gravity } = event;
  const first = planAfterOpening(inputs.subject, number, await issues.open());
  if (first === undefined) return { number, url, body, gravity, history: { known: 'no-issue' }, isTold: true };
  await issues.comment(first.number, failureComment(event, redact));
  await issues.comment(number, duplicateComment(first.number));
  await issues.close(number, 'not_planned');
  log.info(`Issue #${number} was closed again: another run opened #${first.number} at the same time.`);
  const history = { known: 'open-issue', told: readTold(first.body) } as const;
  return { number: first.number, url: first.url, body: first.body, gravity, history, isTold: true };
}

/** What became of the issues about what is over. */
export interface Recovered {
  /** One that was closed; absent when none was open. */
  issue?: { number: number; url: string };
  history: History;
}

/** A try to tell of a success, which may be repeated. */
export function recover(task: AlarmTask, proven: Proven): () => Promise<Recovered> {
  const { inputs, issues, log, redact, run } = task;
  const { subject, step } = inputs;
  const told = new Set<number>();
  const words = recoveryComment({ ...proven, subject, run }, redact);
  let closed: Recovered = { history: { known: 'no-issue' } };
  return async () => {
    const open = await issues.open();
    const plan = planForSuccess([subject, step], open, await toldByThisRun(task, issuesAbout(step, open)));
    // What an earlier try has closed is not among them any more.
    if (plan.action !== 'close') return closed;
    const [first] = plan.issues;
    const history = { known: 'open-issue', told: plan.issues.flatMap(({ body }) => readTold(body)) } as const;
    closed = first === undefined ? { history } : { issue: { number: first.number, url: first.url }, history };
    for (const { number, url } of plan.issues) {
      if (!told.has(number) && !(await succeeds(issues.comment(number, words), 'locked', 'missing'))) {
        log.warning(`Issue #${number} is closed without a word of recovery: it takes no comments.`);
      }
      told.add(number);
      if (await succeeds(issues.close(number, 'completed'), 'missing')) log.info(`Issue #${number} was closed: ${url}`);
    }
    return closed;
  };
}

async function toldByThisRun({ inputs, issues, now }: AlarmTask, about: readonly OpenIssue[]): Promise<Set<number>> {
  const told = new Set<number>();
  for (const { number, body } of about) {
    const texts = [body, ...(await issues.comments(number, new Date(now.getTime() - LONGEST_RUN_MS)))];
    if (texts.some((text) => isOfRun(text, runOf(inputs)))) told.add(number);
  }
  return told;
}

/** False when it failed with one of `faults`; every other failure is thrown on. */
async function succeeds(work: Promise<void>, ...faults: readonly GitHubFault[]): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isFault(error, ...faults)) return false;
    throw error;
  }
}

function isFault(error: unknown, ...faults: readonly GitHubFault[]): boolean {
  return error instanceof GitHubError && faults.includes(error.fault);
}
