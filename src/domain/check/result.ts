/** What `command: check` hands back for the report. */
import type { BackupError } from '../errors.ts';
import type { Finding } from '../findings.ts';
import type { Comparison } from './compare.ts';
import type { HealthResult, HealthVerdict } from './model.ts';
import type { CheckRecord } from './record.ts';

/** What a check found, whatever it found: `verdict` decides. */
export interface CheckResult {
  command: 'check';
  outcome: 'checked';
  /** The series. */
  name: string;
  /** `db.example.com:5432/shop` */
  where: string;
  verdict: HealthVerdict;
  /** What could not run counts as failed. */
  strict: boolean;
  /** In the order of the checks. */
  results: readonly HealthResult[];
  /** Pairs of a word and a sentence; empty when the server did not answer. */
  overview: readonly (readonly [what: string, words: string])[];
  /** With an earlier check, where there was one. */
  comparison?: Comparison;
  /** As it is kept in `_checks/`. */
  record: CheckRecord;
  /** Where it is kept. */
  recordUris: readonly string[];
  reportPath?: string;
  /** The objects of the database, for `expected-schema`; absent when nobody wanted them. */
  schemaList?: readonly string[];
  /** Why the server could not be asked. */
  error?: BackupError;
  /** About the run itself; what the checks found is in `results`. */
  findings: readonly Finding[];
}
