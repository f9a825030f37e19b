/**
 * Names of backup sets and of series. A set's id is `YYYYMMDD_HHMMSS_label_xxxxxx`: UTC time, label, six random
 * characters. Its ends have fixed widths, so that a label may itself hold `_`. Ids are lower case throughout, because
 * S3 keys tell case apart and some file systems do not: two sets must never differ in case alone.
 */
import { createHash } from 'node:crypto';
import { BackupError } from './errors.ts';

/** Crockford's base32 in lower case: no i, l, o, u, which are misread or spell words. */
const RANDOM_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 32^6, about a thousand million: two runs of one second never share a folder. */
export const RANDOM_CHARACTERS = 6;

const MAX_LABEL_CHARACTERS = 40;
const MAX_SERIES_CHARACTERS = 63;
const SERIES_HASH_CHARACTERS = 8;

const ID = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_([a-z0-9][a-z0-9._-]{0,39})_([0-9abcdefghjkmnpqrstvwxyz]{6})$/;
const SERIES = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export interface BackupId {
  /** The whole id, a single path segment. */
  id: string;
  /** To the second. */
  at: Date;
  label: string;
  random: string;
}

/**
 * The label as it stands in ids: letters are lowered. Throws `ERR_INPUT` unless it is 1 to 40 letters, digits,
 * `.`, `_` or `-` and begins with a letter or digit.
 */
export function normalizeLabel(text: string): string {
  const label = text.toLowerCase();
  if (/^[A-Za-z0-9]/.test(text) && /^[A-Za-z0-9._-]+$/.test(text) && label.length <= MAX_LABEL_CHARACTERS) return label;
  throw new BackupError(
    'ERR_INPUT',
    `${JSON.stringify(text.slice(0, MAX_LABEL_CHARACTERS))} is not a label. Write 1 to ${MAX_LABEL_CHARACTERS} letters, digits, ".", "_" or "-", beginning with a letter or digit`,
    { op: 'read label', hint: 'Correct `label`. Nothing was read from the database and nothing was written.' },
  );
}

/** Six characters of base32 from six random bytes; only the lower five bits of each count. */
export function randomSuffix(bytes: Uint8Array): string {
  if (bytes.length < RANDOM_CHARACTERS) throw new RangeError(`${RANDOM_CHARACTERS} random bytes are needed`);
  return Array.from(bytes.subarray(0, RANDOM_CHARACTERS), (byte) => RANDOM_ALPHABET[byte & 31]).join('');
}

/** Throws a RangeError when the parts do not make an id that {@link parseBackupId} reads: a mistake of the caller. */
export function formatBackupId(at: Date, label: string, random: string): string {
  const digits = at.toISOString().replaceAll(/[-:]|\.\d+Z$/g, '');
  const id = `${digits.replace('T', '_')}_${label}_${random}`;
  if (parseBackupId(id) === undefined) throw new RangeError(`${JSON.stringify(id)} is not a backup id`);
  return id;
}

/** `undefined` for everything that this action did not name: foreign folders, impossible dates, other case. */
export function parseBackupId(text: string): BackupId | undefined {
  const match = ID.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, label = '', random = ''] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const at = new Date(iso);
  // The parser of dates takes 30 February and 24:00 for other days.
  if (Number.isNaN(at.getTime()) || at.toISOString() !== iso) return undefined;
  return { id: text, at, label, random };
}

export function isSeriesName(text: string): boolean {
  return SERIES.test(text);
}

/**
 * A legal series name for any database name, always the same one. A name that had to be changed ends in a hash of the
 * original, so that `Shop` and `shop` do not meet in one series.
 */
export function seriesNameFrom(database: string): string {
  if (isSeriesName(database)) return database;
  const hash = createHash('sha256').update(database).digest('hex').slice(0, SERIES_HASH_CHARACTERS);
  const readable = database
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, MAX_SERIES_CHARACTERS - 1 - SERIES_HASH_CHARACTERS)
    .replace(/[^a-z0-9]+$/, '');
  return `${readable === '' ? 'db' : readable}-${hash}`;
}
