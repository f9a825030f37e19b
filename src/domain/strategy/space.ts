/** Whether what is restored finds room, on the server and on this machine. */
import type { Finding } from '../findings.ts';
import { formatBytes } from '../words.ts';
import { inTheWay } from './finding.ts';

export interface SpaceFacts {
  /** The backed-up database on its server's disk, where it is known. */
  databaseBytes?: number;
  /** The archive, decrypted. */
  archiveBytes: number;
  /** Where the archive would be kept on this machine. */
  localFreeBytes?: number;
  /** Where the target keeps its data. */
  targetFreeBytes?: number;
}

/** Room that is kept for everybody else: this part of what is needed. */
const MARGIN = 0.25;

/** The archive does not fit on this machine: it is then read from storage as it is restored. */
export function mustStream({ archiveBytes, localFreeBytes }: SpaceFacts): boolean {
  return localFreeBytes !== undefined && localFreeBytes < archiveBytes;
}

/** Old and new content lie side by side with each strategy: files that a transaction drops go when it commits. */
export function assessSpace(space: SpaceFacts): Finding[] {
  const findings: Finding[] = [];
  const { databaseBytes: needed, targetFreeBytes: free } = space;
  if (mustStream(space)) {
    findings.push({
      code: 'archive-streamed',
      severity: 'notice',
      seen: `This machine has ${formatBytes(space.localFreeBytes ?? 0)} free and the archive has ${formatBytes(space.archiveBytes)}: it is restored from storage by one connection, which takes longer`,
      action: '',
    });
  }
  if (needed === undefined || free === undefined || free >= needed * (1 + MARGIN)) return findings;
  const seen = `The target has ${formatBytes(free)} free; the backed-up database took ${formatBytes(needed)}, and the old content stays beside the new`;
  const action = 'Make room on the server first, or restore on another one.';
  findings.push(
    free < needed ? inTheWay('disk-full', seen, action) : { code: 'disk-short', severity: 'warning', seen, action },
  );
  return findings;
}
