/** What a prune hands back for the report. */
import type { BackupError } from '../errors.ts';
import type { Finding } from '../findings.ts';
import type { RetentionPlan } from '../retention.ts';

/** What was removed of a series or, of a dry run, would be. */
export interface PruneResult {
  command: 'prune';
  outcome: 'pruned';
  dryRun: boolean;
  /** The series. */
  name: string;
  /** In the words of the inputs. */
  policy: readonly string[];
  /** In the order of `storage`, each with a plan of its own. */
  destinations: readonly PrunedDestination[];
  /** What was asked of the buckets' own rules; absent when nothing was. */
  lifecycle?: LifecycleLook;
  findings: readonly Finding[];
}

export interface LifecycleLook {
  /** `print`: for each bucket. */
  proposals: readonly LifecycleProposal[];
  /** `check`: an `error` among them makes the prune fail. */
  findings: readonly Finding[];
}

export interface LifecycleProposal {
  /** `Storage.location`. */
  location: string;
  /** JSON, as S3 takes it. */
  configuration: string;
  /** A line of shell that sets it, from a file. */
  command: string;
}

export interface PrunedDestination {
  /** `Storage.location`. */
  location: string;
  /** Absent where it could not be made. */
  plan?: RetentionPlan;
  /** The newest proven backup that is kept, with its folder. */
  newestProven?: { id: string; uri: string };
  /** Ids of finished sets that are gone. */
  removed: readonly string[];
  /** Of those that were to go and are still there. */
  left: readonly { id: string; why: string }[];
  /** Ids of sets without a metadata.json whose rest was removed, or would be. */
  cleared: readonly string[];
  /** How many old records of drills and audits were removed, or would be. */
  records: number;
  /** Of the records about it in `_audit/`. */
  auditUris: readonly string[];
  /** Why not everything that was to go is gone. */
  error?: BackupError;
}
