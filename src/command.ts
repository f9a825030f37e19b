/** What a command is given besides its inputs, and what it hands back for the report. */
import type { Contents } from './domain/contents.ts';
import type { Environment } from './domain/destination.ts';
import type { Finding } from './domain/findings.ts';
import type { Manifest } from './domain/manifest.ts';
import type { Clock, Log } from './ports.ts';

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
  /** The script that runs the proof when it is started as a thread. */
  proofThread: URL;
  /** Tells the report how far the run has come, so that a failure can say what is safe. Later words win. */
  tell(news: Partial<RunNews>): void;
}

/**
 * How far a backup has come, for the words of its failure: `preparing` has written nothing, `writing` has begun to
 * store objects, `committing` is about to write the commit marker, `committed` has written it.
 */
export type BackupStage = 'preparing' | 'writing' | 'committing' | 'committed';

/** What is known of a run that may fail at any time. */
export interface RunNews {
  stage: BackupStage;
  /** The series. */
  name: string;
  backupId: string;
  /** `Storage.location`. */
  location: string;
  /** The set's folder. */
  backupUri: string;
  /** Findings so far: shown when the run fails. A result brings its own. */
  findings: readonly Finding[];
}

/** A backup that is stored and committed, whether or not it is proven: `manifest.verdict` says so. */
export interface BackupResult {
  command: 'backup';
  manifest: Manifest;
  contents: Contents;
  /** `Storage.location`. */
  location: string;
  /** The set's folder, `s3://bucket/prefix/shop/2026…_k3v9qa` or an absolute path. */
  backupUri: string;
  manifestUri: string;
  /** RESTORE.md of this set. */
  restoreGuideUri: string;
  /** What restores this very backup with stock tools; may have several lines. */
  restoreCommand: string;
  /** All warnings and notices of the run; the report annotates them, so the command does not. */
  findings: readonly Finding[];
  /** In the order in which they ran. */
  timings: readonly PhaseTiming[];
}

export interface PhaseTiming {
  /** `preflight`, `dump and proof`, `upload of globals`… */
  phase: string;
  seconds: number;
}

/** Grows by one member a command. */
export type CommandResult = BackupResult;
