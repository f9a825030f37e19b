/** The one issue of a series: what the plan says, carried out. */

import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import {
  type Escalation,
  isOfRun,
  issuesAbout,
  type OpenIssue,
  planAfterOpening,
  planForFailure,
  planForSuccess,
} from '../domain/alarm.ts';
import { GitHubError, type GitHubFault } from '../github/errors.ts';
import type { Issues, NewIssue } from '../github/issues.ts';
import type { AlarmInputs } from '../inputs/alarm.ts';
import type { Log } from '../ports.ts';
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
import type { Proven } from '../report/report.ts';

/** The longest time that a run of GitHub Actions may take: platform limit. */
const LONGEST_RUN_MS = 35 * 86_400_000;

export interface AlarmTask {
  inputs: AlarmInputs;
  issues: Issues;
  log: Log;
  redact: (text: string) => string;
  run: AlarmRun;
  now: Date;
}

/**
 * A try to tell of a failure, which may be repeated: it finds what an earlier try has done although nobody heard of it.
 * Resolves with the number of the issue.
 */
export function raise(task: AlarmTask, words: FailureWords, good: GoodBackup): () => Promise<number> {
  const { inputs, issues, log, redact, run, now } = task;
  const event: AlarmEvent = { words, subject: inputs.subject, good, run, now };
  const failing = { subject: inputs.subject, command: words.command, run: runOf(inputs) };
  const gone = new Set<number>();
  const told = new Set<number>();
  return async () => {
    for (;;) {
      const open = (await issues.open()).filter(({ number }) => !gone.has(number));
      const own = open.find(({ body }) => body.includes(run.marker));
      if (own !== undefined) return await afterOpening(task, event, own);
      const plan = planForFailure(failing, open);
      if (plan.action !== 'comment') return await afterOpening(task, event, await openIssue(task, event));
      const { number, url } = plan.issue;
      // Still open after the comment: another run might have closed it at the same time.
      if (told.has(number)) return number;
      const critical = plan.escalation !== undefined;
      if (await succeeds(issues.comment(number, failureComment(event, redact, critical)), 'missing')) {
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
  if (steps.length > 0) log.info(`Issue #${number} is critical now: it is at least the second failure in a row.`);
}

function runOf({ run: { runId, runAttempt } }: AlarmInputs): string {
  return `${runId}/${runAttempt}`;
}

/** With what GitHub refuses left out, one thing after the other: an alarm without a label is an alarm. */
async function openIssue(task: AlarmTask, event: AlarmEvent): Promise<{ number: number; url: string }> {
  const { inputs, issues, log, redact } = task;
  const { labels, assignees } = inputs;
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
          `Issue #${created.number} was opened without ${leftOut(inputs, wish)}: GitHub refused them. Correct \`issue-labels\` and \`issue-assignees\`.`,
        );
      return created;
    } catch (error) {
      if (index === wishes.length - 1 || !isFault(error, 'invalid', 'denied')) throw error;
    }
  }
  throw new Error('no way to open an issue is left');
}

function leftOut({ labels, assignees }: AlarmInputs, wish: NewIssue): string {
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
  own: { number: number },
): Promise<number> {
  const first = planAfterOpening(inputs.subject, own.number, await issues.open());
  if (first === undefined) return own.number;
  await issues.comment(first.number, failureComment(event, redact));
  await issues.comment(own.number, duplicateComment(first.number));
  await issues.close(own.number, 'not_planned');
  log.info(`Issue #${own.number} was closed again: another run opened #${first.number} at the same time.`);
  return first.number;
}

/** A try to tell of a success, which may be repeated. Resolves with the number of an issue that it closed. */
export function recover(task: AlarmTask, proven: Proven): () => Promise<number | undefined> {
  const { inputs, issues, log, redact, run } = task;
  const { subject, step } = inputs;
  const told = new Set<number>();
  const words = recoveryComment({ ...proven, subject, run }, redact);
  return async () => {
    const open = await issues.open();
    const plan = planForSuccess([subject, step], open, await toldByThisRun(task, issuesAbout(step, open)));
    if (plan.action !== 'close') return undefined;
    for (const { number, url } of plan.issues) {
      if (!told.has(number) && !(await succeeds(issues.comment(number, words), 'locked', 'missing'))) {
        log.warning(`Issue #${number} is closed without a word of recovery: it takes no comments.`);
      }
      told.add(number);
      if (await succeeds(issues.close(number, 'completed'), 'missing')) log.info(`Issue #${number} was closed: ${url}`);
    }
    return plan.issues[0]?.number;
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
