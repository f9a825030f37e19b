/** The three strategies: what happens in which order, and what is put back when a part of it fails. */

import type { SafetyBackup, WayBack } from '../command.ts';
import { messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type RecoveryTarget, type RecoveryVerdict, recoveryVerdict } from '../domain/recovery.ts';
import type { StrategyPlan } from '../domain/strategy.ts';
import type { RestoreInputs } from '../inputs/types.ts';
import { afterProof } from './after-proof.ts';
import {
  type BringBackParts,
  bringArchive,
  bringRoles,
  type ProvenCopy,
  proveCopy,
  runInto,
  targetOf,
} from './bring-back.ts';
import type { FetchedArchive } from './fetched.ts';
import { openToEverybody, withNewCopy } from './new-copy.ts';
import { type PausedAccess, pauseAccess, readTargetProperties } from './pause-access.ts';
import { type TakeBackup, takeSafetyBackup } from './safety-backup.ts';
import { swapDatabases } from './swap.ts';

export interface CarryOutParts extends BringBackParts {
  inputs: RestoreInputs;
  takeBackup: TakeBackup;
  /** Variables that are one of them are not handed on to the user's command. */
  secrets: readonly string[];
}

export interface CarriedOut {
  copy: ProvenCopy;
  verdict: RecoveryVerdict;
  target: RecoveryTarget;
  safetyBackup?: SafetyBackup;
  wayBack: readonly WayBack[];
  findings: readonly Finding[];
}

/** Restores as planned. Rejects with the first failure; what was made and is of no use is gone then. */
export async function carryOut(parts: CarryOutParts): Promise<CarriedOut> {
  const { settled, context } = parts;
  const fetched = await context.log.group('Fetch and check', () => bringArchive(parts));
  const { create } = settled.strategy;
  if (settled.strategy.strategy === 'new-database' && create !== undefined) return await restoreBeside(parts, fetched);
  return await withTargetSaved(parts, (saved) =>
    create === undefined ? replaceInPlace(parts, fetched, saved) : restoreAndSwap(parts, fetched, saved),
  );
}

/** What stands between the old content and its loss. */
interface Saved {
  paused?: PausedAccess;
  safetyBackup?: SafetyBackup;
  findings: readonly Finding[];
}

/** Others are kept out and the content is backed up before `work`; access is given back after it, whatever it did. */
async function withTargetSaved(parts: CarryOutParts, work: (saved: Saved) => Promise<CarriedOut>): Promise<CarriedOut> {
  const { inputs, context, settled, access, facts, timeline } = parts;
  if (settled.strategy.targetIsEmpty) return await work({ findings: [] });
  let paused: PausedAccess | undefined;
  if (inputs.pauseWrites) {
    paused = await pauseAccess(access, facts, {
      ...context,
      remember: (pauseNote, giveAccessBack) => context.tell({ pauseNote, giveAccessBack }),
    });
    timeline.note(`Others are kept out of ${facts.database.name}`);
  }
  try {
    const safety = inputs.safetyBackup ? await takeSafetyBackup(parts) : undefined;
    if (safety !== undefined) {
      context.tell({ safetyBackup: safety.backup });
      timeline.note(`Safety backup ${safety.backup.id} was taken and proven`);
    }
    const done = await work({
      ...(paused === undefined ? {} : { paused }),
      ...(safety === undefined ? {} : { safetyBackup: safety.backup }),
      findings: [...(paused?.findings ?? []), ...(safety?.findings ?? [])],
    });
    await giveAccessBack(parts, paused);
    return done;
  } catch (error) {
    // What went wrong first is what counts; words and post step know that access is still paused.
    await giveAccessBack(parts, paused).catch((failure: unknown) =>
      context.log.warning(`Access was not given back: ${messageOf(failure)}`),
    );
    throw error;
  }
}

async function giveAccessBack(
  { context, facts, timeline }: BringBackParts,
  paused: PausedAccess | undefined,
): Promise<void> {
  if (paused === undefined) return;
  await paused.resume();
  context.tell({ pauseNote: '', giveAccessBack: [] });
  timeline.note(`Access to ${facts.database.name} is as it was before`);
}

async function restoreBeside(parts: CarryOutParts, fetched: FetchedArchive): Promise<CarriedOut> {
  const { copy, verdict } = await makeCopy(parts, fetched);
  const { database } = parts.settled.strategy;
  if (verdict !== 'failed') await openToEverybody(parts, database);
  return {
    copy,
    verdict,
    target: targetOf(parts),
    wayBack: [{ words: `When nobody needs ${database} any more:`, commands: [dropCommand(database)] }],
    findings: [],
  };
}

/** A new database with the backup in it, and what became of the proof. When a part throws there is none. */
async function makeCopy(
  parts: CarryOutParts,
  fetched: FetchedArchive,
): Promise<{ copy: ProvenCopy; verdict: RecoveryVerdict }> {
  return await withNewCopy(parts, fetched, async (copy) => {
    const verdict = recoveryVerdict(copy.checks);
    if (verdict !== 'failed') await afterProof(parts, parts.settled.strategy.database);
    return { copy, verdict };
  });
}

async function restoreAndSwap(parts: CarryOutParts, fetched: FetchedArchive, saved: Saved): Promise<CarriedOut> {
  const { inputs, context, settled, access, facts, timeline } = parts;
  const { database, former } = settled.strategy;
  const properties = saved.paused?.properties ?? (await readTargetProperties(access, facts));
  const { copy, verdict } = await makeCopy(parts, fetched);
  const safety = saved.safetyBackup === undefined ? {} : { safetyBackup: saved.safetyBackup };
  if (former === undefined || verdict === 'failed' || (verdict === 'partial' && !inputs.acceptPartial)) {
    const words = `Nothing was swapped, because the restored copy is not proven: ${facts.database.name} is the database that it was. The copy is in ${database}; when nobody needs it any more:`;
    const wayBack = [{ words, commands: [dropCommand(database)] }];
    return { copy, verdict, target: targetOf(parts), ...safety, wayBack, findings: saved.findings };
  }
  context.tell({ stage: 'replacing', formerDatabase: former });
  const ports = { clock: context.clock, log: context.log };
  const swapped = await context.log.group('Swap', () =>
    swapDatabases({ access, facts, restored: database, former, properties, ...ports }),
  );
  context.tell({ stage: 'replaced', wayBack: swapped.wayBack, leftOverDatabase: '' });
  timeline.note(`${facts.database.name} is the restored database now; the former one is ${former}`);
  return {
    copy,
    verdict,
    target: { ...targetOf(parts), database: facts.database.name, formerDatabase: former },
    ...safety,
    wayBack: swapped.wayBack,
    findings: [...saved.findings, ...swapped.findings],
  };
}

async function replaceInPlace(parts: CarryOutParts, fetched: FetchedArchive, saved: Saved): Promise<CarriedOut> {
  const { context, settled, timeline } = parts;
  const { database } = settled.strategy;
  const roles = await bringRoles(parts);
  context.tell({ stage: 'replacing' });
  const run = await context.log.group('Replace', () => runInto(parts, fetched, settled.drop?.before ?? []));
  const wayBack = wayBackInPlace(settled.strategy, saved.safetyBackup);
  context.tell({ stage: 'replaced', wayBack });
  timeline.note(`The content of ${database} was replaced`);
  const copy = await context.log.group('Proof', () => proveCopy(parts, fetched, run, roles));
  const verdict = recoveryVerdict(copy.checks);
  if (verdict !== 'failed') await afterProof(parts, database);
  return {
    copy,
    verdict,
    target: targetOf(parts),
    ...(saved.safetyBackup === undefined ? {} : { safetyBackup: saved.safetyBackup }),
    wayBack,
    findings: saved.findings,
  };
}

function wayBackInPlace({ database }: StrategyPlan, safety: SafetyBackup | undefined): WayBack[] {
  if (safety === undefined) return [];
  const words = `What ${database} held before is in the safety backup ${safety.id}, proven and kept for ever: ${safety.uri}. To bring it back: this action with \`backup: ${safety.id}\`, or with stock tools into a new database:`;
  return [{ words, commands: ['NEW_DATABASE=before_the_restore', safety.restoreCommand] }];
}

function dropCommand(database: string): string {
  return `DROP DATABASE "${database.replaceAll('"', '""')}";`;
}
