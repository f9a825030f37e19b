/** Whether what is written will still be there, and will fit. */
import type { Finding } from '../findings.ts';
import { formatBytes } from '../words.ts';

export interface DestinationFacts {
  kind: 'directory' | 's3';
  /** Safe to print. */
  location: string;
  /** Of the file system that holds the directory, for this user (`statfs`: bavail × bsize). */
  freeBytes?: number;
}

/** An archive smaller than this share of the database on disk has not been seen: compressed text without indexes. */
const SMALLEST_SHARE = 0.05;
/** Most archives stay below this share. */
const USUAL_SHARE = 0.5;
/** Manifest, contents and guides of any backup. */
const SMALLEST_BACKUP_BYTES = 1024 * 1024;

/** Needs no database but its size on disk; 0 when that is not known yet. */
export function assessDestinations(
  choices: { destinations: readonly DestinationFacts[]; hosted: boolean; allowEphemeral: boolean },
  databaseBytes: number,
): Finding[] {
  const { destinations, hosted, allowEphemeral } = choices;
  const findings: Finding[] = [];
  if (hosted && destinations.every(({ kind }) => kind === 'directory')) {
    findings.push({
      code: 'ephemeral-storage',
      severity: allowEphemeral ? 'warning' : 'error',
      seen: `The only destination is the directory ${destinations.map(({ location }) => location).join(', ')} of a GitHub-hosted runner, which is deleted with the runner`,
      action: allowEphemeral
        ? 'Upload the directory in a later step.'
        : 'Add a bucket to `storage`: `s3://bucket/prefix`. If a later step takes the files away, set `allow-ephemeral: true`.',
    });
  }
  const alone = destinations.length === 1;
  return [...findings, ...destinations.flatMap((destination) => assessSpace(destination, databaseBytes, alone))];
}

/** One of several destinations that is full costs that copy, not the backup. */
function assessSpace({ location, freeBytes }: DestinationFacts, databaseBytes: number, alone: boolean): Finding[] {
  if (freeBytes === undefined) return [];
  const least = Math.max(SMALLEST_BACKUP_BYTES, databaseBytes * SMALLEST_SHARE);
  const space = `${formatBytes(freeBytes)} are free for ${location}, and the database takes ${formatBytes(databaseBytes)} on the server`;
  if (freeBytes < least) {
    return [
      {
        code: 'no-space',
        severity: alone ? 'error' : 'warning',
        seen: `${space}: a backup cannot fit`,
        action: 'Free space there, or write to a bucket (`s3://bucket/prefix`).',
      },
    ];
  }
  if (freeBytes < databaseBytes * USUAL_SHARE) {
    return [
      {
        code: 'little-space',
        severity: 'warning',
        seen: `${space}: a backup may not fit`,
        action: 'Free space there. A backup that does not fit fails and leaves nothing behind.',
      },
    ];
  }
  return [];
}
