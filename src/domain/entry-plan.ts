/** What of an archive is brought back into a target, and what is not, each with its reason. */
import type { Finding } from './findings.ts';
import type { LeftOut } from './recovery.ts';
import type { TocEntry } from './toc.ts';

export interface EntryPlan {
  /** In the order of the archive. */
  restored: readonly TocEntry[];
  /** Everything of the archive is restored: no list is needed. */
  whole: boolean;
  leftOut: readonly LeftOut[];
  /** Names of roles that owners and rights of restored entries need, and that the target lacks. */
  missingRoles: readonly string[];
  /** To be created first, from the set's globals. */
  rolesToCreate: readonly string[];
  /** What is in the way (errors) and what is to be known. */
  findings: readonly Finding[];
}
