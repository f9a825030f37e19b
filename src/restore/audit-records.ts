/** Objects in `_audit/`: what a record says a restore is about, and its way to every destination. */
import type { Target } from '../backup/destinations.ts';
import {
  type AuditFinished,
  type AuditPlanned,
  type AuditStarted,
  type AuditSubject,
  serializeAudit,
} from '../domain/audit.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import type { RestoreInputs } from '../inputs/types.ts';
import type { Storage } from '../ports.ts';
import { writeRecord } from '../storage/records.ts';
import type { BringBackParts } from './bring-back.ts';

export interface RestoreParts extends BringBackParts {
  inputs: RestoreInputs;
}

/** Under which series; none for a dump made by other means, unless `name` says which series it belongs to. */
export function auditSeries({ inputs, found }: Pick<RestoreParts, 'inputs' | 'found'>): { series?: string } {
  const series = found.source.series ?? inputs.name;
  return series === undefined ? {} : { series };
}

export function auditSubject({ found, facts, settled, inputs }: RestoreParts): AuditSubject {
  const { kind, id, uri, series, snapshotAt } = found.source;
  const { fingerprint, kind: fingerprintKind } = facts.source;
  return {
    backup: {
      ...{ kind, id, uri },
      ...(series === undefined ? {} : { series }),
      ...(snapshotAt === undefined ? {} : { snapshotAt }),
      ...(found.selected.kind === 'set' ? { source: found.selected.manifest.source } : {}),
    },
    target: {
      source: { fingerprint, fingerprintKind },
      serverVersion: facts.server.version,
      database: settled.strategy.database,
    },
    strategy: inputs.strategy,
  };
}

/** Throws what `Storage.create` and its writer throw; never replaces a record. */
export async function putAudit(
  storage: Storage,
  key: string,
  record: AuditPlanned | AuditStarted | AuditFinished,
): Promise<void> {
  await writeRecord(storage, key, serializeAudit(record));
}

export interface Lost {
  target: Target;
  error: BackupError;
  /** A warning. */
  finding: Finding;
}

/** Side by side; never rejects. @param consequence of a destination that did not take it, one sentence */
export async function writeEverywhere(
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

/** When no destination took it: the first one's error. @param advice one sentence */
export function nowhereWritten(lost: readonly Lost[], advice: string): BackupError {
  const [first, ...others] = lost;
  if (first === undefined) return unexpectedError(new Error('no destination'));
  return new BackupError(
    first.error.code,
    `No destination took the audit record, so nothing was touched. ${first.error.message}`,
    {
      op: 'write the audit record',
      hint: `${first.error.hint} ${advice}`,
      cause: others.length === 0 ? first.error.cause : new AggregateError(others.map(({ error }) => error)),
    },
  );
}
