/** Takes away what dead runs of this series have left unfinished: invisible, but it takes room. */
import type { CommandContext } from '../command.ts';
import type { Finding } from '../domain/findings.ts';
import { staleBefore } from '../domain/stale-writes.ts';
import type { Storage } from '../ports.ts';
import type { Destinations } from './destinations.ts';

/** At every destination that is alive; rejects as {@link sweepOne} does. */
export async function sweepStale(
  destinations: Destinations,
  series: string,
  context: CommandContext,
): Promise<Finding[]> {
  return (await destinations.each(({ storage }) => sweepOne(storage, series, context))).flat();
}

/** Rejects only when the run is cancelled: a role that may not sweep is a good role. */
export async function sweepOne(storage: Storage, series: string, { clock, log }: CommandContext): Promise<Finding[]> {
  const { removed, left } = await storage.sweep(series, staleBefore(clock.now()));
  for (const key of removed) log.info(`Removed what a dead run had left of ${key}`);
  return left.map((why) => ({
    code: 'not-swept',
    severity: 'notice',
    seen: `What dead runs may have left unfinished could not be looked for or removed: ${why}`,
    action:
      'Grant s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, or let a lifecycle rule (AbortIncompleteMultipartUpload) do it.',
  }));
}
