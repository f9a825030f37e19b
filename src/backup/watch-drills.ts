/** A backup says when drills have gone silent: whoever should drill is the last to notice that nobody does. */
import type { CommandContext } from '../command.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { drillTime } from '../domain/retention/inventory.ts';
import { drillsPrefix } from '../domain/set-layout.ts';
import { BACKUPS_BEFORE_DRILL, drillsSilent } from '../domain/status/other-schedules.ts';
import type { Storage } from '../ports.ts';
import type { History } from './history.ts';

/** One listing, of names alone. Says nothing where it may not be listed, and of a series that is still young. */
export async function watchDrills(
  storage: Storage,
  series: string,
  { manifests }: History,
  { clock, signal, log }: CommandContext,
): Promise<Finding[]> {
  if (manifests.length < BACKUPS_BEFORE_DRILL) return [];
  let last: Date | undefined;
  try {
    for await (const { key } of storage.list(drillsPrefix(series))) {
      const at = drillTime(key, series);
      if (at !== undefined && (last === undefined || at > last)) last = at;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BackupError)) throw error;
    log.debug(`drills could not be looked for: ${error.message}`);
    return [];
  }
  return drillsSilent(series, last, clock.now());
}
