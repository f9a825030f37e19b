/** What a command is given besides its inputs, and what it hands back for the report. */
import type { GoodBackup } from './domain/alarm/good-backup.ts';
import type { Occasion } from './domain/audit.ts';
import type { CheckResult } from './domain/check/result.ts';
import type { Check } from './domain/checks.ts';
import type { Contents } from './domain/contents.ts';
import type { Environment } from './domain/destination.ts';
import type { TrendPoint } from './domain/drill-record.ts';
import type { BackupError } from './domain/errors.ts';
import type { Finding } from './domain/findings.ts';
import type { Manifest } from './domain/manifest.ts';
import type { ClassifiedMessage, Recovery, RecoveryPhase, RecoveryStage, Strategy } from './domain/recovery.ts';
import type { PruneResult } from './domain/retention/result.ts';
import type { FailOn, StatusReport } from './domain/status/model.ts';
import type { Clock, Log } from './ports.ts';

export type { CheckResult } from './domain/check/result.ts';

export interface CommandContext {
  log: Log;
  clock: Clock;
  /** For adapters that look up credentials; commands themselves read nothing from it. */
  env: Environment;
  /** Fires when the run is cancelled, with the `BackupError` to throw as its reason. */
  signal: AbortSignal;
  /** Private to this run, exists, and is removed after it. */
  workDir: string;
  /** Of the action. */
  version: string;
  /** The scripts of the action's threads: one reads the archive back, one speaks with the Actions cache. */
  threads: { proof: URL; cache: URL };
  /** Tells the report how far the run has come, so that a failure can say what is safe. Later words win. */
  tell(news: Partial<RunNews>): void;
  /** Somebody besides GitHub hears how a restore goes; false when absent. */
  isAnnounced?: boolean;
  /** Whether those who hear of the alarm could be told, asked without telling them anything; see `probeIssues`. */
  probeChannels?: (signal: AbortSignal) => Promise<Finding[]>;
}

/**
 * How far a backup has come, for the words of its failure: `preparing` has written nothing, `writing` has begun to
 * store objects, `committing` is about to write the commit marker, `committed` has written it. Then, and in a prune from
 * the first deletion on, `pruning` removes old ones.
 */
export type BackupStage = 'preparing' | 'writing' | 'committing' | 'committed' | 'pruning';

/** What is known of a run that may fail at any time. */
export interface RunNews extends RecoveryNews {
  /** When the main step began, ISO 8601 UTC. */
  startedAt: string;
  command: CommandResult['command'];
  stage: BackupStage | RecoveryStage;
  /** The series. */
  name: string;
  /** Of the set that is written or, by a restore or drill, read. */
  backupId: string;
  /** `Storage.location`. */
  location: string;
  /** The set's folder; of a dump made by other means the file. */
  backupUri: string;
  /** Findings so far: shown when the run fails. A result brings its own. */
  findings: readonly Finding[];
  /** Of the series, this run's own once that is committed. Absent until it was looked up. */
  lastGood: GoodBackup;
}

/** What is known of a restore or drill besides, for the words and the report of its failure. */
export interface RecoveryNews {
  occasion: Occasion;
  /** What was done so far. */
  timeline: readonly TimelineEntry[];
  strategy: Strategy;
  /** `host/database` of the database that the target names: the one that must not be endangered. */
  targetFingerprint: string;
  /** Its name. */
  database: string;
  /** The one that the backup goes into, where it is another. */
  newDatabase: string;
  /** `swap`: the name under which the former database is kept. */
  formerDatabase: string;
  /** `in-place`, of what failed while it replaced: whether Postgres is known to have undone it. */
  undone: boolean;
  /** Of the former content; absent until it is stored and proven. */
  safetyBackup: SafetyBackup;
  /** SQL that gives access back to those who are kept out of the database; empty as soon as they have it again. */
  giveAccessBack: readonly string[];
  /** For the post step: what `resumeFromNote` needs to give access back; empty when nobody is kept out. */
  pauseNote: string;
  /** A database that this run made and could not remove, or leaves for whoever wants to look at it. */
  leftOverDatabase: string;
  /** As in {@link RestoreResult}, as soon as the database was replaced. */
  wayBack: readonly WayBack[];
  phases: readonly RecoveryPhase[];
  checks: readonly Check[];
  /** What pg_restore said. */
  messages: readonly ClassifiedMessage[];
  /** Where the report is to be written. */
  reportPath: string;
  /** Of a restore that begins to do something, after its plan. `expectedSeconds`: what the last drill took. */
  begins: { expectedSeconds?: number };
}

export interface TimelineEntry {
  /** ISO 8601 UTC, by the runner's clock. */
  at: string;
  /** One sentence. */
  what: string;
}

/** The full backup of what a restore is about to replace. */
export interface SafetyBackup {
  id: string;
  uri: string;
  /** One line that restores it with stock tools into the new database `NEW_DATABASE`. */
  restoreCommand: string;
}

/** A backup that was taken and committed, whether or not it is proven: `manifest.verdict` says so. */
export interface BackupResult extends StoredBackup {
  outcome: 'taken';
  contents: Contents;
  /** Whose Postgres it is, for people; absent for a server of nobody's in particular. */
  provider?: string;
  /** In the order in which they ran. */
  timings: readonly PhaseTiming[];
  /** With `prune-after-backup`, when the backup was proven everywhere. */
  pruned?: PruneResult;
}

/** An earlier proven backup that was taken instead of a new one. */
export interface ReusedBackup extends StoredBackup {
  outcome: 'reused';
  /** Why it could be. */
  reason: string;
  /** Only what every destination holds is reused. */
  lost: readonly [];
}

/** What a backup would do, after a preflight that found nothing in its way. */
export interface DryRun {
  command: 'backup';
  outcome: 'dry-run';
  /** The series. */
  name: string;
  server: Manifest['server'];
  /** What would be done, as pairs of a word and a sentence. */
  plan: readonly (readonly [what: string, words: string])[];
  /** Destinations that failed, where others did not. */
  lost: readonly LostCopy[];
  findings: readonly Finding[];
}

/** What is known of a set that is committed. */
interface StoredBackup {
  command: 'backup';
  /** As the first destination that holds it has it. */
  manifest: Manifest;
  /** The folder of the set at every destination that holds it, in the order of `storage`. */
  copies: readonly string[];
  /** Destinations that do not hold it. */
  lost: readonly LostCopy[];
  /** `Storage.location` of the first destination that holds it. */
  location: string;
  /** The set's folder, `s3://bucket/prefix/shop/2026…_k3v9qa` or an absolute path. */
  backupUri: string;
  manifestUri: string;
  /** RESTORE.md of this set. */
  restoreGuideUri: string;
  /** One line that restores this very backup with stock tools. */
  restoreCommand: string;
  /** All warnings and notices of the run; the report annotates them, so the command does not. */
  findings: readonly Finding[];
}

/** A destination that failed while others went on. */
export interface LostCopy {
  /** `Storage.location`. */
  location: string;
  error: BackupError;
  /** Its manifest may have been written all the same. */
  uncertain: boolean;
}

export interface PhaseTiming {
  /** `preflight`, `dump and proof`, `upload of globals`… */
  phase: string;
  seconds: number;
}

/** A backup that was brought back, whether or not all of it is proven: `recovery.verdict` says so. */
export interface RestoreResult {
  command: 'restore';
  outcome: 'restored';
  recovery: Recovery;
  strategy: Strategy;
  /** A partial verdict was accepted beforehand. */
  acceptPartial: boolean;
  /** The full backup of the former content, where one was taken. */
  safetyBackup?: SafetyBackup;
  /** What undoes this restore, and what tidies up after it: each a sentence and lines to type. */
  wayBack: readonly WayBack[];
  occasion: Occasion;
  /** What was done, in its order. */
  timeline: readonly TimelineEntry[];
  /** The records of it in `_audit/`. */
  auditUris: readonly string[];
  /** Where the incident report is to be written. */
  reportPath?: string;
  findings: readonly Finding[];
}

/** A backup that was restored into a throwaway Postgres: `recovery.verdict` says what of it is proven. */
export interface DrillResult {
  command: 'drill';
  outcome: 'drilled';
  recovery: Recovery;
  /** A partial verdict was accepted beforehand. */
  acceptPartial: boolean;
  /** Age of the data when the drill began: what would have been lost. Absent where the backup does not tell its time. */
  rpoSeconds?: number;
  /** The verdict in `_drills/`, at every destination that holds it. */
  recordUris: readonly string[];
  /** Recovery times of this drill and of earlier ones of the series, those in any order; absent when there are none. */
  trend?: { now: TrendPoint; past: readonly TrendPoint[] };
  occasion: Occasion;
  finishedAt: Date;
  /** `max-restore-minutes`, where it was given. */
  maxRestoreMinutes?: number;
  /** Where the report is to be written. */
  reportPath?: string;
  findings: readonly Finding[];
}

export interface WayBack {
  words: string;
  /** For psql or a shell; may be empty. */
  commands: readonly string[];
}

/** What a restore or drill would do, after a preflight that found nothing in its way. */
export interface RecoveryDryRun {
  command: 'restore' | 'drill';
  outcome: 'planned';
  /** The series; absent for a dump made by other means. */
  name?: string;
  backup: { id: string; uri: string };
  /** Pairs of a word and a sentence. */
  plan: readonly (readonly [what: string, words: string])[];
  /** With `require-second-person`. */
  toConfirm?: PlanToConfirm;
  findings: readonly Finding[];
}

/** A plan that waits for a second person, in `_audit/`. */
export interface PlanToConfirm {
  fingerprint: string;
  /** Of its record, at every destination that took it. */
  uris: readonly string[];
  /** ISO 8601 UTC. */
  until: string;
  /** Accounts that cannot be the second person. */
  plannedBy: readonly string[];
  /** Inputs that the second person types, as they stand in YAML; all others are as they were. */
  typed: readonly string[];
  /** A warning for each destination that did not take it. */
  findings: readonly Finding[];
}

/** What is known of the backups, from the storage alone. */
export interface StatusResult {
  command: 'status';
  outcome: 'watched';
  /** The series, where one alone was looked at. */
  name?: string;
  report: StatusReport;
  failOn: FailOn;
  /** Where the dashboard is to be written. */
  dashboardPath?: string;
  /** Those of the report, in the form of other commands. */
  findings: readonly Finding[];
}

/** Grows by one member a command. */
export type CommandResult = BackupOutcome | RecoveryResult | RecoveryDryRun | PruneResult | StatusResult | CheckResult;

export type BackupOutcome = BackupResult | ReusedBackup | DryRun;

/** A restore or drill that came to its end. */
export type RecoveryResult = RestoreResult | DrillResult;
