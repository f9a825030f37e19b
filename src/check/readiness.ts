/** Whether a backup would get past its preflight: everything of it that can be known without writing. */
import type { Target } from '../backup/destinations.ts';
import { describePlace } from '../backup/places.ts';
import type { Looked } from '../domain/check/model.ts';
import { sourceFingerprint } from '../domain/fingerprint.ts';
import { assessPreflight } from '../domain/preflight.ts';
import { WHOLE } from '../domain/scope.ts';
import { anotherSource } from '../domain/series-source.ts';
import { grantMonitor } from '../postgres/health/session.ts';
import { readPreflight } from '../postgres/preflight.ts';
import type { OpenedHealth } from './open.ts';
import type { Past } from './past.ts';

const PREFLIGHT_SECONDS = 60;

export interface ReadinessParts {
  opened: OpenedHealth;
  /** `current_user`. */
  role: string;
  /** The lines of `storage`, opened; none without it. */
  targets: readonly Target[];
  series: string;
  /** Of earlier backups; absent without `storage`. */
  past: Past | undefined;
}

/** The preflight reads in transactions of its own; limits for them are set for the session, which must be nobody else's. */
export async function lookAtReadiness({
  opened,
  role,
  targets,
  series,
  past,
}: ReadinessParts): Promise<NonNullable<Looked['readiness']>> {
  const { session, address, pooled } = opened;
  if (pooled) {
    return {
      hidden: 'Through a transaction pooler it cannot be seen whether a backup would work, and a backup refuses one',
      action: 'Give the direct URL in `database-url`.',
    };
  }
  const destinations = await Promise.all(targets.map(describePlace));
  return await session.see(async () => {
    const facts = await session.lend(async (client) => {
      await client.query(
        "SET default_transaction_read_only = on; SET lock_timeout = '1s'; SET statement_timeout = '30s'",
      );
      return await readPreflight(client, { scope: WHOLE, criticalTables: [] });
    }, PREFLIGHT_SECONDS);
    const { systemIdentifier } = facts;
    const source = sourceFingerprint({ ...address, ...(systemIdentifier === undefined ? {} : { systemIdentifier }) });
    const manifests = past === undefined || 'hidden' in past ? [] : past.manifests;
    return [
      ...assessPreflight(facts, {
        ...{ scope: WHOLE, address, allowEmpty: false, allowEphemeral: true, hosted: false, destinations },
      }),
      ...anotherSource(series, source, manifests),
    ];
  }, grantMonitor(role));
}
