/** Looks the newest good backup up, for an alarm of a run that did not come so far. */
import { newestOf, readHistory } from '../backup/history.ts';
import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import type { AlarmInputs } from '../inputs/alarm.ts';
import type { Clock, Log } from '../ports.ts';
import { unlessCancelled } from '../storage/cancelled.ts';
import { openStorage } from '../storage/open.ts';

/** Knowing is good, telling that something is wrong is better: the alarm waits no longer. */
const LOOK_UP_MS = 5_000;

export interface LookUpParts {
  env: Environment;
  log: Log;
  clock: Clock;
  signal: AbortSignal;
  /** The series that the run came to know, where the inputs do not say it. */
  series?: string;
}

/** Never rejects. */
export async function lookUpGoodBackup(inputs: AlarmInputs, parts: LookUpParts): Promise<GoodBackup> {
  const { subject, destination } = inputs;
  const series = subject.kind === 'series' ? subject.series : parts.series;
  if (series === undefined || destination === undefined) {
    return { known: 'unreadable', why: 'the inputs do not say where to look' };
  }
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(LOOK_UP_MS)]);
  try {
    const storage = openStorage(destination, { ...parts, signal });
    try {
      // A retry that waits, or a file system that hangs, need not heed the signal at once.
      const reading = readHistory(storage, series);
      return newestOf(await unlessCancelled(signal, 'look for backups', reading), storage, series);
    } finally {
      await storage.close();
    }
  } catch (error) {
    return { known: 'unreadable', why: signal.aborted ? 'the storage did not answer in time' : messageOf(error) };
  }
}
