/**
 * What restore and drill have in common: the vocabulary of their record, which summary, audit record, drill verdict and
 * report are all made of.
 */
import type { Check } from './checks.ts';
import type { Finding } from './findings.ts';

export type Strategy = 'new-database' | 'swap' | 'in-place';

/** `passed`: every check did. `partial`: none failed, but something could not be decided. Only `passed` is green. */
export type RecoveryVerdict = 'passed' | 'partial' | 'failed';

/**
 * How far a restore or drill has come: `looking` has changed no row, `restoring` fills a database that nobody uses yet,
 * `replacing` changes the one that is there (by the swap, or by what `in-place` does), `replaced` has done so.
 */
export type RecoveryStage = 'looking' | 'restoring' | 'replacing' | 'replaced';

/** What is restored. */
export interface RecoverySource {
  /** `set` is a backup of this action; `foreign` a dump made by other means, which nothing recorded is known of. */
  kind: 'set' | 'foreign';
  /** The set's id; of a foreign dump its file name. */
  id: string;
  /** Absent for a foreign dump. */
  series?: string;
  /** Where it was read from: the set's folder, or the file. */
  uri: string;
  /** Time of the snapshot, ISO 8601 UTC. */
  snapshotAt?: string;
  /** Major version of the server that was dumped, where it is known. */
  major?: number;
  /** Of a set that was never proven: what its manifest says against it, a check each. Absent for one that is proven. */
  unproven?: readonly string[];
}

/** Where it went. */
export interface RecoveryTarget {
  host: string;
  /** `host/database`: what `confirm` must say. */
  fingerprint: string;
  serverVersion: string;
  /** That the backup was restored into. */
  database: string;
  /** Of `swap`: the name under which the former database is kept. */
  formerDatabase?: string;
}

/** `fetch`, `decrypt`, `restore`, `index`, `prove`…, in the order in which they ran. */
export interface RecoveryPhase {
  phase: string;
  seconds: number;
}

/** How one line that pg_restore said was understood. */
export interface ClassifiedMessage {
  kind: 'fatal' | 'harmless' | 'unknown';
  /** As pg_restore wrote it, on one line. */
  text: string;
  /** Why it is harmless, or what it means. */
  reason: string;
}

/** Something of the backup that was not restored on purpose. */
export interface LeftOut {
  what: string;
  why: string;
}

/** The facts of one restore or drill that came to its end. */
export interface Recovery {
  source: RecoverySource;
  target: RecoveryTarget;
  checks: readonly Check[];
  verdict: RecoveryVerdict;
  phases: readonly RecoveryPhase[];
  /** From the beginning until the critical tables could be read. */
  criticalTablesSeconds?: number;
  /** Wall-clock seconds of everything. */
  totalSeconds: number;
  totals: { tables: number; rows: number; largeObjects: number };
  messages: readonly ClassifiedMessage[];
  leftOut: readonly LeftOut[];
  findings: readonly Finding[];
}

/** Nothing at all was checked: that is not passed either. */
export function recoveryVerdict(checks: readonly Check[]): RecoveryVerdict {
  if (checks.some(({ status }) => status === 'failed')) return 'failed';
  return checks.length > 0 && checks.every(({ status }) => status === 'passed') ? 'passed' : 'partial';
}
