/** The words of an alarm: the issue, its comments, and the word of recovery. Pure; redacts and escapes all from outside. */

import { describeGoodBackup, type GoodBackup } from '../domain/alarm/good-backup.ts';
import { type AlarmSubject, alarmMarker, criticalTitle } from '../domain/alarm.ts';
import { GOOD_BACKUP_HOURS, type Gravity } from '../domain/notify/level.ts';
import { type Condition, toldLine } from '../domain/notify/told.ts';
import { minuteOf } from '../domain/time.ts';
import { type FailureWords, failureTitle, sentence } from './failure-words.ts';
import { Markdown, oneLine } from './markdown.ts';
import { stepsSection } from './sections.ts';

/** GitHub takes 65,536 characters; bytes are never fewer. */
const MAX_BODY_BYTES = 60_000;
/** Of the part that holds most from outside, so that the parts below it always stand. */
const MAX_HAPPENED_BYTES = 24_000;
/** GitHub takes 256. */
const MAX_TITLE_CHARACTERS = 200;
const CUT = '… (cut: the job summary has the rest)';

export interface AlarmEvent {
  words: FailureWords;
  subject: AlarmSubject;
  good: GoodBackup;
  gravity: Gravity;
  run: AlarmRun;
  now: Date;
  /** The first line of `storage`, safe to print, where it could be read. */
  storage?: string;
}

export interface AlarmRun {
  workflow: string;
  runId: string;
  runAttempt: string;
  url: string;
  /** See `runMarker`. */
  marker: string;
}

/** A backup, restore, drill, prune or status that ended an alarm. */
export interface Recovery {
  command: FailureWords['command'];
  /** Of the backup. */
  id: string;
  uri: string;
  subject: AlarmSubject;
  run: AlarmRun;
}

const NEXT_SUCCESS: Readonly<Record<FailureWords['command'], string>> = {
  backup: 'the next proven backup',
  restore: 'the next restore that passes',
  drill: 'the next drill that passes',
  prune: 'the next prune that ends well',
  status: 'the next status that finds nothing to fail on',
  check: 'the next check in which nothing fails',
};

const SUCCESS: Readonly<Record<FailureWords['command'], string>> = {
  backup: 'is stored and proven',
  restore: 'was brought back by a restore that passed',
  drill: 'was brought back by a drill that passed',
  prune: 'is the newest proven backup, and what the policy lets go was removed',
  status: 'is the newest proven backup, and what was told here is over',
  check: 'was checked, and nothing failed',
};

type Redact = (text: string) => string;

/**
 * Titles are plain text; they hold nothing of the database. An issue about a step names what the run came to know.
 */
export function issueTitle({ words, subject, gravity, storage }: AlarmEvent, redact: Redact): string {
  const series = subject.kind === 'series' ? subject.series : subject.kind === 'step' ? words.series : undefined;
  // With wrong inputs nothing was looked at, and the storage may be what is wrong.
  const isNamed = series === undefined && storage !== undefined && words.code !== 'ERR_INPUT';
  const place = isNamed ? ` with the storage ${storage}` : '';
  const where = subject.kind === 'step' ? `${place} in the job ${subject.job} of the workflow ${subject.workflow}` : '';
  const plain = oneLine(redact(`${failureTitle(words, series)}${where}`));
  const title = gravity.level === 'critical' ? criticalTitle(plain) : plain;
  return title.length > MAX_TITLE_CHARACTERS ? `${title.slice(0, MAX_TITLE_CHARACTERS).toWellFormed()}…` : title;
}

export function issueBody(event: AlarmEvent, redact: Redact): string {
  const md = new Markdown(redact, true);
  const told = toldLine([{ ...conditionOf(event), to: 'issue', at: event.now }]);
  const critical = event.gravity.level === 'critical' ? [criticalWords(event), ''] : [];
  const markers = [alarmMarker(event.subject), event.run.marker, told];
  return whole([...markers, '', ...critical, ...account(event, md), '', '---', '', endOf(event, md)]);
}

function endOf({ subject, words, storage }: AlarmEvent, md: Markdown): string {
  switch (subject.kind) {
    case 'series':
      return `This issue is about the series ${md.code(subject.series)}, command ${md.code(subject.command)}. The next failure is a comment below; ${NEXT_SUCCESS[words.command]} closes it. If the series was renamed or is gone, close it by hand.`;
    case 'storage':
      return `This issue is about all series in the storage, as the job ${md.code(subject.job)} of the workflow ${md.code(subject.workflow)} looks at them. The next failure is a comment below; ${NEXT_SUCCESS[words.command]} closes it. If that job was renamed or is gone, close it by hand.`;
    case 'step': {
      const known = [
        ...(words.series === undefined ? [] : [`the series ${md.code(words.series)}`]),
        ...(storage === undefined ? [] : [`the storage ${md.code(storage)}`]),
      ];
      const found = known.length === 0 ? '' : `, which had to do with ${known.join(' in ')} this time`;
      return `The inputs name no series that could be read, so this issue is about the job ${md.code(subject.job)} of the workflow ${md.code(subject.workflow)}${found}. ${capitalized(NEXT_SUCCESS[words.command])} of the same job closes it. With the input \`name\`, each series has an issue of its own.`;
    }
  }
}

/** For the next failure, while the issue is open. */
export function failureComment(event: AlarmEvent, redact: Redact): string {
  const md = new Markdown(redact, true);
  const { words, gravity } = event;
  const title = md.text(words.title);
  const opening = gravity.level === 'critical' ? `${criticalWords(event)} ${title}.` : `**Again:** ${title}`;
  return whole([event.run.marker, '', opening, '', ...account(event, md)]);
}

/** What is told, as far as it makes a difference to who hears of it. */
export function conditionOf({ words, gravity }: Pick<AlarmEvent, 'words' | 'gravity'>): Condition {
  return { code: words.condition ?? words.code, level: gravity.level };
}

function criticalWords({ gravity, words }: AlarmEvent): string {
  switch (gravity.why) {
    case 'second-in-a-row':
      return `🚨 **Critical: failed at least twice in a row.** Nobody knows now whether a backup can be brought back: this cannot wait for the next ${words.command}.`;
    case 'no-good-backup':
      return `🚨 **Critical: no proven backup younger than ${GOOD_BACKUP_HOURS} hours is known.** Were the database lost now, more than a day would be lost with it.`;
    default:
      return '🚨 **Critical: this cannot wait until the morning.**';
  }
}

export function recoveryComment({ command, id, uri, subject, run }: Recovery, redact: Redact): string {
  const md = new Markdown(redact, true);
  const what =
    subject.kind === 'series'
      ? `of ${md.code(subject.series)}`
      : subject.kind === 'step'
        ? 'of this job'
        : 'of this storage';
  return whole([
    run.marker,
    '',
    `✅ **Recovered:** ${md.code(id)} ${what} ${SUCCESS[command]}, by ${runLink(run, md)}.`,
    '',
    `It is in ${md.code(uri)}. This issue is closed; another failure opens a new one.`,
  ]);
}

/** What is said in the issue that another run's has overtaken. */
export function duplicateComment(first: number): string {
  return `Two runs failed at once and both opened an issue. Everything goes on in #${first}; this one is closed as its duplicate.`;
}

function account({ words, good, run, now }: AlarmEvent, md: Markdown): string[] {
  const happened = [
    `${md.code(words.code)}: ${md.text(sentence(words.happened))}`,
    ...(words.problems.length === 0 ? [] : ['', ...words.problems.map((problem) => `- ${md.text(problem)}`)]),
    ...(words.causes.length === 0 ? [] : ['', ...words.causes.map((cause) => `- Because: ${md.text(cause)}`)]),
  ];
  return [
    `In ${runLink(run, md)}, ${minuteOf(now)} UTC.`,
    ...section('What happened', within(happened, MAX_HAPPENED_BYTES)),
    ...section('Is my data safe?', [md.text(words.safety)]),
    ...section('Is there a good backup?', [md.text(describeGoodBackup(good, now))]),
    ...section('What to do', [md.text(words.action), ...stepsSection(words.toType, md).flatMap((part) => ['', part])]),
  ];
}

function capitalized(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', `### ${title}`, '', ...lines];
}

function runLink({ url, workflow, runId, runAttempt }: AlarmRun, md: Markdown): string {
  const attempt = runAttempt === '1' ? '' : `, attempt ${md.text(runAttempt)}`;
  return `[run ${md.text(runId)}${attempt}](<${encodeURI(url)}>) of the workflow ${md.code(workflow)}`;
}

function whole(lines: readonly string[]): string {
  return within(lines, MAX_BODY_BYTES).join('\n');
}

/** Whole lines only: one that was cut in the middle could end inside of an entity. */
function within(lines: readonly string[], bytes: number): string[] {
  let left = bytes - Buffer.byteLength(CUT);
  const fitting = lines.findIndex((line) => {
    left -= Buffer.byteLength(line) + 1;
    return left < 0;
  });
  return fitting < 0 ? [...lines] : [...lines.slice(0, fitting), CUT];
}
