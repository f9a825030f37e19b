/** Takes away what dead runs of this series have left unfinished: invisible, but it takes room. */
import type { CommandContext } from '../command.ts';
import type { Finding } from '../domain/findings.ts';
import { staleBefore } from '../domain/stale-writes.ts';
import type { Destinations } from './destinations.ts';

/** Rejects only when the run is cancelled: a role that may not sweep is a good role. */
export async function sweepStale(
  destinations: Destinations,
  series: string,
  { clock, log }: CommandContext,
): Promise<Finding[]> {
  const olderThan = staleBefore(clock.now());
  const reports = await destinations.each(({ storage }) => storage.sweep(series, olderThan));
  for (const key of reports.flatMap(({ removed }) => removed)) log.info(`Removed what a dead run had left of ${key}`);
  return reports
    .flatMap(({ left }) => left)
    .map((why) => ({
      code: 'not-swept',
      severity: 'notice',
      seen: `What dead runs may have left unfinished could not be looked for or removed: ${why}`,
      action:
        'Grant s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, or let a lifecycle rule (AbortIncompleteMultipartUpload) do it.',
    }));
}
