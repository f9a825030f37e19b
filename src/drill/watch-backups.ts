/** A drill says when backups have gone silent: one that brings an old backup back well is green all the same. */

import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { backupsSilent } from '../domain/status/other-schedules.ts';
import { idsOf } from '../restore/find-copies.ts';

/** By the ids at the first destination alone. Says nothing where it may not be listed. */
export async function watchBackups(
  target: Target,
  series: string,
  { clock, signal, log }: CommandContext,
): Promise<Finding[]> {
  try {
    return backupsSilent(series, await idsOf(target, series), clock.now());
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BackupError)) throw error;
    log.debug(`backups could not be looked for: ${error.message}`);
    return [];
  }
}
