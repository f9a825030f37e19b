/**
 * One message to people outside of GitHub: what it says, before a channel gives it its own form. Everything in it is
 * redacted; nothing is escaped yet. It holds no name of a table but what stands in the sentence that tells what
 * happened, and never a row.
 */
import { describeGoodBackup, type GoodBackup } from '../domain/alarm/good-backup.ts';
import type { Gravity } from '../domain/notify/level.ts';
import type { MessageKind } from '../domain/notify.ts';
import { LEVELS, type Level } from '../domain/status/model.ts';
import { secondsSince } from '../domain/time.ts';
import { fewOf, formatDuration } from '../domain/words.ts';
import type { Proven, Warning } from './ending.ts';
import { type FailureWords, sentence, subjectWords } from './failure-words.ts';
import { oneLine } from './markdown.ts';

/** What a message is about; each is a word of the webhook's JSON, so it never changes. */
export type NoticeKind = MessageKind | 'digest' | 'not-told';

/** Sections in their order. The keys are those of the webhook's JSON. */
export const SECTIONS = {
  happened: 'What happened',
  safety: 'Is my data safe?',
  goodBackup: 'Is there a good backup?',
  action: 'What to do',
  details: 'Details',
} as const;
export type SectionKey = keyof typeof SECTIONS;

export interface Notice {
  kind: NoticeKind;
  /** Of something that is wrong. */
  level?: Level;
  /** One line. */
  title: string;
  sections: Readonly<Partial<Record<SectionKey, string>>>;
  /** Of what is wrong: `ERR_AUTH`. */
  code?: string;
  /** Why it is told now. */
  reason: string;
  about: NoticeSubject;
}

/** What all messages of a run have in common. */
export interface NoticeSubject {
  command: string;
  series?: string;
  /** `owner/name`; absent outside of a workflow. */
  repository?: string;
  runUrl?: string;
  issue?: { number: number; url: string };
  at: Date;
  /** Unique to this message. */
  id: string;
}

type Redact = (text: string) => string;

export interface FailureFacts {
  words: FailureWords;
  gravity: Gravity;
  good: GoodBackup;
  startedAt?: string | undefined;
}

/** A message is for a phone. */
const MOST_PROBLEMS = 8;

const OPENINGS: Partial<Record<MessageKind, string>> = { worse: 'Worse: ', reminder: 'Still: ' };

export function failureNotice(
  kind: MessageKind,
  reason: string,
  { words, gravity, good, startedAt }: FailureFacts,
  about: NoticeSubject,
  redact: Redact,
): Notice {
  const steps = words.toType.length === 0 ? '' : ' The log of the run says what to type.';
  return {
    kind,
    level: gravity.level,
    title: oneLine(redact(`${OPENINGS[kind] ?? ''}${words.title}`)),
    sections: {
      happened: redact(happenedIn(words)),
      safety: redact(words.safety),
      // A status of several series says of each what could be restored.
      ...(words.command === 'status' && about.series === undefined
        ? {}
        : { goodBackup: redact(describeGoodBackup(good, about.at)) }),
      action: redact(`${words.action}${steps}`),
      ...tookWords(startedAt, about.at),
    },
    code: words.code,
    reason,
    about,
  };
}

/** A list is told of a status, whose items name no table, and of inputs: an item quotes what the step itself gives. */
function happenedIn({ command, code, happened, problems }: FailureWords): string {
  const told = command === 'status' || code === 'ERR_INPUT' ? problems.map((problem) => `- ${problem}`) : [];
  return [sentence(happened), ...fewOf(told, MOST_PROBLEMS, 'in the log')].join('\n');
}

export interface SuccessFacts {
  /** Absent when the run was green and nothing new was proven. */
  proven?: Proven | undefined;
  warnings: readonly Warning[];
  startedAt?: string | undefined;
  /** Of a recovery: what is over. */
  after?: 'failure' | 'warning';
}

export function successNotice(
  kind: 'recovery' | 'success' | 'warning' | 'reminder' | 'worse',
  reason: string,
  { proven, warnings, startedAt, after = 'failure' }: SuccessFacts,
  about: NoticeSubject,
  redact: Redact,
): Notice {
  const what = subjectWords(about.command, about.series);
  const done = proven === undefined ? 'was green' : about.command === 'backup' ? 'is proven' : 'has passed';
  const title =
    kind === 'recovery'
      ? after === 'failure'
        ? `Recovered: ${lower(what)} ${done} again`
        : `No warning any more: ${lower(what)} ${done}`
      : `${OPENINGS[kind] ?? ''}${what} ${done}`;
  const count =
    warnings.length === 0 ? '' : `, with ${warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`}`;
  const shown = proven === undefined ? 'It was green, but nothing new was proven.' : `${proven.id}, in ${proven.uri}`;
  const worst = warnings.toSorted((one, other) => LEVELS.indexOf(other.level) - LEVELS.indexOf(one.level))[0];
  return {
    kind,
    ...(worst === undefined ? {} : { level: worst.level, code: worst.condition }),
    title: oneLine(redact(`${title}${count}`)),
    sections: {
      happened: redact([shown, ...warningLines(warnings, about.command)].join('\n')),
      ...(worst === undefined ? {} : { action: redact(actionsOf(warnings)) }),
      ...tookWords(startedAt, about.at),
    },
    reason,
    about,
  };
}

/** The words of a health check may hold names of tables, so that it is told by its code. */
function warningLines(warnings: readonly Warning[], command: string): string[] {
  const lines = warnings.map(({ condition, seen }) => `- ${command === 'check' ? condition : seen}`);
  return fewOf(lines, MOST_PROBLEMS, 'in the summary of the run');
}

function actionsOf(warnings: readonly Warning[]): string {
  const actions = [...new Set(warnings.map(({ action }) => action).filter((action) => action !== ''))];
  return actions.length === 1 ? (actions[0] as string) : 'The summary of the run says of each what to do.';
}

/** @param expectedSeconds what the last drill took */
export function startNotice(
  { backupId, target, expectedSeconds }: { backupId?: string; target?: string; expectedSeconds?: number },
  reason: string,
  about: NoticeSubject,
  redact: Redact,
): Notice {
  const facts = [
    ...(backupId === undefined ? [] : [`Backup: ${backupId}.`]),
    ...(target === undefined ? [] : [`Target: ${target}.`]),
    ...(about.command !== 'restore'
      ? []
      : [
          expectedSeconds === undefined
            ? 'Nobody knows how long it takes: no drill of this series has been recorded.'
            : `The last drill took ${formatDuration(expectedSeconds)}.`,
        ]),
  ];
  return {
    kind: 'start',
    title: oneLine(redact(`${subjectWords(about.command, about.series)} begins`)),
    sections: facts.length === 0 ? {} : { happened: redact(facts.join(' ')) },
    reason,
    about,
  };
}

/** @param what one sentence */
export function progressNotice(what: string, reason: string, about: NoticeSubject, redact: Redact): Notice {
  const title = oneLine(redact(`${subjectWords(about.command, about.series)} is under way`));
  return { kind: 'progress', title, sections: { happened: redact(what) }, reason, about };
}

/** Somebody who was not told: whole sentences, without an address. */
export interface Untold {
  seen: string;
  /** What to do. */
  advice: string;
}

/** For those who can be reached, about those who cannot. */
export function notToldNotice(untold: readonly Untold[], about: NoticeSubject, redact: Redact): Notice {
  return {
    kind: 'not-told',
    level: 'warning',
    title: oneLine(redact(`Somebody was not told of ${lower(subjectWords(about.command, about.series))}`)),
    sections: {
      happened: redact(untold.map(({ seen }) => seen).join(' ')),
      action: [...new Set(untold.map(({ advice }) => advice))].join(' '),
    },
    reason: 'another channel could not be reached',
    about,
  };
}

function lower(words: string): string {
  return `${words.charAt(0).toLowerCase()}${words.slice(1)}`;
}

function tookWords(startedAt: string | undefined, now: Date): { details?: string } {
  if (startedAt === undefined) return {};
  return { details: `It took ${formatDuration(secondsSince(startedAt, now))}.` };
}

/** Sections with their headings, in order; empty ones are left out. */
export function sectionsOf({ sections }: Notice): { key: SectionKey; heading: string; text: string }[] {
  return (Object.keys(SECTIONS) as SectionKey[]).flatMap((key) => {
    const text = sections[key] ?? '';
    return text === '' ? [] : [{ key, heading: SECTIONS[key], text }];
  });
}

/** Where to read on. The addresses are as they came: each channel encodes or escapes them in its own way. */
export function linksOf({ about: { runUrl, issue } }: Notice): { title: string; url: string }[] {
  return [
    ...(runUrl === undefined ? [] : [{ title: 'The run', url: runUrl }]),
    ...(issue === undefined ? [] : [{ title: `Issue ${issue.number}`, url: issue.url }]),
  ];
}

/** The whole as plain text. */
export function plainText(notice: Notice): string {
  return [
    ...sectionsOf(notice).map(({ heading, text }) => `${heading}\n${text}`),
    ...linksOf(notice).map(({ title, url }) => `${title}: ${url}`),
    `Told because: ${notice.reason}.`,
  ].join('\n\n');
}

/** A sign for those who only see the title. */
export function signOf({ kind, level }: Pick<Notice, 'kind' | 'level'>): string {
  if (level === 'critical') return '🚨';
  if (level === 'warning') return '⚠️';
  return { recovery: '✅', success: '✅', start: '▶️', progress: '⏳', digest: '📊' }[kind as string] ?? 'ℹ️';
}
