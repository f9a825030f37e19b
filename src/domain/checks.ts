/** Checks and verdicts: the vocabulary of the proof. */

/** `partial`: looked at, but not wholly decided. `not-run`: was not looked at. Neither counts as passed. */
export type CheckStatus = 'passed' | 'failed' | 'partial' | 'not-run';

export type CheckId =
  | 'archive'
  | 'tables'
  | 'row-counts'
  | 'sequences'
  | 'large-objects'
  | 'critical-tables'
  | 'objects'
  | 'globals'
  | 'source'
  /** The archive was restored into a local server and compared (`verify: restore`). */
  | 'restore'
  | 'stored'
  | 'assertions'
  | 'min-tables'
  | 'restore-time'
  | 'alarm'
  /** Of a restored database: definitions as recorded, in the same words or those of a reference restore. */
  | 'definitions'
  /** Of a restored database: what is attached, validated, valid, enabled, populated. */
  | 'state'
  /** Of a restore: whether pg_restore said anything that is not known to be harmless. */
  | 'messages'
  /** Of a restore: whether the target could take all that was to be restored. */
  | 'left-out'
  /** Of a restored database: every extension is there, in a version not older than recorded. */
  | 'extensions';

export interface Check {
  id: CheckId;
  status: CheckStatus;
  /** One sentence without any name of the database's content: it stands in the plain manifest. */
  reason: string;
  /** Names and numbers behind the reason; shown in the summary and kept in contents.json only. */
  details: string[];
}

export type Verdict = 'proven' | 'unproven';

/** Only a non-empty list of checks that all passed is proof. */
export function verdictOf(checks: readonly Check[]): Verdict {
  return checks.length > 0 && checks.every((check) => check.status === 'passed') ? 'proven' : 'unproven';
}
