/** Pure: what changed since the last backup of the same kind. A warning, never a verdict. */
import type { Contents } from '../domain/contents.ts';
import type { TableFacts } from '../domain/facts.ts';
import type { Finding } from '../domain/findings.ts';
import type { SourceFingerprint } from '../domain/fingerprint.ts';
import type { Manifest, ManifestWarning } from '../domain/manifest.ts';
import { compareWithPrevious, findPrevious } from '../domain/previous-backup.ts';

export interface Past {
  manifests: readonly Manifest[];
  source: SourceFingerprint;
  /** The user has said that the series goes on with another database. */
  acceptNewSource: boolean;
  maxChangePercent: number;
}

export interface Comparison {
  /** For the plain manifest: no names. */
  warnings: ManifestWarning[];
  /** For the summary and annotations, with names. */
  findings: Finding[];
}

export function compareWithPast(
  past: Past,
  current: Manifest,
  contents: Contents,
  facts: readonly TableFacts[],
): Comparison {
  const like = { scope: contents.scope, ...(past.acceptNewSource ? {} : { source: past.source }) };
  const previous = findPrevious(past.manifests, like);
  const wasRead = contents.checks.some((check) => check.id === 'archive' && check.status === 'passed');
  if (previous === undefined || !wasRead) return { warnings: [], findings: [] };
  const now = { totals: current.totals, tables: contents.tables, partitioned: facts };
  const changes = compareWithPrevious(previous, now, past.maxChangePercent);
  return {
    warnings: changes.map(({ code, message }) => ({ code, message })),
    findings: changes.map(({ code, message, details }) => ({
      code,
      severity: 'warning',
      seen: [message, ...details].join('; '),
      action: 'If this was not meant, look at the database before anything else; the earlier backup is untouched.',
    })),
  };
}
