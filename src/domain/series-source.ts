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
  const comparison = compareSource(sourceOf(last), source);
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
      ? differentWords(name, last)
      : `It cannot be told whether the series ${name} (last: ${last.id}) holds this database: the role can no longer, or could not then, read pg_control_system()`;
  throw new BackupError('ERR_SOURCE_CHANGED', what, {
    op: 'compare the source with earlier backups',
    hint: 'Give this database its own series with `name`. If it is the same one on a new server, set `accept-new-source: true` for one run.',
  });
}

/** For a health check, whose role may see less than that of a backup: what cannot be compared says nothing there. */
export function anotherSource(name: string, source: SourceFingerprint, [last]: readonly Manifest[]): Finding[] {
  if (last === undefined || compareSource(sourceOf(last), source) !== 'different') return [];
  return [
    {
      code: 'source-changed',
      severity: 'error',
      seen: differentWords(name, last),
      action:
        'Look whether `database-url` and `name` are the right ones. If it is the same database on a new server, set `accept-new-source: true` for one backup.',
    },
  ];
}

function sourceOf({ source: { fingerprint, fingerprintKind } }: Manifest): SourceFingerprint {
  return { fingerprint, kind: fingerprintKind };
}

function differentWords(name: string, { id }: Manifest): string {
  return `The series ${name} holds backups of another database (last: ${id})`;
}
