/** What a health check can know of a server: read by `postgres/health/`, judged here. Seconds, bytes and counts are plain numbers. */
import type { AssertionResult } from '../drill-checks.ts';
import type { Finding } from '../findings.ts';
import type { PoolerEvidence } from '../poolers.ts';
import type { QualifiedName } from '../relations.ts';

export interface HealthFacts {
  connect: { waitedSeconds: number; where: string };
  tls: { encrypted: boolean; verify: 'none' | 'ca' | 'full'; local: boolean };
  /** Round trips of the smallest query, in the order in which they were made. */
  latency: { milliseconds: readonly number[] };
  clock: { differenceSeconds: number };
  pooler: PoolerEvidence;
  connections: ConnectionFacts;
  database: { bytes: number };
  growth: { points: readonly GrowthPoint[]; bytes: number };
  tempFiles: { bytes: number };
  slots: readonly SlotFacts[];
  sessions: SessionFacts;
  lockWaits: readonly LockWait[];
  cache: { hits: number; reads: number };
  statements: readonly SlowStatement[];
  replication: readonly ReplicaFacts[];
  ages: readonly DatabaseAge[];
  sequences: SequenceRoom;
  invalidIndexes: readonly string[];
  notValidated: readonly string[];
  autovacuum: { on: boolean; counting: boolean; tablesOff: readonly string[] };
  deadRows: readonly DeadRows[];
  collations: readonly CollationFacts[];
  checksums: { on: boolean; failures: number };
  extensions: readonly InstalledExtension[];
  server: { version: string; major: number; isStandby: boolean };
  prepared: readonly { gid: string; database: string; seconds: number }[];
  unlogged: readonly string[];
  durability: { fsync: boolean; fullPageWrites: boolean };
  tables: { count: number };
  withoutPrimaryKey: readonly string[];
  criticalTables: readonly CriticalFacts[];
  orphans: readonly OrphanFacts[];
  expectedExtensions: readonly ExpectedExtension[];
  schema: { missing: readonly string[]; unexpected: readonly string[]; expected: number };
  rowDrop: RowDropFacts;
  assertions: readonly AssertionResult[];
  readiness: readonly Finding[];
}

export type FactName = keyof HealthFacts;

export interface ConnectionFacts {
  used: number;
  max: number;
  /** Kept back for superusers and roles with pg_use_reserved_connections. */
  reserved: number;
  /** `psql, idle: 3`, the most numerous first. */
  by: readonly string[];
}

/** Of an earlier backup, as its manifest has it. */
export interface GrowthPoint {
  at: Date;
  bytes: number;
}

export interface SlotFacts {
  name: string;
  kind: string;
  active: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`; null for a slot that holds nothing. */
  walStatus: string | null;
  /** WAL that the server keeps for it. */
  bytes: number;
}

export interface Session {
  pid: number;
  /** `app as role`. */
  who: string;
  state: string;
  waiting: boolean;
  /** In this database; others count for the server's load alone. */
  here: boolean;
  /** How long its transaction, its statement and its state have lasted; null without one. */
  transactionSeconds: number | null;
  statementSeconds: number | null;
  stateSeconds: number | null;
}

export interface SessionFacts {
  /** Those that can be seen, without our own. */
  sessions: readonly Session[];
  /** Others whose state the role may not see: in this database, and on the whole server. */
  hiddenHere: number;
  hidden: number;
  /** What would show them. */
  grant: string;
}

export interface LockWait {
  /** `psql as app (pid 4711)`. */
  who: string;
  /** The same of those that it waits for. */
  blockers: readonly string[];
  /** `AccessExclusiveLock on public.orders`. */
  lock: string;
  /** null where the server does not tell this role. */
  seconds: number | null;
}

export interface SlowStatement {
  /** Of pg_stat_statements. */
  id: string;
  /** The beginning of the statement with its values left out; empty for one that may hold more. */
  text: string;
  calls: number;
  meanMilliseconds: number;
}

export interface ReplicaFacts {
  name: string;
  /** null where the role may not see it. */
  seconds: number | null;
}

export interface DatabaseAge {
  name: string;
  transactions: number;
  multixacts: number;
}

export interface SequenceRoom {
  /** Fullest first. */
  sequences: readonly { name: string; column: string | null; percent: number }[];
  /** Those that the role may not read. */
  unreadable: readonly string[];
}

export interface DeadRows {
  name: string;
  live: number;
  dead: number;
  /** Since the last vacuum of either kind; null when there was none. */
  secondsSince: number | null;
}

export interface CollationFacts {
  name: string;
  recorded: string;
  actual: string;
}

export interface InstalledExtension {
  name: string;
  version: string;
  /** What the server would install now; null when it has no files of it any more. */
  available: string | null;
}

export interface CriticalFacts {
  /** As it was written in the input. */
  rule: string;
  tables: readonly CriticalTable[];
}

export interface CriticalTable extends QualifiedName {
  /** At least so many; exact when nothing stopped the count early. */
  rows: number;
  /** Age of the newest row; null when there is none; absent when nobody asked. */
  newestSeconds?: number | null;
  /** Why it could not be counted, or its newest row not be seen; its rows are then 0 when they were not counted. */
  hidden?: string;
  /** What was asked of it cannot be asked: a column that is not there, or holds no time. */
  mistake?: string;
}

export interface OrphanFacts {
  /** `public.orders.customer_id -> public.customers.id`. */
  pair: string;
  /** `declared`: a constraint that is not validated; `given`: by the input; `guessed`: by the names alone. */
  kind: 'declared' | 'given' | 'guessed';
  /** Rows whose parent is missing; counting stops at {@link MOST_ORPHANS}. */
  rows: number;
  /** Why it could not be looked at. */
  hidden?: string;
  /** There is no such pair: a table or column is not there, or they cannot be compared. */
  mistake?: string;
}

export const MOST_ORPHANS = 1000;

export interface ExpectedExtension {
  name: string;
  /** The least version that is wanted. */
  least?: string;
  /** Absent when it is not installed. */
  installed?: string;
}

export interface RowDropFacts {
  /** Of the backup that is compared with. */
  backupId: string;
  backupAt: Date;
  tables: readonly (QualifiedName & { before: number; now: number })[];
}
