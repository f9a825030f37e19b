/** Prunes one series at every destination: look, plan, hold the plan to its rails, carry it out. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import type { Occasion } from '../domain/audit.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { describePolicy } from '../domain/retention/policy.ts';
import { holdToRails } from '../domain/retention/rails.ts';
import type { PrunedDestination, PruneResult } from '../domain/retention/result.ts';
import { isGood, planRetention, type RetentionPlan } from '../domain/retention.ts';
import { setFolder } from '../domain/set-layout.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import type { RetentionInputs } from '../inputs/types.ts';
import { planLines } from '../report/prune-plan.ts';
import { type CarryOutParts, carryOut, leftoversOf } from './carry-out.ts';
import { type Holdings, type KnownSet, lookAt } from './look.ts';

export interface PruneParts {
  series: string;
  retention: RetentionInputs;
  dryRun: boolean;
  /** The lines of `storage`, opened; at least one. */
  targets: readonly Target[];
  occasion: Occasion;
  context: CommandContext;
  openForTheEnd: CarryOutParts['openForTheEnd'];
}

/** What one destination holds and what of it is to go; or why that cannot be said. */
interface Planned {
  target: Target;
  holdings?: Holdings;
  plan?: RetentionPlan<KnownSet>;
  error?: BackupError;
}

/**
 * Each destination has its own plan from its own listing, and its own failures, which are in the result. Rejects with
 * `ERR_BACKUP_NOT_FOUND` when none of them holds anything of the series, and when the run ends.
 */
export async function pruneSeries(parts: PruneParts): Promise<PruneResult> {
  const { series, retention, dryRun, targets, context } = parts;
  const policy = describePolicy(retention.policy);
  context.log.info(`Policy: ${policy.join('; ')}`);
  const looked = await lookEverywhere(parts);
  if (looked.every(({ holdings }) => holdings !== undefined && isEmpty(holdings))) throw nothingThere(series, targets);
  const planned = looked.map((each) => plan(each, allRestored(looked), parts));
  const findings: Finding[] = planned.flatMap((each) => findingsOf(each));
  const destinations: PrunedDestination[] = [];
  context.tell(lastGoodOf(planned, series));
  for (const each of planned) {
    await context.log.group(`Plan for ${each.target.storage.location}`, async () => tellPlan(each, parts));
    const done = await settle(each, policy, parts);
    const { findings: more = [], ...destination } = done;
    findings.push(...more);
    destinations.push(destination);
  }
  return { command: 'prune', outcome: 'pruned', dryRun, name: series, policy, destinations, findings };
}

async function lookEverywhere({ targets, series, context }: PruneParts): Promise<Planned[]> {
  const settled = await Promise.allSettled(targets.map((target) => lookAt(target, series, context)));
  context.signal.throwIfAborted();
  return settled.map((outcome, index) => {
    const target = targets[index] as Target;
    if (outcome.status === 'fulfilled') return { target, holdings: outcome.value };
    return { target, error: asBackupError(outcome.reason) };
  });
}

function isEmpty({ inventory }: Holdings): boolean {
  return inventory.finished.length === 0 && inventory.unfinished.length === 0;
}

/** Records of drills lie where the set lay; a set is the same at every destination. */
function allRestored(looked: readonly Planned[]): ReadonlySet<string> {
  const sets = looked.flatMap(({ holdings }) => holdings?.sets ?? []);
  return new Set(sets.filter(({ restored }) => restored).map(({ id }) => id));
}

function plan(looked: Planned, restored: ReadonlySet<string>, { retention, context }: PruneParts): Planned {
  const { target, holdings } = looked;
  if (holdings === undefined) return looked;
  const sets = holdings.sets.map((set) => ({ ...set, restored: restored.has(set.id) }));
  const made = planRetention(sets, retention.policy, context.clock.now());
  try {
    holdToRails(made, retention, target.storage.location);
    return { target, holdings, plan: made };
  } catch (error) {
    return { target, holdings, plan: made, error: asBackupError(error) };
  }
}

function findingsOf({ target, holdings, plan: made }: Planned): Finding[] {
  if (holdings === undefined || made === undefined) return [];
  const { location } = target.storage;
  const future = made.fromTheFuture.map((id): Finding => {
    return {
      code: 'from-the-future',
      severity: 'warning',
      seen: `${id} in ${location} says that it was taken later than now; it is kept, and counts for nothing`,
      action: 'Compare the clocks of this runner and of the database server with the true time.',
    };
  });
  const proven = made.keep.some(({ set }) => isGood(set));
  return [...holdings.findings, ...future, ...(proven || made.keep.length === 0 ? [] : [nothingProven(location)])];
}

function nothingProven(location: string): Finding {
  return {
    code: 'nothing-proven',
    severity: 'warning',
    seen: `No backup of the series in ${location} is proven, so none was removed there`,
    action: 'Find out why backups fail, and take a proven one.',
  };
}

/** For an alarm: of the first destination that has one. */
function lastGoodOf(planned: readonly Planned[], series: string): { lastGood?: GoodBackup } {
  for (const { target, plan: made } of planned) {
    const set = made?.keep.find((decision) => isGood(decision.set))?.set;
    if (set === undefined) continue;
    const uri = target.storage.uri(setFolder(series, set.id));
    return { lastGood: { known: 'found', id: set.id, snapshotAt: set.snapshotAt, uri } };
  }
  return {};
}

function tellPlan({ target, holdings, plan: made, error }: Planned, { context }: PruneParts): void {
  const { log } = context;
  if (holdings !== undefined && made !== undefined) {
    for (const line of planLines(made)) log.info(line);
    const leftovers = leftoversOf(holdings, made, context.clock.now());
    for (const { id } of leftovers.sets)
      log.info(`clear   ${id}: it has no metadata.json, and nobody writes it any more`);
    for (const key of leftovers.records) log.info(`clear   ${key}: a record older than two years`);
  }
  if (error !== undefined) log.info(`STOPPED Nothing is removed from ${target.storage.location}: ${error.message}`);
}

async function settle(
  { target, holdings, plan: made, error }: Planned,
  policy: readonly string[],
  parts: PruneParts,
): Promise<PrunedDestination & { findings?: readonly Finding[] }> {
  const { series, dryRun, context } = parts;
  const { storage } = target;
  const newest = made?.keep.find(({ set }) => isGood(set))?.set;
  const facts = {
    location: storage.location,
    ...(made === undefined ? {} : { plan: made }),
    ...(newest === undefined
      ? {}
      : { newestProven: { id: newest.id, uri: storage.uri(setFolder(series, newest.id)) } }),
  };
  const nothing = { removed: [], left: [], cleared: [], records: 0, auditUris: [] };
  if (holdings === undefined || made === undefined || error !== undefined) {
    return { ...facts, ...nothing, ...(error === undefined ? {} : { error }) };
  }
  if (dryRun) {
    const { sets, records } = leftoversOf(holdings, made, context.clock.now());
    return { ...facts, ...nothing, cleared: sets.map(({ id }) => id), records: records.length };
  }
  const done = await context.log.group(`Remove from ${storage.location}`, () =>
    carryOut({ ...parts, holdings, plan: made, policy }),
  );
  return { ...facts, ...done };
}

function nothingThere(series: string, targets: readonly Target[]): BackupError {
  const places = targets.map(({ storage }) => storage.uri(series)).join(' and ');
  return new BackupError('ERR_BACKUP_NOT_FOUND', `There is no backup in ${places}`, {
    op: 'look at the backups',
    hint: 'Correct `name` or `storage`. A series that has no backup yet cannot be pruned.',
  });
}

function asBackupError(reason: unknown): BackupError {
  return reason instanceof BackupError ? reason : unexpectedError(reason);
}
