/** Which backup: what the input `backup` says, and the choice among what the bucket holds. */
import { parseBackupId } from './backup-id.ts';
import type { Verdict } from './checks.ts';
import { BackupError } from './errors.ts';
import { parseS3 } from './s3-destination.ts';
import { CHOICES, isMistakenWord, SELECTOR_FORMS, selectorAdvice } from './selector-words.ts';

export type BackupSelector =
  | { kind: 'latest' }
  | { kind: 'latest-proven' }
  /** The newest proven set that a drill has brought back. */
  | { kind: 'latest-restored' }
  /** The newest proven set whose snapshot is not later. */
  | { kind: 'before'; time: Date }
  /** A whole id, or a prefix that only one set has. */
  | { kind: 'id'; prefix: string }
  /**
   * A key below the destination, a URI `s3://bucket/…` or the path of a directory or file: of a set (its folder or its
   * metadata.json) or of a dump made by other means. What it is shows when it is looked at.
   */
  | { kind: 'location'; location: string };

const LEAST_PREFIX_CHARACTERS = 4;

/** The beginning of an id, or a whole one; see `backup-id.ts`. */
const ID_BEGINNING = /^\d{1,8}$|^\d{8}_\d{0,6}$|^\d{8}_\d{6}_[a-z0-9._-]*$/;
const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Throws `ERR_INPUT`. What is neither a word of ours nor shaped like an id is taken for a location. */
export function parseSelector(text: string): BackupSelector {
  const wish = text.trim();
  const choice = CHOICES.find((each) => each === wish);
  if (choice !== undefined) return { kind: choice };
  if (wish.startsWith('before:')) return { kind: 'before', time: parseTime(wish.slice('before:'.length).trim()) };
  if (ID_BEGINNING.test(wish)) {
    if (wish.length >= LEAST_PREFIX_CHARACTERS) return { kind: 'id', prefix: wish };
    throw wrong(`${JSON.stringify(wish)} is too short to tell backups apart`, 'Write at least the year.');
  }
  return { kind: 'location', location: parseLocation(wish) };
}

function parseTime(text: string): Date {
  const example = 'Write before:2026-11-21T02:00:00Z, with Z for UTC or a zone such as +01:00, or a date alone.';
  const match = TIME.exec(text);
  if (match === null) throw wrong(`${shown(text)} is not a time`, example);
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = match;
  if (hour !== undefined && zone === undefined) {
    throw wrong(`${shown(text)} is a time without a zone, and an hour more or less can be another backup`, example);
  }
  const local = `${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second}.${fraction.padEnd(3, '0')}Z`;
  const asUtc = new Date(local);
  // The parser of dates takes 30 February and 24:00 for other days.
  if (Number.isNaN(asUtc.getTime()) || asUtc.toISOString() !== local)
    throw wrong(`There is no ${shown(text)}`, example);
  const offsetMinutes = zoneMinutes(zone);
  if (offsetMinutes === undefined) throw wrong(`There is no zone ${shown(zone ?? '')}`, example);
  return new Date(asUtc.getTime() - offsetMinutes * 60_000);
}

/** East of UTC; `undefined` beyond what clocks anywhere show. */
function zoneMinutes(zone = 'Z'): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && total <= 14 * 60 ? (sign === '-' ? -total : total) : undefined;
}

function parseLocation(text: string): string {
  if (text === '') throw wrong('it is empty', SELECTOR_FORMS);
  if (/\p{Cc}/u.test(text)) throw wrong('it holds a line break or another control character', SELECTOR_FORMS);
  if (isMistakenWord(text)) throw wrong(`${shown(text)} is not a choice`, selectorAdvice(text));
  if (/^s3:/i.test(text)) {
    parseS3(text);
    return text;
  }
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1];
  if (scheme !== undefined) throw wrong(`"${scheme}://" is not a kind of storage`, SELECTOR_FORMS);
  if (text.startsWith('~')) throw wrong('it begins with "~", which only a shell expands', 'Write the whole path.');
  return text;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function wrong(message: string, advice: string): BackupError {
  return new BackupError('ERR_INPUT', `${message}. ${advice}`, {
    op: 'read inputs',
    hint: 'Correct `backup`. Nothing was read and nothing was touched.',
  });
}

/** What must be known of a set to choose it. */
export interface KnownSet {
  id: string;
  verdict: Verdict;
  /** Time of the snapshot, ISO 8601 UTC. */
  snapshotAt: string;
  /** A drill has brought it back. */
  restored?: boolean;
}

export type SetChoice<S extends KnownSet> =
  | { kind: 'chosen'; set: S }
  /** `why` completes "No backup was chosen: …". */
  | { kind: 'none'; why: string }
  /** Newest first. */
  | { kind: 'several'; sets: readonly S[] };

/** Selectors that choose among the sets of a series. */
export type SeriesSelector = Exclude<BackupSelector, { kind: 'location' }>;

/** Chooses among `sets`, given in any order; all that could be meant must be among them. */
export function chooseSet<S extends KnownSet>(selector: SeriesSelector, sets: readonly S[]): SetChoice<S> {
  const eligible = sets.filter((set) => isEligible(selector, set)).sort(newestFirst);
  const [first] = eligible;
  if (first === undefined) return { kind: 'none', why: absenceInWords(selector) };
  if (selector.kind !== 'id' || eligible.length === 1) return { kind: 'chosen', set: first };
  const exact = eligible.find(({ id }) => id === selector.prefix);
  return exact === undefined ? { kind: 'several', sets: eligible } : { kind: 'chosen', set: exact };
}

/** Whether a set can be meant, as far as its id tells: what cannot need not be looked at. */
export function mayBeMeant(selector: SeriesSelector, id: string): boolean {
  if (selector.kind === 'id') return id.startsWith(selector.prefix);
  if (isSafetyBackup(id)) return false;
  if (selector.kind !== 'before') return true;
  const at = parseBackupId(id)?.at;
  return at !== undefined && at.getTime() <= selector.time.getTime();
}

/**
 * What a restore saves of a database before it replaces it holds the very state that somebody wanted to get away from:
 * such a set is newest after every restore, and is chosen by its id alone.
 */
export const SAFETY_LABEL = 'emergency';

/** Saved before a restore; see {@link SAFETY_LABEL}. */
export function isSafetyBackup(id: string): boolean {
  return parseBackupId(id)?.label === SAFETY_LABEL;
}

function isEligible(selector: SeriesSelector, set: KnownSet): boolean {
  if (selector.kind !== 'id' && isSafetyBackup(set.id)) return false;
  switch (selector.kind) {
    case 'latest':
      return true;
    case 'latest-proven':
      return set.verdict === 'proven';
    case 'latest-restored':
      // A drill compares with what was recorded: damage that was there by then looks right to it.
      return set.restored === true && set.verdict === 'proven';
    case 'before':
      return set.verdict === 'proven' && Date.parse(set.snapshotAt) <= selector.time.getTime();
    case 'id':
      return set.id.startsWith(selector.prefix);
  }
}

/** Sets of one moment have an order too, so that every run chooses alike. */
function newestFirst(one: KnownSet, other: KnownSet): number {
  const apart = Date.parse(other.snapshotAt) - Date.parse(one.snapshotAt);
  return apart !== 0 ? apart : one.id < other.id ? 1 : -1;
}

function absenceInWords(selector: SeriesSelector): string {
  switch (selector.kind) {
    case 'latest':
      return 'there is none, safety backups aside';
    case 'latest-proven':
      return 'none is proven';
    case 'latest-restored':
      return 'no drill has brought a proven one back yet';
    case 'before':
      return `none that is proven was taken at or before ${selector.time.toISOString()}`;
    case 'id':
      return `no id begins with ${selector.prefix}`;
  }
}

/** As the input says it, for messages. */
export function describeSelector(selector: BackupSelector): string {
  if (selector.kind === 'before') return `before:${selector.time.toISOString()}`;
  if (selector.kind === 'id') return selector.prefix;
  return selector.kind === 'location' ? selector.location : selector.kind;
}
