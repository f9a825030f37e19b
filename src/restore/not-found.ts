/** What to say when nothing, or more than one thing, is what the user asked for. */
import { BackupError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { isBareWord, selectorAdvice } from '../domain/selector-words.ts';
import { minuteOf } from '../domain/time.ts';
import { countOf, formatBytes } from '../domain/words.ts';

/** Sets that a message lists. */
export const MOST_LISTED = 20;

/** A file can be named like the beginning of an id. */
const FILE_HINT = 'If a file is meant, write its path with a slash: ./name.';
const HINT = 'Write `backup:` with one of these ids, or a longer beginning of it.';

/** `manifests` are those of the newest sets. */
export function nothingMatches(wish: string, series: string, why: string, manifests: readonly Manifest[]): BackupError {
  const message = `No backup of the series ${series} matches ${wish}: ${why}.`;
  if (manifests.length > 0)
    return notFound(`${message} The newest are:\n${listOf(manifests)}`, isFileName(wish) ? FILE_HINT : HINT);
  return notFound(message, 'Check `storage` and `name`: is this where the backups are written?');
}

/** `manifests`: newest first, and not all of them when they are more than are listed. */
export function severalMatch(prefix: string, manifests: readonly Manifest[]): BackupError {
  const listed = manifests.slice(0, MOST_LISTED);
  const many = manifests.length > listed.length ? `more than ${listed.length}` : String(manifests.length);
  return notFound(`${prefix} is the beginning of ${many} ids:\n${listOf(listed)}`, HINT);
}

export function noSeries(places: readonly string[]): BackupError {
  return notFound(
    `There is no backup in ${places.join(' and ')}`,
    'Check `storage`: bucket, prefix and endpoint must be those that the backups are written to.',
  );
}

export function severalSeries(names: readonly string[], places: readonly string[]): BackupError {
  return notFound(
    `${places.join(' and ')} ${places.length === 1 ? 'holds' : 'hold'} ${countOf(names.length, 'series', 'series')}: ${names.join(', ')}`,
    'Say which one with `name`.',
  );
}

export function nothingThere(location: string, places: readonly string[]): BackupError {
  const looked = places.length === 0 ? '' : ` (looked at: ${places.join(', ')})`;
  const message = `There is neither a backup nor a dump at ${location}${looked}`;
  if (isBareWord(location))
    return notFound(`${message}, and ${location} is no word of \`backup\``, selectorAdvice(location));
  return notFound(
    message,
    'Give the folder of a backup, its metadata.json, a file of pg_dump, or a folder with toc.dat.',
  );
}

function notFound(message: string, hint: string): BackupError {
  return new BackupError('ERR_BACKUP_NOT_FOUND', message, { op: 'select the backup', hint });
}

/** Newest first, one a line: id, verdict, time, size, label. */
function listOf(manifests: readonly Manifest[]): string {
  return manifests
    .map(({ id, verdict, snapshotAt, totals, label }) => {
      const time = `${minuteOf(snapshotAt)} UTC`;
      return `- ${[id, verdict, time, formatBytes(totals.storedBytes), label].join('  ')}`;
    })
    .join('\n');
}

function isFileName(wish: string): boolean {
  return /\.(backup|dump|sql|gz|zst|age|gpg|tar)$/i.test(wish);
}
