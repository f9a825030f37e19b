/** How far a dump is, in words. */
import { formatBytes, shareOf } from './words.ts';

export interface DumpProgress {
  tablesDone: number;
  tablesInAll: number;
  archiveBytes: number;
  elapsedSeconds: number;
}

/** `12 of 40 tables, 1.2 GiB archive, 35 MiB/s` */
export function describeProgress(progress: DumpProgress): string {
  const rate = progress.archiveBytes / Math.max(progress.elapsedSeconds, 0.001);
  return `${shareOf(progress.tablesDone, progress.tablesInAll, 'table')}, ${formatBytes(progress.archiveBytes)} archive, ${formatBytes(rate)}/s`;
}
