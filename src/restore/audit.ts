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
  serializeAudit,
} from '../domain/audit.ts';
import { RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { publicCheck } from '../domain/manifest.ts';
import type { Recovery } from '../domain/recovery.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import type { RunnerEnvironment } from '../inputs/types.ts';
import type { Clock, Storage } from '../ports.ts';
import { describeFailure } from '../report/failure.ts';
import { recoveryStage } from '../report/recovery-failure.ts';
import { writeBytes } from '../storage/write-object.ts';

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

/** Who and when, for the record and the report. */
export function occasionOf(
  { run }: Pick<RunnerEnvironment, 'run'>,
  { now, version, reason }: { now: Date; version: string; reason?: string | undefined },
): Occasion {
  return {
    startedAt: now.toISOString(),
    actor: run?.actor ?? accountName(),
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
    ({ storage }) => put(storage, keyOf('started'), started),
    'The restore goes on without it there.',
  );
  signal.throwIfAborted();
  if (written.length === 0 && started.strategy !== 'new-database') throw nowhere(lost);
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
          await put(storage, keyOf('finished'), record).finally(() => storage.close());
        },
        'How this restore ended stands in the log of its run only.',
      );
      return lost.map(({ finding }) => finding);
    },
  };
}

async function put(storage: Storage, key: string, record: AuditStarted | AuditFinished): Promise<void> {
  await writeBytes(storage, key, Buffer.from(serializeAudit(record)), {
    onlyIfAbsent: true,
    contentType: 'application/json',
  });
}

interface Lost {
  target: Target;
  error: BackupError;
  finding: Finding;
}

/** Side by side; never rejects. */
async function writeEverywhere(
  targets: readonly Target[],
  write: (target: Target) => Promise<void>,
  consequence: string,
): Promise<{ written: Target[]; lost: Lost[] }> {
  const settled = await Promise.allSettled(targets.map(async (target) => await write(target)));
  const written: Target[] = [];
  const lost: Lost[] = [];
  for (const [index, outcome] of settled.entries()) {
    const target = targets[index] as Target;
    if (outcome.status === 'fulfilled') written.push(target);
    else lost.push(lostAt(target, outcome.reason, consequence));
  }
  return { written, lost };
}

function lostAt(target: Target, reason: unknown, consequence: string): Lost {
  const error = reason instanceof BackupError ? reason : unexpectedError(reason);
  const seen = `The audit record could not be written to ${target.storage.location}: ${error.message}`;
  return {
    target,
    error,
    finding: { code: 'audit-not-written', severity: 'warning', seen, action: `${consequence} ${error.hint}` },
  };
}

function nowhere(lost: readonly Lost[]): BackupError {
  const [first, ...others] = lost;
  if (first === undefined) return unexpectedError(new Error('no destination'));
  return new BackupError(
    first.error.code,
    `No destination took the audit record, so nothing was touched. ${first.error.message}`,
    {
      op: 'write the audit record',
      hint: `${first.error.hint} A restore needs the right to write below \`_audit/\`; into a new database (\`strategy: new-database\`) it goes on without.`,
      cause: others.length === 0 ? first.error.cause : new AggregateError(others.map(({ error }) => error)),
    },
  );
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
      totalSeconds: Math.max(0, (now.getTime() - Date.parse(started.startedAt)) / 1000),
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
