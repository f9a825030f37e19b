/**
 * `_audit/<time>_<random>.started.json` and `.finished.json`: who brought which backup back, into what, when and why; and
 * `.planned.json`, by which a dry run asks for a second person. Plain, without secrets and without a name from inside a
 * database. Format: docs/format.md, docs/audit.schema.json.
 */
import { isSeriesName, parseBackupId, RANDOM_CHARACTERS } from './backup-id.ts';
import type { CheckId, CheckStatus } from './checks.ts';
import { type DocumentKind, parseDocument, serializeDocument } from './document.ts';
import type { ErrorCode } from './errors.ts';
import type { FingerprintKind } from './fingerprint.ts';
import * as json from './json-reader.ts';
import { type ManifestRun, readCheckStatus, readRun, readSeries } from './manifest.ts';
import { fingerprintOfParts, isPlanFingerprint, type PlanMark } from './plan-fingerprint.ts';
import {
  type RecoveryPhase,
  type RecoveryStage,
  type RecoveryVerdict,
  recoveryVerdict,
  type Strategy,
} from './recovery.ts';
import { seriesPrefix } from './set-layout.ts';

export const AUDIT_SCHEMA_VERSION = 1;

/** Who asked for a restore, when, and why. */
export interface Occasion {
  /** ISO 8601 UTC, by the runner's clock. */
  startedAt: string;
  /** The GitHub account that started the workflow; outside of one the account on the machine. */
  actor: string;
  /** The account that started this attempt of the run, where the runner says: not `actor`, where somebody else did. */
  triggeringActor?: string;
  /** `null` outside GitHub Actions. */
  run: ManifestRun | null;
  /** As it was given; absent where none was. */
  reason?: string;
  action: { version: string };
}

/** What a restore is about. */
export interface AuditSubject {
  backup: {
    kind: 'set' | 'foreign';
    id: string;
    uri: string;
    /** Absent for a dump made by other means. */
    series?: string;
    snapshotAt?: string;
    /** Of the database that was backed up: `Manifest.source`. */
    source?: AuditFingerprint;
  };
  target: {
    /** Of the database that the target names, as a backup of it would carry it. */
    source: AuditFingerprint;
    serverVersion: string;
    /** The database that the backup goes into. */
    database: string;
  };
  strategy: Strategy;
}

interface AuditRecord extends Occasion, AuditSubject {
  schemaVersion: number;
  command: 'restore';
}

/** Written by the dry run of a restore that needs a second person: what `confirmedPlan` looks for. */
export interface AuditPlanned extends AuditRecord, PlanMark {}

/** Written before anything is touched. */
export interface AuditStarted extends AuditRecord {
  /** The plan that a second person confirmed by starting this restore; absent where none was asked for. */
  confirmedPlan?: {
    fingerprint: string;
    /** Of its record. */
    uri: string;
    /** When its dry run began. */
    plannedAt: string;
    /** Who made it. */
    actor: string;
    triggeringActor?: string;
  };
}

/** All of {@link AuditStarted} and how it ended, so that it can be read alone. */
export interface AuditFinished extends AuditStarted {
  finishedAt: string;
  /** `restored` came to its end, whatever the verdict; `failed` did not. */
  outcome: 'restored' | 'failed';
  /** Of `restored`. */
  verdict?: RecoveryVerdict;
  /** What was checked until then. */
  checks: { id: CheckId; status: CheckStatus; reason: string }[];
  /** Of `swap`: the name under which the former database is kept. */
  formerDatabase?: string;
  safetyBackup?: { id: string; uri: string };
  timings: { totalSeconds: number; criticalTablesSeconds?: number; phases: RecoveryPhase[] };
  /** Of `failed`. The error's own message may name tables, so it is not here: it is in the run's log and report. */
  failure?: { code: ErrorCode; stage: RecoveryStage; words: string };
}

export interface AuditFingerprint {
  fingerprint: string;
  fingerprintKind: FingerprintKind;
}

export type AuditPart = 'planned' | 'started' | 'finished';

/** Throws `ERR_MANIFEST`; a newer `schemaVersion` is refused by name. Fields that this version does not know are dropped. */
export function parseAudit(part: 'planned', text: string): AuditPlanned;
export function parseAudit(part: 'started', text: string): AuditStarted;
export function parseAudit(part: 'finished', text: string): AuditFinished;
export function parseAudit(part: AuditPart, text: string): AuditPlanned | AuditStarted {
  if (part === 'planned') return parseDocument(PLANNED, text);
  return parseDocument(part === 'started' ? STARTED : FINISHED, text);
}

/** Fields in a fixed order. Throws `ERR_MANIFEST` for what {@link parseAudit} would refuse. */
export function serializeAudit(record: AuditPlanned | AuditStarted | AuditFinished): string {
  if ('parts' in record) return serializeDocument(PLANNED, record);
  return 'outcome' in record ? serializeDocument(FINISHED, record) : serializeDocument(STARTED, record);
}

/** What belongs to no series goes into the destination's own `_audit/`; no series can be called that. */
export function auditPrefix(series: string | undefined): string {
  return `${series === undefined ? '' : seriesPrefix(series)}_audit/`;
}

/**
 * Where the records of one restore lie: `shop/_audit/20261121_031500_k3v9qa.started.json`.
 *
 * @param random six characters, see `randomSuffix`
 */
export function auditKey(series: string | undefined, at: Date, random: string, part: AuditPart): string {
  const time = at
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .replace('T', '_');
  return `${auditPrefix(series)}${time}_${random}.${part}.json`;
}

/** `undefined` for whatever {@link auditKey} does not give. */
export function parseAuditKey(key: string): { series?: string; at: Date; random: string; part: AuditPart } | undefined {
  const match = AUDIT_KEY.exec(key);
  if (match === null) return undefined;
  const [, series, time = '', random = '', part] = match;
  // The id of a set has the same time in the same place, and a real date alone is one.
  const at = parseBackupId(`${time}_x_${random}`)?.at;
  if (at === undefined || (series !== undefined && !isSeriesName(series))) return undefined;
  return { ...(series === undefined ? {} : { series }), at, random, part: part as AuditPart };
}

const AUDIT_KEY = new RegExp(
  `^(?:([^/]+)/)?_audit/(\\d{8}_\\d{6})_([0-9a-hjkmnp-tv-z]{${RANDOM_CHARACTERS}})\\.(planned|started|finished)\\.json$`,
);

const readFingerprint = json.object<AuditFingerprint>({
  fingerprint: json.sha256Hex,
  fingerprintKind: json.oneOf('system', 'address'),
});

/** Of every record in `_audit/`, in the order in which its fields are written. */
export const OCCASION_SHAPE: json.Shape<Occasion> = {
  startedAt: json.utcTime,
  actor: json.text,
  triggeringActor: json.optional(json.text),
  reason: json.optional(json.text),
  run: json.nullable(readRun),
  action: json.object({ version: json.text }),
};

const RECORD_SHAPE: json.Shape<AuditRecord> = {
  schemaVersion: json.count,
  command: json.oneOf('restore'),
  ...OCCASION_SHAPE,
  backup: json.object<AuditRecord['backup']>({
    kind: json.oneOf('set', 'foreign'),
    id: json.text,
    uri: json.text,
    series: json.optional(readSeries),
    snapshotAt: json.optional(json.utcTime),
    source: json.optional(readFingerprint),
  }),
  target: json.object<AuditRecord['target']>({
    source: readFingerprint,
    serverVersion: json.text,
    database: json.text,
  }),
  strategy: json.oneOf('new-database', 'swap', 'in-place'),
};

const readPlanDigest: json.Reader<string> = (value, path) => {
  const text = json.text(value, path);
  if (isPlanFingerprint(text)) return text;
  throw new json.ShapeError(`${path} is not a fingerprint of 12 hexadecimal digits`);
};

const readPlannedFields = json.object<AuditPlanned>({
  ...RECORD_SHAPE,
  fingerprint: readPlanDigest,
  parts: json.object<PlanMark['parts']>({
    backup: readPlanDigest,
    target: readPlanDigest,
    inputs: readPlanDigest,
    entries: readPlanDigest,
    drops: readPlanDigest,
  }),
});

const STARTED_SHAPE: json.Shape<AuditStarted> = {
  ...RECORD_SHAPE,
  confirmedPlan: json.optional(
    json.object<NonNullable<AuditStarted['confirmedPlan']>>({
      fingerprint: readPlanDigest,
      uri: json.text,
      plannedAt: json.utcTime,
      actor: json.text,
      triggeringActor: json.optional(json.text),
    }),
  ),
};

const readFinishedFields = json.object<AuditFinished>({
  ...STARTED_SHAPE,
  finishedAt: json.utcTime,
  outcome: json.oneOf('restored', 'failed'),
  verdict: json.optional(json.oneOf<RecoveryVerdict>('passed', 'partial', 'failed')),
  checks: json.list(json.object({ id: json.anyWord<CheckId>(), status: readCheckStatus, reason: json.text })),
  formerDatabase: json.optional(json.text),
  safetyBackup: json.optional(json.object({ id: json.text, uri: json.text })),
  timings: json.object<AuditFinished['timings']>({
    totalSeconds: json.amount,
    criticalTablesSeconds: json.optional(json.amount),
    phases: json.list(json.object({ phase: json.text, seconds: json.amount })),
  }),
  failure: json.optional(
    json.object({
      code: json.matching(/^ERR_[A-Z_]+$/, 'the code of an error') as json.Reader<ErrorCode>,
      stage: json.oneOf<RecoveryStage>('looking', 'restoring', 'replacing', 'replaced'),
      words: json.text,
    }),
  ),
});

const PLANNED: DocumentKind<AuditPlanned> = {
  name: 'an audit record',
  version: AUDIT_SCHEMA_VERSION,
  read: truthful(readPlannedFields, ({ fingerprint, parts }) =>
    fingerprint === fingerprintOfParts(parts) ? undefined : 'fingerprint is not that of its parts',
  ),
};

const STARTED: DocumentKind<AuditStarted> = {
  name: 'an audit record',
  version: AUDIT_SCHEMA_VERSION,
  read: truthful(json.object(STARTED_SHAPE), () => undefined),
};

const FINISHED: DocumentKind<AuditFinished> = {
  name: 'an audit record',
  version: AUDIT_SCHEMA_VERSION,
  read: truthful(readFinishedFields, contradictionIn),
};

/** Refuses what no honest writer says. */
function truthful<T extends AuditRecord>(
  read: json.Reader<T>,
  contradiction: (record: T) => string | undefined,
): json.Reader<T> {
  return (value, path) => {
    const record = read(value, path);
    const found = contradictionInBackup(record) ?? contradiction(record);
    if (found !== undefined) throw new json.ShapeError(found);
    return record;
  };
}

function contradictionInBackup({ backup: { kind, id, series } }: AuditSubject): string | undefined {
  if (kind === 'foreign') return undefined;
  if (series === undefined) return 'backup.series is missing';
  return parseBackupId(id) === undefined ? 'backup.id is not the id of a set' : undefined;
}

/** In words. */
function contradictionIn({ outcome, verdict, checks, failure }: AuditFinished): string | undefined {
  if (outcome === 'failed') {
    if (failure === undefined) return 'outcome is failed, but failure is missing';
    return verdict === undefined ? undefined : 'outcome is failed, and yet there is a verdict';
  }
  if (failure !== undefined) return 'outcome is restored, and yet there is a failure';
  const byChecks = recoveryVerdict(checks.map((check) => ({ ...check, details: [] })));
  return verdict === byChecks ? undefined : `verdict is ${verdict}, but the checks say ${byChecks}`;
}
