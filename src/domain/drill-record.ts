/**
 * The verdict of one drill, kept beside the backup that was brought back: plain, without secrets and without any name
 * from inside the database. Format: docs/format.md, docs/drill.schema.json.
 */
import type { Occasion } from './audit.ts';
import type { Check, CheckId, CheckStatus } from './checks.ts';
import { type DocumentKind, parseDocument, serializeDocument } from './document.ts';
import { secondsToRecover } from './drill-checks.ts';
import type { ErrorCode } from './errors.ts';
import * as json from './json-reader.ts';
import { type ManifestRun, publicCheck, readBackupId, readCheckStatus, readRun, readSeries } from './manifest.ts';
import { type Recovery, type RecoveryVerdict, recoveryVerdict } from './recovery.ts';

export const DRILL_SCHEMA_VERSION = 1;

export interface DrillRecord {
  schemaVersion: number;
  backup: {
    id: string;
    /** The series. */
    name: string;
    /** Time of its snapshot. */
    snapshotAt: string;
  };
  verdict: RecoveryVerdict;
  /** Why it never came to its checks; absent when it did. */
  error?: ErrorCode;
  startedAt: string;
  finishedAt: string;
  /** The GitHub account that started the workflow; outside of one the account on the machine. */
  actor: string;
  action: { version: string };
  /** `own-server`: started for the drill alone. `given`: `target-database-url`. Without a server it is null. */
  target: { kind: DrillTargetKind; server: { version: string; major: number } } | null;
  checks: { id: CheckId; status: CheckStatus; reason: string }[];
  phases: { phase: string; seconds: number }[];
  timings: {
    /** RTO: from the first byte to the proof. */
    recoverySeconds: number;
    /** Wall clock of everything. */
    totalSeconds: number;
    /** Until the critical tables could be read. */
    criticalTablesSeconds?: number;
  };
  /** RPO: age of the data when the drill began. */
  dataAgeSeconds: number;
  totals: { tables: number; rows: number; largeObjects: number };
  /** Whether broken copies were caught: the status of that check, or that it was switched off. */
  alarm: CheckStatus | 'not-asked';
  /** null outside GitHub Actions. */
  run: ManifestRun | null;
}

/** What must be known of many drills at once. */
export type DrillOutcome = Pick<DrillRecord, 'backup' | 'verdict' | 'error' | 'startedAt' | 'timings'>;

export function drillOutcome({ backup, verdict, error, startedAt, timings }: DrillRecord): DrillOutcome {
  return { backup, verdict, startedAt, timings, ...(error === undefined ? {} : { error }) };
}

/** Of what lies where a record should and does not count as one. */
export const DOUBTFUL_DRILL = {
  code: 'drill-record-unreadable',
  action: 'Look who wrote it; only drills should have the right to write there.',
} as const;

export type DrillTargetKind = 'own-server' | 'given';

export interface DrillFacts {
  backup: DrillRecord['backup'];
  occasion: Pick<Occasion, 'startedAt' | 'actor' | 'run' | 'action'>;
  finishedAt: Date;
  targetKind: DrillTargetKind;
}

/** Of a drill that came to its checks. Throws a RangeError for a server's version without a number. */
export function drillRecord(recovery: Recovery, facts: DrillFacts): DrillRecord {
  const { checks, phases, totalSeconds, criticalTablesSeconds, totals, target } = recovery;
  const major = Number.parseInt(target.serverVersion, 10);
  if (Number.isNaN(major)) throw new RangeError(`${JSON.stringify(target.serverVersion)} is not a version`);
  return {
    ...begin(facts),
    verdict: recovery.verdict,
    target: { kind: facts.targetKind, server: { version: target.serverVersion, major } },
    checks: checks.map(publicCheck),
    phases: phases.map(({ phase, seconds }) => ({ phase: phaseWord(phase), seconds })),
    timings: {
      recoverySeconds: secondsToRecover(phases),
      totalSeconds,
      ...(criticalTablesSeconds === undefined ? {} : { criticalTablesSeconds }),
    },
    totals,
    alarm: alarmOf(checks),
  };
}

/** Of a drill that ended with an error before it could be judged: failed. */
export function failedDrillRecord(error: ErrorCode, facts: DrillFacts): DrillRecord {
  const totalSeconds = (facts.finishedAt.getTime() - Date.parse(facts.occasion.startedAt)) / 1000;
  return {
    ...begin(facts),
    verdict: 'failed',
    error,
    target: null,
    checks: [],
    phases: [],
    timings: { recoverySeconds: 0, totalSeconds: Math.max(0, totalSeconds) },
    totals: { tables: 0, rows: 0, largeObjects: 0 },
    alarm: 'not-run',
  };
}

function begin({ backup, occasion, finishedAt }: DrillFacts) {
  const { startedAt, actor, action, run } = occasion;
  const age = (Date.parse(startedAt) - Date.parse(backup.snapshotAt)) / 1000;
  return {
    schemaVersion: DRILL_SCHEMA_VERSION,
    backup,
    startedAt,
    finishedAt: finishedAt.toISOString(),
    actor,
    action,
    dataAgeSeconds: Math.max(0, age),
    run,
  };
}

function alarmOf(checks: readonly Check[]): DrillRecord['alarm'] {
  return checks.find(({ id }) => id === 'alarm')?.status ?? 'not-asked';
}

/** Phases stand in the record as words: `after-restore-command`. */
function phaseWord(phase: string): string {
  return (
    phase
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+/, '') || 'other'
  );
}

/** Throws `ERR_MANIFEST`; a newer `schemaVersion` is refused by name. Fields that this version does not know are dropped. */
export function parseDrillRecord(text: string): DrillRecord {
  return parseDocument(KIND, text);
}

/** Fields in a fixed order. Throws `ERR_MANIFEST` for what {@link parseDrillRecord} would refuse. */
export function serializeDrillRecord(record: DrillRecord): string {
  return serializeDocument(KIND, record);
}

/** Of a drill that never came to its checks: what says something about the backup, and not about the drill. */
const OF_THE_BACKUP: readonly ErrorCode[] = [
  'ERR_BACKUP_DAMAGED',
  'ERR_MANIFEST',
  'ERR_STORED_DIFFERS',
  'ERR_RESTORE_FAILED',
];

/**
 * Backups that a drill has brought back. A drill that failed later takes that away again; one that could not decide, or
 * was ended by something else (a cancellation, a target that was refused, a wrong key), says neither.
 */
export function restoredBackups(records: readonly DrillOutcome[]): ReadonlySet<string> {
  const decided = records
    .filter(({ verdict, error }) => verdict !== 'partial' && (error === undefined || OF_THE_BACKUP.includes(error)))
    .toSorted((left, right) => compare(left.startedAt, right.startedAt));
  const latest = new Map(decided.map(({ backup, verdict }) => [backup.id, verdict]));
  return new Set([...latest].filter(([, verdict]) => verdict === 'passed').map(([id]) => id));
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** One drill among others. */
export interface TrendPoint {
  startedAt: string;
  backupId: string;
  verdict: RecoveryVerdict;
  /** Absent when the drill never came to its proof. */
  recoverySeconds?: number;
}

export function trendPoint({ startedAt, backup, verdict, error, timings }: DrillOutcome): TrendPoint {
  const point = { startedAt, backupId: backup.id, verdict };
  return error === undefined ? { ...point, recoverySeconds: timings.recoverySeconds } : point;
}

const readErrorCode = json.matching(/^ERR_[A-Z_]+$/, 'a code such as ERR_CONNECT') as json.Reader<ErrorCode>;

const readBackup = json.object({ id: readBackupId, name: readSeries, snapshotAt: json.utcTime });
const readVerdict = json.oneOf<RecoveryVerdict>('passed', 'partial', 'failed');
const readTimings = json.object<DrillRecord['timings']>({
  recoverySeconds: json.amount,
  totalSeconds: json.amount,
  criticalTablesSeconds: json.optional(json.amount),
});

const readFields = json.object<DrillRecord>({
  schemaVersion: json.count,
  backup: readBackup,
  verdict: readVerdict,
  error: json.optional(readErrorCode),
  startedAt: json.utcTime,
  finishedAt: json.utcTime,
  actor: json.text,
  action: json.object({ version: json.text }),
  target: json.nullable(
    json.object({
      kind: json.oneOf('own-server', 'given'),
      server: json.object({ version: json.text, major: json.count }),
    }),
  ),
  checks: json.list(json.object({ id: json.anyWord<CheckId>(), status: readCheckStatus, reason: json.text })),
  phases: json.list(json.object({ phase: json.anyWord(), seconds: json.amount })),
  timings: readTimings,
  dataAgeSeconds: json.amount,
  totals: json.object({ tables: json.count, rows: json.count, largeObjects: json.count }),
  alarm: json.oneOf('passed', 'failed', 'partial', 'not-run', 'not-asked'),
  run: json.nullable(readRun),
});

/** Of outcomes that were kept between runs. */
export const readDrillOutcome: json.Reader<DrillOutcome> = json.object<DrillOutcome>({
  backup: readBackup,
  verdict: readVerdict,
  error: json.optional(readErrorCode),
  startedAt: json.utcTime,
  timings: readTimings,
});

const KIND: DocumentKind<DrillRecord> = {
  name: 'the record of a drill',
  version: DRILL_SCHEMA_VERSION,
  read: (value, path) => {
    const record = readFields(value, path);
    const contradiction = contradictionIn(record);
    if (contradiction !== undefined) throw new json.ShapeError(contradiction);
    return record;
  },
};

const WORTH: readonly RecoveryVerdict[] = ['failed', 'partial', 'passed'];

/** What no honest writer says. A verdict may be worse than its checks, never better. */
function contradictionIn({ verdict, checks, error }: DrillRecord): string | undefined {
  const most = recoveryVerdict(checks.map((check) => ({ ...check, details: [] })));
  if (WORTH.indexOf(verdict) > WORTH.indexOf(most)) return `verdict is ${verdict}, but the checks say ${most}`;
  return error !== undefined && verdict !== 'failed' ? `verdict is ${verdict} in spite of ${error}` : undefined;
}
