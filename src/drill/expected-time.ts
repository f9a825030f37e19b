/** How long a restore will take, as far as drills can tell. */
import { messageOf } from '../domain/errors.ts';
import type { Log, Storage } from '../ports.ts';
import { readNewestDrills } from './records.ts';

/** What the last drill of the series that passed took, in seconds. Rejects only when `signal` aborts. */
export async function expectedSeconds(
  storage: Storage,
  series: string,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<number | undefined> {
  try {
    const { records } = await readNewestDrills(storage, series);
    return records.find(({ verdict }) => verdict === 'passed')?.timings.recoverySeconds;
  } catch (error) {
    signal.throwIfAborted();
    log.debug(`how long the last drill took cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}
