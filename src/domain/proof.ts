/**
 * The proof: what the archive was read to hold, held against what the catalog said inside the very
 * snapshot that pg_dump read. Pure; `commands/backup.ts` gathers the evidence.
 */
import type { ArchiveReport } from './archive-report.ts';
import type { Check } from './checks.ts';
import type { CatalogFacts, SourceDigests } from './facts.ts';
import { checkLargeObjects, checkObjects } from './proof/objects.ts';
import { checkCriticalTables, checkRowCounts, checkSource, checkTables } from './proof/rows.ts';
import { checkSequences } from './proof/sequences.ts';
import type { Scope } from './scope.ts';

/** Evidence of one backup. An `Error` stands where the evidence could not be had. */
export interface Evidence {
  scope: Scope;
  facts: CatalogFacts;
  /** The error says why the archive could not be read to its end. */
  archive: ArchiveReport | Error;
  /** The error says why rows could not be counted at the source. */
  counting: 'done' | Error;
  /** Names of definitions that changed while pg_dump read them; the error says why that is not known. */
  changedDefinitions: readonly string[] | Error;
  /** Absent when `verify: source` was not asked for. */
  source?: SourceDigests | Error;
}

/**
 * Every check of content that was asked for, in the order in which they are shown.
 * A check whose evidence is missing is `failed` or `not-run`, never left out.
 */
export function proveContent(evidence: Evidence): Check[] {
  const { archive, facts, scope } = evidence;
  if (archive instanceof Error) return archiveUnreadable(evidence, archive);
  const checks: Check[] = [
    {
      id: 'archive',
      status: 'passed',
      reason: `pg_restore and the reader of its output read the archive to its end: ${archive.plainBytes} bytes of SQL`,
      details: [],
    },
    checkTables(facts, archive, scope),
    ...countedChecks(evidence, archive),
    checkSequences(facts, archive, scope),
    checkLargeObjects(facts, archive),
    checkObjects(facts, archive, scope, evidence.changedDefinitions),
  ];
  if (facts.tables.some((table) => table.critical)) checks.push(checkCriticalTables(facts, archive, scope));
  if (evidence.source !== undefined) checks.push(checkSource(facts, archive, evidence.source));
  return checks;
}

/** A check that would compare nothing is none: the summary says so instead (left-out.ts). */
function countedChecks({ facts, counting }: Evidence, archive: ArchiveReport): Check[] {
  const counted = facts.tables.some((table) => table.hasData && table.rows !== undefined);
  return counted || counting instanceof Error ? [checkRowCounts(facts, archive, counting)] : [];
}

function archiveUnreadable(evidence: Evidence, error: Error): Check[] {
  const notRun = (id: Check['id']): Check => ({
    id,
    status: 'not-run',
    reason: 'The archive could not be read, so nothing could be compared',
    details: [],
  });
  const checks: Check[] = [
    {
      id: 'archive',
      status: 'failed',
      reason: 'The archive that pg_dump wrote could not be read to its end',
      details: [error.message],
    },
    ...(['tables', 'row-counts', 'sequences', 'large-objects', 'objects'] as const).map(notRun),
  ];
  if (evidence.facts.tables.some((table) => table.critical)) checks.push(notRun('critical-tables'));
  if (evidence.source !== undefined) checks.push(notRun('source'));
  return checks;
}
