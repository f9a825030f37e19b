/**
 * The alarm: one open issue for each series and command, found by a hidden marker in its text. What is to be done about
 * it is decided here, from what happened and the open issues alone.
 */

import type { GoodBackup } from './alarm/good-backup.ts';
import { type Gravity, gravityOf } from './notify/level.ts';
import { readTold, type Told } from './notify/told.ts';
import { whoHears } from './notify.ts';
import type { Level } from './status/model.ts';

/**
 * What an issue is about. Both a failure and a later success must be able to name it, so it is made of inputs alone,
 * never of what a run found out. Inputs that do not even say the series are a matter of the step they stand in.
 */
export type AlarmSubject =
  | { kind: 'series'; command: string; series: string }
  | { kind: 'step'; workflow: string; job: string }
  /** All series of a storage, looked at by one job. */
  | { kind: 'storage'; command: string; workflow: string; job: string };

/** An open issue, not a pull request, as far as the plan needs it. */
export interface OpenIssue {
  number: number;
  title: string;
  body: string;
  labels: readonly string[];
  /**
   * Opened by a bot, or by somebody with rights in the repository. In a public one everybody can open issues, and could
   * draw the alarm to theirs by a copy of the marker.
   */
  trusted: boolean;
  url: string;
  /** ISO 8601 UTC; absent where GitHub does not say. */
  openedAt?: string;
}

/** `reason` is for the log. */
export type FailurePlan =
  | { action: 'open'; gravity: Gravity; reason: string }
  /** `escalation`: this failure is critical, and what of that the issue does not show yet. */
  | { action: 'comment'; issue: OpenIssue; gravity: Gravity; escalation?: Escalation; reason: string }
  /** The issue says it already, and its command runs too often for a comment each time. */
  | { action: 'withhold'; issue: OpenIssue; gravity: Gravity; reason: string };

export type SuccessPlan =
  | { action: 'close'; issues: readonly OpenIssue[]; reason: string }
  | { action: 'nothing'; reason: string };

export interface Escalation {
  /** Its new title; absent when it says so already. */
  title?: string;
  /** To be added; absent when the issue has it. */
  label?: string;
}

/**
 * Whoever looks through issues by labels finds it under this one. Given when a failure is critical and left until the
 * issue is closed: what has been critical once is not over because it is a little less so.
 */
export const CRITICAL_LABEL = 'critical';
const CRITICAL_TITLE = 'CRITICAL: ';
/** Commands that may run every half hour. Of all others each failure is a comment. */
const OFTEN: readonly string[] = ['status', 'check'];

export function runsOften(command: string): boolean {
  return OFTEN.includes(command);
}

/** What fails. */
export interface Failing {
  subject: AlarmSubject;
  command: string;
  /** What is wrong, stable: see `Condition`. */
  code: string;
  /** Of a failure that brings its own. */
  level?: Level;
  good: GoodBackup;
  /** `<run id>/<attempt>`: several steps of one run that fail are one failure. */
  run: string;
  now: Date;
  remindAfterHours: number;
}

/** Stands in the text of the issue, invisible to its readers. The same subject has the same marker for ever. */
export function alarmMarker(subject: AlarmSubject): string {
  return `<!-- db-backup-action: ${subjectWords(subject)} -->`;
}

function subjectWords(subject: AlarmSubject): string {
  if (subject.kind === 'series') {
    return `series=${markerWord(subject.series)} command=${markerWord(subject.command)}`;
  }
  const step = `workflow=${markerWord(subject.workflow)} job=${markerWord(subject.job)}`;
  return subject.kind === 'step' ? `series=unknown ${step}` : `series=* command=${markerWord(subject.command)} ${step}`;
}

/**
 * Says which attempt of which run wrote a text, and tells two steps of it apart.
 * @param run `<run id>/<attempt>`
 * @param nonce unique to one alarm
 */
export function runMarker(run: string, nonce: string): string {
  return `${runMarkerStart(run)}${markerWord(nonce)} -->`;
}

/** Whether a text was written by this attempt of this run. */
export function isOfRun(text: string, run: string): boolean {
  return text.includes(runMarkerStart(run));
}

function runMarkerStart(run: string): string {
  return `<!-- db-backup-action run: ${markerWord(run)} `;
}

/** What could end a comment, or look like another word of the marker, is percent-encoded. */
function markerWord(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll(/(?<=-)-|^-|-$/g, '%2D');
}

/** Lowest number first: the first of several is the one that is kept. */
export function issuesAbout(subject: AlarmSubject, issues: readonly OpenIssue[]): OpenIssue[] {
  const marker = alarmMarker(subject);
  return issues
    .filter(({ trusted, body }) => trusted && body.includes(marker))
    .sort((left, right) => left.number - right.number);
}

/**
 * An issue that was closed is never opened again: whoever closed it had reasons, and its story is told. One that is open
 * tells of a failure that no success has followed, so that the next one is the second in a row.
 */
export function planForFailure(failing: Failing, open: readonly OpenIssue[]): FailurePlan {
  const [issue] = issuesAbout(failing.subject, open);
  if (issue === undefined) {
    return { action: 'open', gravity: gravityOf(failing), reason: 'no open issue is about this yet' };
  }
  const gravity = gravityOf({ ...failing, ...failingSince(issue, failing) });
  const reason = `issue #${issue.number} is about this already`;
  const heard = runsOften(failing.command) ? commentIsDue(failing, gravity.level, readTold(issue.body)) : undefined;
  if (heard !== undefined && heard.kind === undefined) {
    return { action: 'withhold', issue, gravity, reason: `${reason}: ${heard.reason}` };
  }
  const escalation = gravity.level === 'critical' ? { escalation: escalationOf(issue) } : {};
  return { action: 'comment', issue, gravity, ...escalation, reason };
}

/** By earlier runs alone. An issue whose time is not known was opened just now. */
function failingSince({ body, openedAt }: OpenIssue, { run, now }: Failing): { failingSince?: Date } {
  if (isOfRun(body, run)) return {};
  return { failingSince: openedAt === undefined ? now : new Date(openedAt) };
}

function commentIsDue({ code, remindAfterHours, now }: Failing, level: Level, told: readonly Told[]) {
  const event = { kind: 'failed', condition: { code, level } } as const;
  const rules = { on: ['failure'], remindAfterHours, now } as const;
  return whoHears(event, { known: 'open-issue', told }, [{ name: 'issue' }], rules)[0];
}

function escalationOf({ title, labels }: OpenIssue): Escalation {
  const critical = criticalTitle(title);
  return {
    ...(critical === title ? {} : { title: critical }),
    ...(labels.includes(CRITICAL_LABEL) ? {} : { label: CRITICAL_LABEL }),
  };
}

/** A title that says so once. */
export function criticalTitle(title: string): string {
  return title.startsWith(CRITICAL_TITLE) ? title : `${CRITICAL_TITLE}${title}`;
}

/**
 * Closes what is about this series and, as it could be read, about the step.
 * @param toldByThisRun numbers of issues that this very run has written to: of a matrix another job may have failed
 */
export function planForSuccess(
  subjects: readonly AlarmSubject[],
  open: readonly OpenIssue[],
  toldByThisRun: ReadonlySet<number>,
): SuccessPlan {
  const issues = subjects
    .flatMap((subject) =>
      issuesAbout(subject, open).filter(({ number }) => subject.kind !== 'step' || !toldByThisRun.has(number)),
    )
    .filter((issue, index, all) => all.indexOf(issue) === index);
  if (issues.length === 0) return { action: 'nothing', reason: 'no open issue is about this' };
  return { action: 'close', issues, reason: 'what they are about is over' };
}

/** Two runs that fail at once both find no issue and both open one: the lower number stays. */
export function planAfterOpening(
  subject: AlarmSubject,
  own: number,
  open: readonly OpenIssue[],
): OpenIssue | undefined {
  const [first] = issuesAbout(subject, open);
  return first !== undefined && first.number < own ? first : undefined;
}
