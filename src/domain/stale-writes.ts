/** Unfinished writes of runs that were killed: which of them may be removed. */
import { parseBackupId } from './backup-id.ts';

/** The longest that a run may last, by input; also GitHub's limit of a job on a self-hosted runner (5 days). */
export const MAX_DURATION_MINUTES = 7_200;
/** For clocks that differ, and for what a run does before and after its time is counted. */
const MARGIN_MINUTES = 24 * 60;

/** Whatever began before this cannot belong to a run that is still going on. */
export function staleBefore(now: Date): Date {
  return new Date(now.getTime() - (MAX_DURATION_MINUTES + MARGIN_MINUTES) * 60_000);
}

/** An unfinished write, as the storage tells it. */
export interface UnfinishedWrite {
  /** Relative to the destination's root. */
  key: string;
  startedAt: Date;
}

/**
 * True only for a write that this action began, in `series`, before `olderThan`: `series/<set id>/<name>`, by both the
 * id's own time and the storage's. Everything that does not parse strictly is somebody else's.
 */
export function isStaleWrite(write: UnfinishedWrite, series: string, olderThan: Date): boolean {
  const [first, folder = '', name = ''] = write.key.split('/');
  const id = first === series && name !== '' ? parseBackupId(folder) : undefined;
  return id !== undefined && id.at < olderThan && write.startedAt < olderThan;
}
