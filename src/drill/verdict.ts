/** What a drill found, kept: recorded beside the set, and held against earlier drills. */
import { randomBytes } from 'node:crypto';
import type { Target } from '../backup/destinations.ts';
import type { CommandContext, DrillResult } from '../command.ts';
import type { Occasion } from '../domain/audit.ts';
import { RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { type DrillFacts, drillRecord, failedDrillRecord, trendPoint } from '../domain/drill-record.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type Recovery, recoveryVerdict } from '../domain/recovery.ts';
import type { DrillInputs } from '../inputs/types.ts';
import type { Storage } from '../ports.ts';
import { type BringBackParts, type ProvenCopy, targetOf } from '../restore/bring-back.ts';
import type { ChosenBackup, FoundBackup } from '../restore/find.ts';
import { readDrillRecords, type WrittenRecord, writeDrillRecord } from './records.ts';
import { watchBackups } from './watch-backups.ts';

export interface DrillParts extends BringBackParts {
  inputs: DrillInputs;
  occasion: Occasion;
  /** The lines of `storage`, in their order: the records of the first are compared with. */
  targets: readonly Target[];
}

/** The verdict, stored beside the set. Throws `ERR_STORAGE` when no destination took it. */
export async function keepVerdict(parts: DrillParts, copy: ProvenCopy): Promise<DrillResult> {
  const { inputs, context, found, occasion, targets } = parts;
  const recovery = recoveryOf(parts, copy);
  const finishedAt = context.clock.now();
  const facts = drillFacts(parts, finishedAt);
  const { maxRestoreMinutes, reportPath } = inputs;
  const result: DrillResult = {
    ...{ command: 'drill', outcome: 'drilled', recovery, occasion, finishedAt },
    acceptPartial: inputs.acceptPartial,
    recordUris: [],
    ...(maxRestoreMinutes === undefined ? {} : { maxRestoreMinutes }),
    ...(reportPath === undefined ? {} : { reportPath }),
    findings: recovery.findings,
  };
  if (facts === undefined) return result;
  const record = drillRecord(recovery, facts);
  const past = await readDrillRecords((targets[0] as Target).storage, facts.backup.name);
  const silent = await watchBackups(targets[0] as Target, facts.backup.name, context);
  const written = await writeDrillRecord(copiesOf(found), record, randomSuffix(randomBytes(RANDOM_CHARACTERS)));
  return {
    ...result,
    rpoSeconds: record.dataAgeSeconds,
    recordUris: written.uris,
    trend: { now: trendPoint(record), past: past.records.map(trendPoint) },
    findings: [...result.findings, ...past.findings, ...silent, ...mustBeStored(written)],
  };
}

function recoveryOf(parts: DrillParts, copy: ProvenCopy): Recovery {
  const { found, settled, context, occasion } = parts;
  const milliseconds = context.clock.now().getTime() - Date.parse(occasion.startedAt);
  return {
    ...copy,
    source: found.source,
    target: targetOf(parts),
    verdict: recoveryVerdict(copy.checks),
    totalSeconds: Math.max(0, milliseconds / 1000),
    findings: [...settled.findings, ...copy.findings],
  };
}

/** A verdict that nobody can count on later is no verdict. */
function mustBeStored({ uris, findings }: WrittenRecord): readonly Finding[] {
  const [failure] = findings.filter(({ severity }) => severity === 'error');
  if (uris.length > 0 || failure === undefined) return findings;
  throw new BackupError('ERR_STORAGE', `The verdict of the drill could not be stored: ${failure.seen}`, {
    op: 'store the verdict',
    hint: failure.action,
  });
}

function copiesOf({ selected }: FoundBackup): Storage[] {
  return selected.kind === 'foreign' ? [] : selected.copies.map(({ target }) => target.storage);
}

export interface FailedDrill {
  inputs: DrillInputs;
  found: ChosenBackup;
  context: CommandContext;
  occasion: Occasion;
  /** The run's own storages end with it. */
  openForTheEnd: (target: Target) => Storage;
}

/** That the drill of this backup failed, by the code of `reason`. */
export async function keepFailure(reason: unknown, failed: FailedDrill): Promise<void> {
  const { found, context, openForTheEnd } = failed;
  const facts = drillFacts(failed, context.clock.now());
  if (facts === undefined || found.selected.kind === 'foreign') return;
  const code = reason instanceof BackupError ? reason.code : 'ERR_INTERNAL';
  const storages = found.selected.copies.map(({ target }) => openForTheEnd(target));
  try {
    await writeDrillRecord(storages, failedDrillRecord(code, facts), randomSuffix(randomBytes(RANDOM_CHARACTERS)));
  } finally {
    await Promise.all(storages.map((storage) => storage.close()));
  }
}

/** `undefined` for a dump made by other means: there is no set to store a verdict beside. */
function drillFacts(
  { inputs, found, occasion }: { inputs: DrillInputs; found: ChosenBackup; occasion: Occasion },
  finishedAt: Date,
): DrillFacts | undefined {
  const { id, series, snapshotAt } = found.source;
  if (series === undefined || snapshotAt === undefined) return undefined;
  const targetKind = inputs.target === undefined ? 'own-server' : 'given';
  return { backup: { id, name: series, snapshotAt }, occasion, finishedAt, targetKind };
}
