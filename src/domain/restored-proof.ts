/**
 * The proof of what was restored: what our own sessions read in the restored database, held against what was recorded
 * when it was backed up. Pure; `restore/prove.ts` gathers the evidence.
 */
import type { ArchivedLargeObjects } from './archive-report.ts';
import type { Check } from './checks.ts';
import type { Contents } from './contents.ts';
import type { EntryPlan } from './entry-plan.ts';
import type { SequenceState } from './facts.ts';
import type { Finding } from './findings.ts';
import {
  checkRestoredDefinitions,
  checkRestoredObjects,
  type DefinitionDifferences,
  type ReferenceState,
} from './restored-proof/definitions.ts';
import {
  type CriticalTables,
  checkRestoredCritical,
  checkRestoredTables,
  type RestoredRows,
} from './restored-proof/rows.ts';
import { checkRestoredExtensions, checkRestoredState, type DatabaseState } from './restored-proof/state.ts';
import { checkRestoredLargeObjects, checkRestoredSequences, largeObjectsToProve } from './restored-proof/values.ts';
import type { Toc } from './toc.ts';

/** What was read. An `Error` stands where something could not be. */
export interface RestoredEvidence {
  contents: Contents;
  toc: Toc;
  plan: EntryPlan;
  /** The database was created for this restore: whatever else is in it should not be there. */
  alone: boolean;
  rows: RestoredRows;
  sequences: ReadonlyMap<string, SequenceState | Error>;
  /** Absent when there was no reason to read them. */
  largeObjects?: ArchivedLargeObjects | Error;
  critical: readonly CriticalTables[];
  state: DatabaseState;
  structure: RestoredStructure | Error;
}

export interface RestoredStructure {
  /** After the comparison with the reference, where there was one. */
  differences: DefinitionDifferences;
  reference: ReferenceState;
  referenceState?: DatabaseState;
  /** The reference holds only what is worded otherwise, and what hangs together with it. */
  referenceIsPart?: boolean;
  sameMajor: boolean;
  /** Owners, rights and comments of large objects are those of the reference; absent where there are none. */
  largeObjectsAlike?: boolean;
}

/** Every check of a restored backup, in the order in which they are shown. What could not be read is never left out. */
export function judgeRestored(evidence: RestoredEvidence): { checks: Check[]; findings: Finding[] } {
  const { contents, toc, plan, rows, critical } = evidence;
  const extensions = checkRestoredExtensions(contents, plan, evidence.state.extensions);
  const checks = [
    checkRestoredTables(contents, plan, rows),
    checkRestoredSequences(contents, plan, evidence.sequences),
    checkRestoredLargeObjects(contents, largeObjectsToProve(contents, toc, plan), evidence.largeObjects),
    ...structureChecks(evidence),
    extensions.check,
    ...(critical.length === 0 ? [] : [checkRestoredCritical(contents.scope.content, critical, rows.digests)]),
  ];
  return { checks, findings: extensions.findings };
}

function structureChecks({ contents, plan, alone, state, structure }: RestoredEvidence): Check[] {
  const { content } = contents.scope;
  if (structure instanceof Error) {
    const compared = { unavailable: structure.message };
    return [
      ...(['objects', 'definitions'] as const).map((id): Check => {
        const reason = 'The definitions of the restored database could not be read, so nothing could be compared';
        return { id, status: 'not-run', reason, details: [structure.message] };
      }),
      checkRestoredState({ content, plan, alone, restored: state, compared }),
    ];
  }
  const { referenceState: reference, reference: compared, referenceIsPart = false } = structure;
  return [
    checkRestoredObjects({ contents, plan, alone, ...structure }),
    checkRestoredDefinitions({ contents, plan, alone, ...structure }),
    checkRestoredState({
      content,
      plan,
      // The state of all else is in its definitions, which are worded as recorded.
      alone: alone && !referenceIsPart,
      restored: state,
      ...(reference === undefined ? {} : { reference }),
      compared,
    }),
  ];
}
