/** What earlier runs left in the storage: manifests of backups to compare with. */
import type { Target } from '../backup/destinations.ts';
import { readHistory } from '../backup/history.ts';
import type { CommandContext } from '../command.ts';
import type { Hidden } from '../domain/check/model.ts';
import { BackupError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';

/** Newest first, of the first destination that could be read; or why none could. */
export type Past = { manifests: readonly Manifest[] } | Hidden;

/** `undefined` without a destination. Throws only when the run ends. */
export async function readPast(
  targets: readonly Target[],
  series: string,
  { signal }: CommandContext,
): Promise<Past | undefined> {
  let first: Hidden | undefined;
  for (const { storage } of targets) {
    try {
      const { manifests, findings } = await readHistory(storage, series);
      const denied = findings.find(({ code }) => code === 'history-unreadable');
      if (denied === undefined) return { manifests };
      first ??= { hidden: denied.seen, action: denied.action };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BackupError)) throw error;
      first ??= { hidden: `Earlier backups could not be read: ${error.message}`, action: error.hint };
    }
  }
  return first;
}
