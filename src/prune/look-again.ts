/** Once more before the first deletion: what the plan rests on, by other means than the listing. */
import { BackupError } from '../domain/errors.ts';
import { lastProvenGone } from '../domain/retention/rails.ts';
import { isGood, type RetentionPlan } from '../domain/retention.ts';
import { OBJECT_NAMES, objectKey } from '../domain/set-layout.ts';
import type { Storage } from '../ports.ts';
import { inParallel } from '../runner/in-parallel.ts';
import { readBytes } from '../storage/write-object.ts';
import { type Holdings, type KnownSet, LANES } from './look.ts';
import type { DoomedSet } from './remove-set.ts';

export interface PlannedRemoval {
  series: string;
  holdings: Holdings;
  plan: RetentionPlan<KnownSet>;
}

/**
 * The plan rests on a listing, which may be wrong, and some time has passed since.
 *
 * @param unfinished without a `metadata.json` by the listing; to be cleared away
 * @throws BackupError `ERR_PRUNE_LAST_PROVEN`, `ERR_STORAGE`, or what reading throws
 */
export async function lookAgain(
  { series, holdings, plan }: PlannedRemoval,
  unfinished: readonly DoomedSet[],
): Promise<void> {
  const { storage } = holdings.target;
  const finished = await inParallel(unfinished, LANES, ({ id }) => isFinished(storage, series, id));
  const unlisted = unfinished.find((_, index) => finished[index]);
  if (unlisted !== undefined) throw notListed(storage.location, unlisted.id);
  const newest = plan.keep.find(({ set }) => isGood(set))?.set;
  if (plan.remove.length === 0 || newest === undefined) return;
  const there = await storage.stat(objectKey(series, newest.id, OBJECT_NAMES.manifest));
  if (there === undefined) {
    throw lastProvenGone(
      storage.location,
      `${newest.id}, the newest proven backup, was there a moment ago and is gone`,
    );
  }
}

/** By reading, because it is the listing that is in doubt. */
async function isFinished(storage: Storage, series: string, id: string): Promise<boolean> {
  try {
    await readBytes(storage, objectKey(series, id, OBJECT_NAMES.manifest));
    return true;
  } catch (error) {
    if (error instanceof BackupError && error.code === 'ERR_STORAGE_MISSING') return false;
    throw error;
  }
}

function notListed(location: string, id: string): BackupError {
  const what = `${id} in ${location} has a metadata.json that the listing does not name`;
  return new BackupError('ERR_STORAGE', `${what}, so the listing is not to be relied on and nothing is removed there`, {
    op: 'look at the backups',
    hint: 'Run again. When it happens twice, ask the provider why its listing leaves objects out, and do not prune there until then.',
  });
}
