/** What the proof of a restored backup is given. */
import type { Contents } from '../../domain/contents.ts';
import type { EntryPlan } from '../../domain/entry-plan.ts';
import type { Toc } from '../../domain/toc.ts';
import type { Clock, Log } from '../../ports.ts';
import type { ClientTools } from '../../postgres/client-tools.ts';
import type { TargetAccess } from '../access.ts';
import type { LocalArchive } from '../local-archive.ts';

/** An empty database that may come and go beside the restored one, of the same encoding and locale. */
export interface ReferencePlace {
  database: string;
  /** Throws when the server does not let us. */
  create(): Promise<void>;
  /** Idempotent. */
  drop(): Promise<void>;
}

export interface RestoredProofParts {
  access: TargetAccess;
  /** That was restored into. */
  database: string;
  /** It was created for this restore: whatever else is in it should not be there. */
  alone: boolean;
  contents: Contents;
  toc: Toc;
  plan: EntryPlan;
  archive: LocalArchive;
  /** Of at least the archive's and the target's major: its pg_dump reads the target, its pg_restore the archive. */
  tools: ClientTools;
  owner: 'keep' | 'drop';
  privileges: 'keep' | 'drop';
  /** Sessions that read tables at once, at least 1; three more are open at times. */
  jobs: number;
  /** Patterns. */
  criticalTables: readonly string[];
  /** Absent where databases must not be created: then what is worded otherwise stays undecided. */
  reference?: ReferencePlace;
  lockTimeoutSeconds: number;
  workDir: string;
  signal: AbortSignal;
  log: Log;
  clock: Clock;
}

/** One state of the restored database, which all sessions read. */
export interface SharedSnapshot {
  id: string;
}
