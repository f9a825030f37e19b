/** The audit records of one restore, written to every destination: before anything is touched, and at its end. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Target } from '../backup/destinations.ts';
import type { RunNews, SafetyBackup } from '../command.ts';
import {
  AUDIT_SCHEMA_VERSION,
  type AuditFinished,
  type AuditPart,
  type AuditStarted,
  auditKey,
  type Occasion,
} from '../domain/audit.ts';
import { RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import type { Finding } from '../domain/findings.ts';
import { publicCheck } from '../domain/manifest.ts';
import type { Recovery } from '../domain/recovery.ts';
import { secondsSince } from '../domain/time.ts';
import type { RunnerEnvironment } from '../inputs/types.ts';
import type { Clock, Storage } from '../ports.ts';
import { describeFailure } from '../report/failure.ts';
import { recoveryStage } from '../report/recovery-failure.ts';
import { nowhereWritten, putAudit, writeEverywhere } from './audit-records.ts';

export interface AuditParts {
  /** Every destination of `storage`; at least one. */
  targets: readonly Target[];
  /** Absent for a dump made by other means, unless `name` says which series it belongs to. */
  series?: string;
  record: Omit<AuditStarted, 'schemaVersion' | 'command'>;
  clock: Clock;
  /** The run's own: after its abort nothing counts as a destination's fault. */
  signal: AbortSignal;
  /**
   * A storage for the record at the end, which is closed after it. It needs a signal of its own, with a time limit:
   * that of a cancelled run is aborted by then.
   */
  openForTheEnd: (target: Target) => Storage;
}

export type AuditEnd =
  | { recovery: Recovery; safetyBackup?: SafetyBackup | undefined }
  | { error: unknown; news: Partial<RunNews> };

export interface Audit {
  /** Of the first record, where it could be written. */
  readonly uris: readonly string[];
  /** A warning for every destination that did not take the first record. */
  readonly findings: readonly Finding[];
  /** Writes the second record. Never rejects; what could not be written is a warning. */
  finished(end: AuditEnd): Promise<readonly Finding[]>;
}

const WITHOUT_A_RECORD =
  'A restore needs the right to write below `_audit/`; into a new database (`strategy: new-database`) it goes on without.';

/** Who and when, for the record and the report. */
export function occasionOf(
  { run }: Pick<RunnerEnvironment, 'run'>,
  { now, version, reason }: { now: Date; version: string; reason?: string | undefined },
): Occasion {
  return {
    startedAt: now.toISOString(),
    actor: run?.actor ?? accountName(),
    ...(run?.triggeringActor === undefined ? {} : { triggeringActor: run.triggeringActor }),
    ...(reason === undefined ? {} : { reason }),
    run,
    action: { version },
  };
}

/**
 * Writes the first record. One destination of several that fails is a warning. When none takes it, a restore that
 * would replace something is refused with that destination's error; one into a new database goes on with the warnings,
 * because it changes nothing that is there and may be what somebody needs most while the bucket can only be read.
 */
export async function openAudit(parts: AuditParts): Promise<Audit> {
  const { targets, series, signal, clock } = parts;
  const started: AuditStarted = { schemaVersion: AUDIT_SCHEMA_VERSION, command: 'restore', ...parts.record };
  const random = randomSuffix(randomBytes(RANDOM_CHARACTERS));
  const keyOf = (part: AuditPart): string => auditKey(series, new Date(started.startedAt), random, part);
  const { written, lost } = await writeEverywhere(
    targets,
    ({ storage }) => putAudit(storage, keyOf('started'), started),
    'The restore goes on without it there.',
  );
  signal.throwIfAborted();
  if (written.length === 0 && started.strategy !== 'new-database') throw nowhereWritten(lost, WITHOUT_A_RECORD);
  return {
    uris: written.map(({ storage }) => storage.uri(keyOf('started'))),
    findings: lost.map(({ finding }) => finding),
    async finished(end) {
      const finishedAt = clock.now();
      const { lost } = await writeEverywhere(
        targets,
        async (target) => {
          const storage = parts.openForTheEnd(target);
          const record = { ...started, finishedAt: finishedAt.toISOString(), ...endFields(started, end, finishedAt) };
          await putAudit(storage, keyOf('finished'), record).finally(() => storage.close());
        },
        'How this restore ended stands in the log of its run only.',
      );
      return lost.map(({ finding }) => finding);
    },
  };
}

type EndFields = Omit<AuditFinished, keyof AuditStarted | 'finishedAt'>;

function endFields(started: AuditStarted, end: AuditEnd, now: Date): EndFields {
  if ('error' in end) return failureFields(started, end, now);
  const { recovery, safetyBackup } = end;
  const { verdict, checks, target, totalSeconds, criticalTablesSeconds, phases } = recovery;
  return {
    outcome: 'restored',
    verdict,
    checks: checks.map(publicCheck),
    ...(target.formerDatabase === undefined ? {} : { formerDatabase: target.formerDatabase }),
    ...placeOf(safetyBackup),
    timings: {
      totalSeconds,
      ...(criticalTablesSeconds === undefined ? {} : { criticalTablesSeconds }),
      phases: [...phases],
    },
  };
}

function failureFields(
  started: AuditStarted,
  { error, news }: Extract<AuditEnd, { error: unknown }>,
  now: Date,
): EndFields {
  const { code, safety } = describeFailure(error, { ...news, command: 'restore' });
  return {
    outcome: 'failed',
    checks: (news.checks ?? []).map(publicCheck),
    ...(news.formerDatabase === undefined ? {} : { formerDatabase: news.formerDatabase }),
    ...placeOf(news.safetyBackup),
    timings: {
      // Clocks may be set back.
      totalSeconds: secondsSince(started.startedAt, now),
      phases: [...(news.phases ?? [])],
    },
    failure: { code, stage: recoveryStage(news), words: safety },
  };
}

function placeOf(safetyBackup: SafetyBackup | undefined): Pick<AuditFinished, 'safetyBackup'> {
  if (safetyBackup === undefined) return {};
  const { id, uri } = safetyBackup;
  return { safetyBackup: { id, uri } };
}

/** A container may run under a number that no account has. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
