/** Sets right what an earlier restore into this target could not, because it was killed. */
import type { TargetFacts } from '../domain/target.ts';
import type { Clock, Log } from '../ports.ts';
import { dropDatabase } from '../postgres/databases.ts';
import type { TargetAccess } from './access.ts';
import { resumeFromNote } from './pause-access.ts';

/**
 * Gives access back that is still paused, and drops the databases that were never finished. To be called with the lock of
 * the target held: else the restore that they belong to may be at work.
 */
export async function tidyTarget(
  access: TargetAccess,
  facts: TargetFacts,
  ports: { clock: Clock; log: Log },
): Promise<void> {
  const { pause, leftovers, maintenanceDatabase } = facts;
  if (pause !== undefined) await resumeFromNote(pause, access.connection(maintenanceDatabase), ports);
  if (leftovers.length === 0) return;
  await access.use('tidy', maintenanceDatabase, async ({ client }) => {
    for (const name of leftovers) {
      await dropDatabase(client, name);
      ports.log.info(`Dropped ${name}, which an earlier restore had left unfinished.`);
    }
  });
}
