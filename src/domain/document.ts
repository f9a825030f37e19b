/** What `metadata.json` and `contents.json` have in common: JSON with a `schemaVersion`, refused by name when newer. */
import { BackupError, messageOf } from './errors.ts';
import type { Reader } from './json-reader.ts';

export interface DocumentKind<T> {
  /** `metadata.json` */
  name: string;
  /** The newest version that is read. Version 1 is the first. */
  version: number;
  read: Reader<T>;
}

/** Throws `ERR_MANIFEST`: no JSON, a newer `schemaVersion`, or the field that is wrong. */
export function parseDocument<T>(kind: DocumentKind<T>, json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw unreadable(kind, `it is not JSON: ${messageOf(error)}`, error);
  }
  refuseNewer(kind, value);
  try {
    return kind.read(value, '');
  } catch (error) {
    throw unreadable(kind, messageOf(error), error);
  }
}

/** Fields in a fixed order, two blanks of indentation, one line break at the end. Throws `ERR_MANIFEST`. */
export function serializeDocument<T>(kind: DocumentKind<T>, value: T): string {
  try {
    return `${JSON.stringify(kind.read(value, ''), null, 2)}\n`;
  } catch (error) {
    throw new BackupError('ERR_MANIFEST', `${kind.name} would not be readable: ${messageOf(error)}`, {
      op: `write ${kind.name}`,
      hint: 'Please report this. Nothing was made visible and older backups are untouched.',
      cause: error,
    });
  }
}

function refuseNewer(kind: DocumentKind<unknown>, value: unknown): void {
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw unreadable(kind, 'schemaVersion is missing or is not a whole number from 1 up');
  }
  if ((version as number) <= kind.version) return;
  throw new BackupError(
    'ERR_MANIFEST',
    `${kind.name} was written by a newer version (schemaVersion ${version}); this one reads up to ${kind.version}`,
    { op: `read ${kind.name}`, hint: 'Use a newer version of the action, or restore by hand with RESTORE.md.' },
  );
}

function unreadable(kind: DocumentKind<unknown>, reason: string, cause?: unknown): BackupError {
  return new BackupError('ERR_MANIFEST', `${kind.name} cannot be read: ${reason}`, {
    op: `read ${kind.name}`,
    hint: 'Take another backup of the series; the other objects of this set and RESTORE.md may still be whole.',
    ...(cause === undefined ? {} : { cause }),
  });
}
