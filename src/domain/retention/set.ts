/** A backup as retention sees it. */
import type { Verdict } from '../checks.ts';

/** What a plan must know of a finished backup. */
export interface RetentionSet {
  id: string;
  /** Of its snapshot. */
  at: Date;
  label: string;
  verdict: Verdict;
  /** A drill has brought it back. */
  restored: boolean;
  /** The whole database with its rows, not a choice of tables or definitions alone. */
  whole: boolean;
  keepForever: boolean;
}
