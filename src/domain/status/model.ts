/**
 * What `command: status` knows of a storage: made by the pure judgement from listings and manifests, read by the job
 * summary, the dashboard, the outputs and the alarm. No name from inside a database stands in it.
 */
import type { HealthVerdict } from '../check/model.ts';
import type { RecoveryVerdict } from '../recovery.ts';
import type { RetentionSet } from '../retention/set.ts';

/** Ascending. `critical`: the team may not be able to recover today. */
export const LEVELS = ['info', 'warning', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

/** From which level on a run is red. */
export const FAIL_ON = ['critical', 'warning', 'never'] as const;
export type FailOn = (typeof FAIL_ON)[number];

export interface StatusFinding {
  /** Stable, kebab-case: `backup-too-old`. */
  code: string;
  level: Level;
  /** Absent for what is about the storage as a whole. */
  series?: string;
  /** What was seen, one sentence. */
  seen: string;
  /** What to do, in the imperative; empty for plain information. */
  action: string;
}

/**
 * One finished backup, as its manifest at the first destination that holds it whole says. It is `unproven` too when no
 * destination holds all its objects.
 */
export interface BackupPoint extends RetentionSet {
  /** How long taking it took. */
  seconds: number;
  plainBytes: number;
  storedBytes: number;
  rows: number;
  tables: number;
  /** `Storage.location` of each destination that holds it whole. */
  locations: readonly string[];
}

export interface DrillPoint {
  at: Date;
  backupId: string;
  verdict: RecoveryVerdict;
  /** RTO as measured; absent when the drill never came to its proof. */
  recoverySeconds?: number;
}

/** Of health checks of the last 30 days. */
export interface HealthHistory {
  last: {
    at: Date;
    verdict: HealthVerdict;
    /** Codes of what made it fail. */
    failed: readonly string[];
  };
  checks: number;
  failed: number;
  /** In how many the server answered. */
  reached: number;
}

/** `missed`: a run was expected, and nothing is there. `none`: none was. `unproven`: what is there is not proven. */
export type DayState = 'proven' | 'unproven' | 'missed' | 'none';

/** One calendar day in UTC. */
export interface StatusDay {
  /** `2026-11-21`. */
  day: string;
  state: DayState;
  backups: number;
  /** The last verdict of a drill on that day. */
  drill?: RecoveryVerdict;
  /** The worst verdict of a health check on that day. */
  check?: HealthVerdict;
}

export interface SeriesStatus {
  name: string;
  /** The worst of its findings. */
  level: Level;
  newestProven?: BackupPoint;
  newestRestored?: BackupPoint;
  lastDrill?: DrillPoint;
  /** Drills that passed, of those of the last year; absent without one. */
  drillSuccessPercent?: number;
  /** Time between two scheduled backups, as given or seen; absent while too few are there. */
  cadenceHours?: number;
  /** Absent when no health check of the last 30 days is known. */
  health?: HealthHistory;
  /** The last 30 calendar days, oldest first, today included. */
  days: readonly StatusDay[];
  /** Oldest first. */
  backups: readonly BackupPoint[];
  /** Oldest first. */
  drills: readonly DrillPoint[];
  /** Worst first. */
  findings: readonly StatusFinding[];
  /** At all destinations together. */
  storedBytes: number;
}

export interface DestinationStatus {
  /** `Storage.location`. */
  location: string;
  /** Absent when it could not be listed. */
  storedBytes?: number;
  sets?: number;
  /** Why it could not be read. */
  error?: string;
}

export interface StatusReport {
  now: Date;
  /** The worst of all findings. */
  level: Level;
  /** By name. */
  series: readonly SeriesStatus[];
  /** In the order of `storage`. */
  destinations: readonly DestinationStatus[];
  /** All of them, worst first. */
  findings: readonly StatusFinding[];
  /** Of the fullest destination. */
  storage: {
    bytes: number;
    /** `storage-budget-gb`, in bytes. */
    budgetBytes?: number;
    /** At the growth of the last weeks; negative when it shrinks, absent while that cannot be told. */
    bytesPerDay?: number;
    /** Days until the budget is full; absent without a budget or growth. */
    fullInDays?: number;
  };
  /** With `verify-stored-days`: what was read again today. */
  verified?: { sets: number; bytes: number; damaged: readonly string[] };
}
