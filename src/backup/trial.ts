/**
 * The seam of `verify: restore`: a restore of the archive while the archive is being made, since a backup job holds no
 * key with which it could read the stored one. `restore/trial.ts` is what stands behind it.
 */
import type { CommandContext } from '../command.ts';
import type { Check } from '../domain/checks.ts';
import type { Contents } from '../domain/contents.ts';
import type { CatalogFacts } from '../domain/facts.ts';
import type { BackupInputs } from '../inputs/types.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import type { Prepared } from './prepare.ts';

/**
 * What goes wrong with it is no failure of the backup: it makes the check `not-run` or `failed`. Its methods reject only
 * with the reason for which the whole run ends.
 */
export interface Trial {
  /** Makes room for the database of these facts. Called once, before the first byte. */
  begin(facts: CatalogFacts): Promise<void>;
  /** The next bytes of the archive, in plain. Resolves when the chunk is not needed any more, whoever is slow. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more bytes will come. Waits for nothing. */
  end(): void;
  /** Waits for the restore, and compares what came back with what is recorded. */
  check(contents: Contents): Promise<Check>;
  /** Ends and removes everything of it. Idempotent, bounded, never rejects. */
  close(): Promise<void>;
}

export interface TrialParts {
  inputs: BackupInputs;
  context: CommandContext;
  prepared: Prepared;
  supervisor: Supervisor;
}

/** Begins with what takes a while and needs no snapshot. */
export type OpenTrial = (parts: TrialParts) => Promise<Trial>;
