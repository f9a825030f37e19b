/** Every command's inputs after parsing: the only form in which they travel below `inputs/`. */
import type { AptRepository } from '../domain/apt.ts';
import type { WantedExtension } from '../domain/check/expected-extension.ts';
import type { CheckSettings } from '../domain/check/judge.ts';
import type { OrphanChoice } from '../domain/check/orphan-pair.ts';
import type { Compression } from '../domain/compression.ts';
import type { ConnectionRequest } from '../domain/connection.ts';
import type { Destination } from '../domain/destination.ts';
import type { Finding } from '../domain/findings.ts';
import type { Strategy } from '../domain/recovery.ts';
import type { RetentionPolicy } from '../domain/retention/policy.ts';
import type { Rails } from '../domain/retention/rails.ts';
import type { Scope } from '../domain/scope.ts';
import type { BackupSelector } from '../domain/selector.ts';
import type { StatusLimits } from '../domain/status/facts.ts';
import type { FailOn } from '../domain/status/model.ts';

export type EncryptionChoice =
  | { method: 'age'; recipients: readonly string[] }
  | { method: 'age-passphrase'; passphrase: string }
  | { method: 'none' };

/** What the runner says about this run; nothing of it is secret. */
export interface RunnerEnvironment {
  /** Absent outside GitHub Actions. */
  run: {
    repository: string;
    workflow: string;
    runId: string;
    runAttempt: string;
    sha: string;
    actor: string;
    /** Who started this attempt: not `actor`, where somebody else ran it again. Absent where the runner does not say. */
    triggeringActor?: string;
    url: string;
  } | null;
  /** `RUNNER_ENVIRONMENT` is `github-hosted`. */
  hosted: boolean;
  /** RUNNER_TEMP, or the system's temporary directory. */
  tempDirectory: string;
  /** RUNNER_TOOL_CACHE, where it is set. */
  toolCache?: string;
}

export interface BackupInputs {
  command: 'backup';
  /** The series; absent means: the database's name, made to fit. */
  name?: string;
  connection: ConnectionRequest;
  /** The first is the one that is read from. */
  destinations: readonly [Destination, ...Destination[]];
  encryption: EncryptionChoice;
  label: string;
  keepForever: boolean;
  /** Absent: a new backup is always taken. */
  reuseWithinMinutes?: number;
  dryRun: boolean;
  scope: Scope;
  /** Absent: zstd from major 16 on, gzip below, tuned for speed. */
  compression?: Compression;
  globals: boolean;
  /** `archive` is always done and therefore not here. */
  verifySource: boolean;
  /** The archive is restored into a local server while it is made. */
  verifyRestore: boolean;
  criticalTables: readonly string[];
  maxSizeChangePercent: number;
  lockTimeoutSeconds: number;
  maxDurationMinutes: number;
  stallTimeoutSeconds: number;
  connectWindowSeconds: number;
  allowEmpty: boolean;
  allowEphemeral: boolean;
  acceptNewSource: boolean;
  /** Where client tools are fetched from when the machine has none. */
  aptRepository: AptRepository;
  cacheClientTools: boolean;
  /** What is pruned after a proven backup; absent: nothing. */
  pruneAfterBackup?: RetentionInputs;
  /** What was noticed while reading the inputs; those of the connection stand in `connection.notices`. */
  notices: readonly Finding[];
  runner: RunnerEnvironment;
}

/** A text that stands in the workflow, or in a file that is read when it is needed. */
export type TextOrFile = { text: string } | { file: string };

/** What decrypts: secret keys as they are and files that hold such keys, or a passphrase. */
export interface KeySources {
  identities: readonly string[];
  identityFiles: readonly string[];
  passphrase?: string;
}

/** What restore and drill have in common. */
export interface RecoveryInputs {
  /** The series; absent means: the one of `backup`, or the only one in the storage. */
  name?: string;
  destinations: readonly [Destination, ...Destination[]];
  selector: BackupSelector;
  keys: KeySources;
  /** Connections that restore and read at once; absent means: as many as the machine has cores. */
  jobs?: number;
  /** Only these schemas and tables (patterns); both empty: everything. */
  schemas: readonly string[];
  tables: readonly string[];
  owner: 'keep' | 'drop';
  privileges: 'keep' | 'drop';
  /** Creates roles that the backup names and the target lacks. */
  createRoles: boolean;
  allowOlderMajor: boolean;
  /** A partial verdict is a warning instead of a failure. */
  acceptPartial: boolean;
  criticalTables: readonly string[];
  afterRestoreSql?: TextOrFile;
  afterRestoreCommand?: string;
  reportPath?: string;
  dryRun: boolean;
  lockTimeoutSeconds: number;
  maxDurationMinutes: number;
  stallTimeoutSeconds: number;
  connectWindowSeconds: number;
  aptRepository: AptRepository;
  cacheClientTools: boolean;
  notices: readonly Finding[];
  runner: RunnerEnvironment;
}

export interface RestoreInputs extends RecoveryInputs {
  command: 'restore';
  target: ConnectionRequest;
  strategy: Strategy;
  /**
   * The target's fingerprint `host/database`, typed by whoever knows what will be replaced; with `requireSecondPerson`
   * that of the plan.
   */
  confirm?: string;
  requireSecondPerson: boolean;
  /** Of a dry run: `confirm` is judged as if it were none, and no plan is kept. */
  checkConfirm: boolean;
  /** Stands in the audit record. */
  reason?: string;
  safetyBackup: boolean;
  /** Absent: as the backup that is restored. */
  safetyEncryption?: EncryptionChoice;
  pauseWrites: boolean;
}

export interface DrillInputs extends RecoveryInputs {
  command: 'drill';
  /** Absent: a server of the drill's own. */
  target?: ConnectionRequest;
  assertions?: TextOrFile;
  minTables?: number;
  maxRestoreMinutes?: number;
  proveTheAlarm: boolean;
}

/** Which old backups go. */
export interface RetentionInputs extends Rails {
  policy: RetentionPolicy;
}

export interface PruneInputs {
  command: 'prune';
  /** The series. */
  name: string;
  destinations: readonly [Destination, ...Destination[]];
  retention: RetentionInputs;
  /** What is done about the rules of the buckets themselves. */
  lifecycle: 'off' | 'print' | 'check';
  dryRun: boolean;
  maxDurationMinutes: number;
  stallTimeoutSeconds: number;
  runner: RunnerEnvironment;
}

export interface StatusInputs {
  command: 'status';
  /** One series alone; absent: all that are found. */
  name?: string;
  /** Series that must have a backup. */
  expectedNames: readonly string[];
  destinations: readonly [Destination, ...Destination[]];
  limits: StatusLimits;
  /** Absent: nothing is read again. */
  verifyStoredDays?: number;
  /** From which level on the run is red. */
  failOn: FailOn;
  cacheManifests: boolean;
  /** Where the dashboard is written. */
  dashboardPath?: string;
  maxDurationMinutes: number;
  stallTimeoutSeconds: number;
  runner: RunnerEnvironment;
}

export interface CheckInputs {
  command: 'check';
  /** The series; absent means: the database's name, made to fit. */
  name?: string;
  connection: ConnectionRequest;
  /** Where earlier backups are and the verdict is kept; may be empty. */
  destinations: readonly Destination[];
  settings: CheckSettings;
  /** What could not run counts as failed. */
  strict: boolean;
  /** Lines as `parseCriticalRule` reads them. */
  criticalTables: readonly string[];
  orphanChecks: readonly OrphanChoice[];
  expectedExtensions: readonly WantedExtension[];
  /** The path of a list of objects. */
  expectedSchema?: string;
  assertions?: TextOrFile;
  baseline?: 'storage' | { file: string };
  reportPath?: string;
  dryRun: boolean;
  maxDurationMinutes: number;
  stallTimeoutSeconds: number;
  connectWindowSeconds: number;
  runner: RunnerEnvironment;
}

/** Grows by one member a command. */
export type Inputs = BackupInputs | RestoreInputs | DrillInputs | PruneInputs | StatusInputs | CheckInputs;
