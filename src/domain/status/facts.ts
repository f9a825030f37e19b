/** What a storage was seen to hold: all that a status is judged by. */
import type { CheckOutcome } from '../check/outcome.ts';
import type { DrillOutcome } from '../drill-record.ts';
import type { SetFacts } from '../set-facts.ts';
import type { DestinationOwner } from './owners.ts';

export interface StatusFacts {
  now: Date;
  limits: StatusLimits;
  /** Series that must have a backup, found or not. */
  expectedNames: readonly string[];
  /** In the order of `storage`. */
  destinations: readonly DestinationFacts[];
  /** With `verify-stored-days`. */
  verified?: VerifiedShare;
}

export interface StatusLimits {
  maxAgeHours: number;
  maxDrillAgeDays: number;
  /** Absent: as the backups themselves show. */
  expectedEveryHours?: number;
  budgetBytes?: number;
}

export type DestinationFacts = SeenDestination | UnseenDestination;

/** Nothing may be concluded about it. */
export interface UnseenDestination {
  location: string;
  owner: DestinationOwner;
  error: string;
  /** What to do about it. */
  hint: string;
}

export interface SeenDestination {
  location: string;
  owner: DestinationOwner;
  /** Of all that is listed. */
  storedBytes: number;
  series: readonly SeriesFacts[];
  /** Keys outside of every series that this action did not write. */
  stray: readonly string[];
}

/** A series as one destination holds it. */
export interface SeriesFacts {
  name: string;
  storedBytes: number;
  sets: readonly SeenSet[];
  unfinished: readonly UnfinishedSet[];
  unreadable: readonly { id: string; uri: string; why: string; isNewer: boolean }[];
  drills: readonly DrillOutcome[];
  /** Records of drills that do not count, a sentence each. */
  doubtfulDrills: readonly string[];
  /** Of the last 30 days. */
  checks: readonly CheckOutcome[];
  /** The same of their records. */
  doubtfulChecks: readonly string[];
  /** Keys that this action did not write. */
  unknown: readonly string[];
}

export interface SeenSet {
  facts: SetFacts;
  /** Names of objects that are missing or of another size. */
  damaged: readonly string[];
}

/** A folder without metadata.json. */
export interface UnfinishedSet {
  id: string;
  at: Date;
  /** When something was stored in it last, by the storage's clock. */
  lastWrittenAt: Date;
}

/** What was read again and held against its SHA-256. */
export interface VerifiedShare {
  sets: number;
  bytes: number;
  damage: readonly StoredDamage[];
  /** What could not be read, a sentence each: it was not verified. */
  unread: readonly string[];
  /** Copies that were not due, and of which nobody knows when they were read last. */
  unknown: number;
}

export interface StoredDamage {
  series: string;
  id: string;
  /** Of the object in the set's folder. */
  object: string;
  location: string;
  /** One sentence. */
  how: string;
  /** Locations where the whole set was read and is good. */
  goodIn: readonly string[];
}

export function isSeen(destination: DestinationFacts): destination is SeenDestination {
  return !('error' in destination);
}
