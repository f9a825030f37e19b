/** Every command's inputs after parsing: the only form in which they travel below `inputs/`. */
import type { AptRepository } from '../domain/apt.ts';
import type { Compression } from '../domain/compression.ts';
import type { ConnectionRequest } from '../domain/connection.ts';
import type { Destination } from '../domain/destination.ts';
import type { Finding } from '../domain/findings.ts';
import type { Scope } from '../domain/scope.ts';

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
  /** What was noticed while reading the inputs; those of the connection stand in `connection.notices`. */
  notices: readonly Finding[];
  runner: RunnerEnvironment;
}

/** Grows by one member a command. */
export type Inputs = BackupInputs;
