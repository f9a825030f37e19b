/**
 * The verdict of one check, kept in `_checks/`: plain, without secrets and without any name from inside the database.
 * Format: docs/format.md, docs/check.schema.json.
 */
import type { Occasion } from '../audit.ts';
import { type DocumentKind, parseDocument, serializeDocument } from '../document.ts';
import type { ErrorCode } from '../errors.ts';
import * as json from '../json-reader.ts';
import { type ManifestRun, readRun, readSeries } from '../manifest.ts';
import { seriesPrefix } from '../set-layout.ts';
import {
  HEALTH_STATUSES,
  HEALTH_VERDICTS,
  type HealthGroup,
  type HealthResult,
  type HealthStatus,
  type HealthVerdict,
  healthVerdict,
} from './model.ts';

export const CHECK_SCHEMA_VERSION = 1;
/** A record is a few KiB. What is larger is none, and is not read. */
export const MAX_CHECK_BYTES = 256 * 1024;

export interface CheckRecord {
  schemaVersion: number;
  /** The series. */
  name: string;
  verdict: HealthVerdict;
  /** A check that could not run counted as failed. */
  strict: boolean;
  /** Why the server could not even be asked; absent when it could. */
  error?: ErrorCode;
  startedAt: string;
  finishedAt: string;
  /** The GitHub account that started the workflow; outside of one the account on the machine. */
  actor: string;
  action: { version: string };
  /** null when it could not be asked. */
  server: { version: string; major: number } | null;
  /** Of the database; absent when it could not be seen. */
  databaseBytes?: number;
  checks: RecordedCheck[];
  /** null outside GitHub Actions. */
  run: ManifestRun | null;
}

/** What of a result may stand in the plain record: `seen` may name tables. */
export interface RecordedCheck {
  code: string;
  group: HealthGroup;
  status: HealthStatus;
  value?: number;
  limit?: number;
}

export interface CheckRecordFacts extends Pick<CheckRecord, 'name' | 'verdict' | 'strict' | 'server'> {
  results: readonly HealthResult[];
  occasion: Pick<Occasion, 'startedAt' | 'actor' | 'run' | 'action'>;
  finishedAt: Date;
  databaseBytes?: number;
  error?: ErrorCode;
}

export function checkRecord(facts: CheckRecordFacts): CheckRecord {
  const { results, occasion, finishedAt, name, verdict, strict, server, databaseBytes, error } = facts;
  const { startedAt, actor, action, run } = occasion;
  return {
    ...{ schemaVersion: CHECK_SCHEMA_VERSION, name, verdict, strict },
    ...(error === undefined ? {} : { error }),
    ...{ startedAt, finishedAt: finishedAt.toISOString(), actor, action, server },
    ...(databaseBytes === undefined ? {} : { databaseBytes }),
    checks: results.map(recorded),
    run,
  };
}

export function recorded({ code, group, status, value, limit }: HealthResult): RecordedCheck {
  return {
    ...{ code, group, status },
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** `shop/_checks/` */
export function checksPrefix(series: string): string {
  return `${seriesPrefix(series)}_checks/`;
}

/** `shop/_checks/20261121_031500_k3v9qa.json`: sorts by time. */
export function checkKey(series: string, at: Date, random: string): string {
  const time = at
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .replace('T', '_');
  return `${checksPrefix(series)}${time}_${random}.json`;
}

/** Throws `ERR_MANIFEST`; a newer `schemaVersion` is refused by name. Fields that this version does not know are dropped. */
export function parseCheckRecord(text: string): CheckRecord {
  return parseDocument(KIND, text);
}

/** Fields in a fixed order. Throws `ERR_MANIFEST` for what {@link parseCheckRecord} would refuse. */
export function serializeCheckRecord(record: CheckRecord): string {
  return serializeDocument(KIND, record);
}

/** Of either sign: a major that is past its end has fewer than no days left. */
const number: json.Reader<number> = (value, path) => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new json.ShapeError(`${path} is not a number`);
};

const readFields = json.object<CheckRecord>({
  schemaVersion: json.count,
  name: readSeries,
  verdict: json.oneOf(...HEALTH_VERDICTS),
  strict: json.flag,
  error: json.optional(json.matching(/^ERR_[A-Z_]+$/, 'a code such as ERR_CONNECT') as json.Reader<ErrorCode>),
  startedAt: json.utcTime,
  finishedAt: json.utcTime,
  actor: json.text,
  action: json.object({ version: json.text }),
  server: json.nullable(json.object({ version: json.text, major: json.count })),
  databaseBytes: json.optional(json.count),
  checks: json.list(
    json.object<RecordedCheck>({
      code: json.anyWord(),
      group: json.anyWord<HealthGroup>(),
      status: json.oneOf<HealthStatus>(...HEALTH_STATUSES),
      value: json.optional(number),
      limit: json.optional(number),
    }),
  ),
  run: json.nullable(readRun),
});

const KIND: DocumentKind<CheckRecord> = {
  name: 'the record of a check',
  version: CHECK_SCHEMA_VERSION,
  read: (value, path) => {
    const record = readFields(value, path);
    const contradiction = contradictionIn(record);
    if (contradiction !== undefined) throw new json.ShapeError(contradiction);
    return record;
  },
};

/** What no honest writer says. A verdict may be worse than its checks, never better. */
function contradictionIn({ verdict, checks, strict, error }: CheckRecord): string | undefined {
  if (error !== undefined && verdict !== 'failed') return `verdict is ${verdict} in spite of ${error}`;
  const deserved = healthVerdict(checks, strict);
  if (HEALTH_VERDICTS.indexOf(verdict) > HEALTH_VERDICTS.indexOf(deserved)) {
    return `verdict is ${verdict}, but the checks say ${deserved}`;
  }
  return undefined;
}
