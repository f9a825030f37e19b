/** Whether a series goes on with the database that it began with: two projects both called `postgres` must not mix. */
import { BackupError } from './errors.ts';
import type { Finding } from './findings.ts';
import { compareSource, type SourceFingerprint } from './fingerprint.ts';
import type { Manifest } from './manifest.ts';

export interface SeriesSource {
  /** The series. */
  name: string;
  source: SourceFingerprint;
  /** `accept-new-source`. */
  accepted: boolean;
}

/**
 * Compares the source with that of the newest of `manifests`. Throws `ERR_SOURCE_CHANGED` for another one, or for one
 * that cannot be compared, unless it is accepted: then a notice says so.
 */
export function assessSource({ name, source, accepted }: SeriesSource, manifests: readonly Manifest[]): Finding[] {
  const [last] = manifests;
  if (last === undefined) return [];
  const comparison = compareSource({ fingerprint: last.source.fingerprint, kind: last.source.fingerprintKind }, source);
  if (comparison === 'same') return [];
  if (accepted) {
    return [
      {
        code: 'new-source-accepted',
        severity: 'notice',
        seen: `The series ${name} goes on with another database`,
        action: 'Remove `accept-new-source` again.',
      },
    ];
  }
  const what =
    comparison === 'different'
      ? `The series ${name} holds backups of another database (last: ${last.id})`
      : `It cannot be told whether the series ${name} (last: ${last.id}) holds this database: the role can no longer, or could not then, read pg_control_system()`;
  throw new BackupError('ERR_SOURCE_CHANGED', what, {
    op: 'compare the source with earlier backups',
    hint: 'Give this database its own series with `name`. If it is the same one on a new server, set `accept-new-source: true` for one run.',
  });
}
