/** The plan of one destination, carried out: record, look once more, delete, record. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import type { Occasion } from '../domain/audit.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { PRUNE_SCHEMA_VERSION, type PruneFinished, type PruneStarted } from '../domain/prune-record.ts';
import { isGivenUp, isNameOfOurs, type ListedSet, oldRecords } from '../domain/retention/inventory.ts';
import { holdToStorageClock } from '../domain/retention/rails.ts';
import type { PrunedDestination } from '../domain/retention/result.ts';
import type { RetentionPlan } from '../domain/retention.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import { countOf, goingOn } from '../domain/words.ts';
import type { Storage } from '../ports.ts';
import { inParallel } from '../runner/in-parallel.ts';
import { isCertainRefusal } from '../storage/certain-refusal.ts';
import { type Holdings, type KnownSet, LANES } from './look.ts';
import { lookAgain } from './look-again.ts';
import { type WrittenStart, writeEnd, writeStart } from './record.ts';
import { type DoomedSet, type Removal, removeSet } from './remove-set.ts';

/** Sets that are removed at once; each has several objects. */
const SETS_AT_ONCE = 4;

export interface CarryOutParts {
  series: string;
  holdings: Holdings;
  plan: RetentionPlan<KnownSet>;
  /** In the words of the inputs. */
  policy: readonly string[];
  occasion: Occasion;
  context: CommandContext;
  /** A storage for the last record, with a signal of its own: that of a cancelled run is aborted by then. */
  openForTheEnd: (target: Target) => Storage;
}

/** What a destination has besides finished sets that is to go. */
export interface Leftovers {
  /** Oldest first. */
  sets: readonly DoomedSet[];
  records: readonly string[];
}

export type Done = Pick<PrunedDestination, 'removed' | 'left' | 'cleared' | 'records' | 'auditUris' | 'error'> & {
  findings: readonly Finding[];
};

/**
 * Unfinished and half-deleted sets, and old records. Records go together with sets alone: deleting them would leave a new
 * record each time, and a role that may not delete them would leave one every night.
 */
export function leftoversOf({ inventory }: Holdings, plan: RetentionPlan, now: Date): Leftovers {
  const given = inventory.unfinished.filter((folder) => isGivenUp(folder, now)).map(ofOurs);
  const sets = given.filter(({ keys }) => keys.length > 0).sort(byId);
  return { sets, records: plan.remove.length + sets.length === 0 ? [] : oldRecords(inventory, now) };
}

function ofOurs({ id, objects }: ListedSet): DoomedSet {
  return { id, keys: [...objects].filter(([name]) => isNameOfOurs(name)).map(([, { key }]) => key) };
}

function byId(one: DoomedSet, other: DoomedSet): number {
  return one.id < other.id ? -1 : 1;
}

/**
 * Deletes what the plan removes, the oldest first. Whatever goes wrong is in the result, but for a run that ends, which
 * rejects after its record was written.
 */
export async function carryOut(parts: CarryOutParts): Promise<Done> {
  const { context, holdings, plan, openForTheEnd } = parts;
  const { storage } = holdings.target;
  const leftovers = leftoversOf(holdings, plan, context.clock.now());
  const done: Removal[] = [];
  if (plan.remove.length + leftovers.sets.length === 0) return summed(parts, done, {});
  let start: WrittenStart | undefined;
  let error: BackupError | undefined;
  let records: Awaited<ReturnType<typeof removeRecords>> = { records: 0, findings: [] };
  try {
    await lookAgain(parts, leftovers.sets);
    start = await writeStart(storage, startedRecord(parts, leftovers));
    holdToStorageClock(context.clock.now(), start.writtenAt, storage.location);
    context.tell({ stage: 'pruning' });
    await removeSets(parts, plan.remove.map(({ set }) => set).reverse(), done);
    // By the storage's own clock as well: somebody may be writing them.
    const { writtenAt } = start;
    const surely = new Set(leftoversOf(holdings, plan, writtenAt).sets.map(({ id }) => id));
    await removeSets(
      parts,
      leftovers.sets.filter(({ id }) => surely.has(id)),
      done,
    );
    if (!done.some(isRefusal)) records = await removeRecords(storage, leftovers.records);
  } catch (thrown) {
    error = thrown instanceof BackupError ? thrown : unexpectedError(thrown);
  }
  const failure = error ?? failureOf(done, storage.location);
  const result = summed(parts, done, {
    records: records.records,
    ...(failure === undefined ? {} : { error: failure }),
  });
  const ended = start === undefined ? undefined : await end(start, result, parts, openForTheEnd(holdings.target));
  context.signal.throwIfAborted();
  const findings = [
    ...result.findings,
    ...records.findings,
    ...(ended?.findings ?? []),
    ...(await versionsStay(storage, result.removed)),
  ];
  return { ...result, findings, auditUris: [...(start === undefined ? [] : [start.uri]), ...(ended?.uris ?? [])] };
}

/** Stops at the first refusal, which all others would get as well. */
async function removeSets(
  { holdings, context }: CarryOutParts,
  sets: readonly DoomedSet[],
  done: Removal[],
): Promise<void> {
  const { storage } = holdings.target;
  await inParallel(sets, SETS_AT_ONCE, async (set) => {
    if (done.some(isRefusal)) return;
    const removal = await removeSet(storage, set, context.signal);
    done.push(removal);
    context.log.info(describeRemoval(removal));
  });
}

function isRefusal(removal: Removal): boolean {
  return removal.kind === 'failed' && isCertainRefusal(removal.error);
}

function describeRemoval(removal: Removal): string {
  if (removal.kind === 'removed') return `removed ${removal.id}`;
  return `${removal.kind === 'held' ? 'left' : 'FAILED'} ${removal.id}: ${whyLeft(removal)}`;
}

function whyLeft(removal: Exclude<Removal, { kind: 'removed' }>): string {
  if (removal.kind === 'held') return removal.why;
  const state = removal.half
    ? 'its metadata.json is gone, so it is no backup any more; a later prune removes the rest'
    : isRefusal(removal)
      ? 'it is untouched'
      : 'it is whole unless the answer was lost on the way';
  return `${goingOn(removal.error.message)}; ${state}`;
}

/** A role that may not delete records is a good role: nobody covers the traces of a deletion with it. */
async function removeRecords(
  storage: Storage,
  keys: readonly string[],
): Promise<{ records: number; findings: Finding[] }> {
  let records = 0;
  let denied = 0;
  await inParallel(keys, LANES, async (key) => {
    try {
      if ((await storage.heldBy(key)) !== undefined) return;
      await storage.delete(key);
      records += 1;
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
      denied += 1;
    }
  });
  if (denied === 0) return { records, findings: [] };
  const seen = `${countOf(denied, 'record')} older than two years ${denied === 1 ? 'stays' : 'stay'} in ${storage.location}, because ${denied === 1 ? 'it' : 'they'} may not be deleted`;
  const action =
    'Nothing: a few KiB. Grant s3:DeleteObject below `_audit/`, `_drills/` and `_checks/` if they should go.';
  return { records, findings: [{ code: 'records-stay', severity: 'notice', seen, action }] };
}

function failureOf(done: readonly Removal[], location: string): BackupError | undefined {
  const failed = done.filter((removal) => removal.kind === 'failed');
  const [first] = failed;
  if (first === undefined) return undefined;
  const { code, hint, op, message, cause } = first.error;
  return new BackupError(
    code,
    `${countOf(failed.length, 'backup')} could not be removed from ${location}: ${message}`,
    {
      ...{ op, hint },
      cause,
    },
  );
}

function summed(
  { plan, holdings }: CarryOutParts,
  done: readonly Removal[],
  { records = 0, error }: { records?: number; error?: BackupError },
): Done {
  const finished = new Set(plan.remove.map(({ set }) => set.id));
  const removed = done.flatMap((removal) => (removal.kind === 'removed' ? [removal.id] : []));
  const left = done.flatMap((removal) =>
    removal.kind === 'removed' ? [] : [{ id: removal.id, why: whyLeft(removal) }],
  );
  const held = done.filter(({ kind }) => kind === 'held').length;
  return {
    removed: removed.filter((id) => finished.has(id)),
    cleared: removed.filter((id) => !finished.has(id)),
    left,
    records,
    auditUris: [],
    findings: held === 0 ? [] : [heldFinding(held, holdings.target.storage.location)],
    ...(error === undefined ? {} : { error }),
  };
}

function heldFinding(count: number, location: string): Finding {
  return {
    code: 'set-held',
    severity: 'notice',
    seen: `${countOf(count, 'backup')} in ${location} stayed, because Object Lock or a legal hold is on ${count === 1 ? 'it' : 'them'}`,
    action: 'Nothing: a later prune removes them when their time is over.',
  };
}

function startedRecord({ series, plan, policy, occasion }: CarryOutParts, leftovers: Leftovers): PruneStarted {
  return {
    schemaVersion: PRUNE_SCHEMA_VERSION,
    command: 'prune',
    ...occasion,
    series,
    policy: [...policy],
    kept: plan.keep.length,
    removing: plan.remove.map(({ set: { id, snapshotAt, verdict }, reasons }) => {
      return { id, snapshotAt, verdict, reasons: [...reasons] };
    }),
    clearing: leftovers.sets.map(({ id }) => id),
    records: [...leftovers.records],
  };
}

/** Never rejects: what is deleted is deleted, and a warning says that its end is not recorded. */
async function end(
  start: WrittenStart,
  { removed, cleared, left, error }: Done,
  { context, holdings }: CarryOutParts,
  storage: Storage,
): Promise<{ uris: string[]; findings: Finding[] }> {
  const record: PruneFinished = {
    ...start.record,
    finishedAt: context.clock.now().toISOString(),
    outcome: error === undefined ? 'pruned' : 'failed',
    removed: [...removed, ...cleared],
    left: [...left],
    ...(error === undefined ? {} : { failure: { code: error.code, words: error.message } }),
  };
  try {
    return { uris: [await writeEnd(storage, start, record)], findings: [] };
  } catch (thrown) {
    const seen = `How this prune of ${holdings.target.storage.location} ended could not be recorded: ${messageOf(thrown)}`;
    const action = `What it was about to remove stands in ${start.uri}, what it removed in the log of this run.`;
    return { uris: [], findings: [{ code: 'audit-not-written', severity: 'warning', seen, action }] };
  } finally {
    await storage.close();
  }
}

async function versionsStay(storage: Storage, removed: readonly string[]): Promise<Finding[]> {
  if (removed.length === 0) return [];
  const keeps = await storage.keepsVersions().catch(() => undefined);
  if (keeps !== true) return [];
  return [
    {
      code: 'versions-stay',
      severity: 'notice',
      seen: `${storage.location} keeps older versions: what was removed is hidden, and goes on taking room until its versions expire`,
      action:
        'Let a lifecycle rule expire noncurrent versions (NoncurrentVersionExpiration) after as many days as you may need to take a deletion back.',
    },
  ];
}
