/**
 * Who was told of what, kept in a hidden line of the open issue: nothing on the runner outlives a run. An issue without
 * such a line, of an earlier version or because somebody removed it, says that nobody was told: better twice than never.
 */
import { LEVELS, type Level } from '../status/model.ts';

/** Everybody who can be told of a failure. */
export const LISTENERS = ['issue', 'slack', 'webhook', 'email'] as const;
export type Listener = (typeof LISTENERS)[number];

/** What fails, as far as it makes a difference to who hears of it; series and command are those of the issue. */
export interface Condition {
  /** Stable: a code such as `ERR_AUTH`, or codes of findings. */
  code: string;
  level: Level;
}

/** That somebody was told of a condition. */
export interface Told extends Condition {
  to: Listener;
  at: Date;
}

/** More conditions in turn are no state of anything; the oldest are told again. */
const MAX_ENTRIES = 24;
const START = '<!-- db-backup-action told:';
const LINE = /<!-- db-backup-action told:((?: [\w.:+/-]+)*) -->/;
const ENTRY = /^([\w.:+-]{1,200})\/(\w+)\/(\w+)\/(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z)$/;

/** What stands in the text of an issue; an entry that cannot be read is none. */
export function readTold(body: string): Told[] {
  const words = LINE.exec(body)?.[1]?.trim() ?? '';
  return words.split(' ').flatMap(readEntry);
}

function readEntry(entry: string): Told[] {
  const [, code = '', level, to, at = ''] = ENTRY.exec(entry) ?? [];
  const known = LEVELS.find((each) => each === level);
  const listener = LISTENERS.find((each) => each === to);
  const time = new Date(at);
  if (known === undefined || listener === undefined || Number.isNaN(time.getTime())) return [];
  return [{ code, level: known, to: listener, at: time }];
}

/** `before` and what was told now: the latest of each code and listener, the newest `MAX_ENTRIES`. */
export function withTold(before: readonly Told[], now: readonly Told[]): Told[] {
  const latest = new Map([...before, ...now].map((told) => [`${told.code} ${told.to}`, told]));
  return [...latest.values()].toSorted((left, right) => left.at.getTime() - right.at.getTime()).slice(-MAX_ENTRIES);
}

/** What is remembered of `conditions` alone: what was told before, and that these hear of all of them now. */
export function stillTold(
  before: readonly Told[],
  conditions: readonly Condition[],
  { to, at }: { to: readonly Listener[]; at: Date },
): Told[] {
  const now = conditions.map((condition) => ({ ...condition, code: conditionWord(condition.code) }));
  const codes = new Set(now.map(({ code }) => code));
  const left = before.filter((told) => codes.has(told.code) && !to.includes(told.to));
  return [...left, ...to.flatMap((each) => now.map((condition) => ({ ...condition, to: each, at })))];
}

/** Invisible to readers of the issue. Times to the minute. */
export function toldLine(told: readonly Told[]): string {
  return [START, ...told.map(entryOf), '-->'].join(' ');
}

function entryOf({ code, level, to, at }: Told): string {
  return `${conditionWord(code)}/${level}/${to}/${at.toISOString().slice(0, 16)}Z`;
}

/** What could end the comment or the entry is left out. */
export function conditionWord(code: string): string {
  const word = code.replaceAll(/[^\w.:+-]+/g, '_').replaceAll(/-{2,}/g, '-');
  return word.slice(0, 200) || 'unknown';
}

/** The text of an issue with `told` in it: in the place of the line that is there, else at its beginning. */
export function withToldLine(body: string, told: readonly Told[]): string {
  const line = toldLine(told);
  // A function, because `$` in a replacement has a meaning.
  return LINE.test(body) ? body.replace(LINE, () => line) : `${line}\n${body}`;
}
