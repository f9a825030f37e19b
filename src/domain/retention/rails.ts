/** What stops a plan before anything is deleted. */
import { BackupError } from '../errors.ts';
import { isGood, type RetentionPlan } from '../retention.ts';
import { formatAge, shareOf } from '../words.ts';

export interface Rails {
  /** More than this share of the finished sets is never removed in one run. */
  maxPrunePercent: number;
}

/** @throws BackupError `ERR_PRUNE_TOO_MUCH` or `ERR_PRUNE_LAST_PROVEN` */
export function holdToRails({ keep, remove }: RetentionPlan, { maxPrunePercent }: Rails, location: string): void {
  const all = keep.length + remove.length;
  // The planner keeps it by itself. This looks at what it gave, so that no mistake there can cost the last one.
  if (remove.some(({ set }) => isGood(set)) && !keep.some(({ set }) => isGood(set))) {
    throw lastProvenGone(location, 'the plan would remove the last proven backup');
  }
  if (remove.length * 100 <= all * maxPrunePercent) return;
  const percent = Math.ceil((remove.length / all) * 100);
  throw new BackupError(
    'ERR_PRUNE_TOO_MUCH',
    `In ${location} the policy would remove ${shareOf(remove.length, all, 'backup')}, which is ${percent} %; max-prune-percent allows ${maxPrunePercent}`,
    {
      op: 'plan what to remove',
      hint: `Read the plan: it stands above and in the job summary. If it is what you want, as with the first prune of an old series, set \`max-prune-percent: ${percent}\` for one run.`,
    },
  );
}

/** Also for one that was there when the plan was made, and is not any more. */
export function lastProvenGone(location: string, why: string): BackupError {
  return new BackupError('ERR_PRUNE_LAST_PROVEN', `Nothing is removed from ${location}: ${why}`, {
    op: 'plan what to remove',
    hint: 'Look at the series there, and find out what changes or deletes objects in it. Take a proven backup before anything is pruned again.',
  });
}

/** A clock that is ahead by less harms no policy; the rest is the time that a request takes. */
const MOST_AHEAD_MS = 60 * 60_000;

/**
 * A runner whose clock is ahead takes young backups for old ones. One that is behind only keeps more.
 *
 * @param written when the storage says that it took what was just written
 * @throws BackupError `ERR_PRUNE_CLOCK`
 */
export function holdToStorageClock(now: Date, written: Date, location: string): void {
  const aheadMs = now.getTime() - written.getTime();
  if (aheadMs <= MOST_AHEAD_MS) return;
  throw new BackupError(
    'ERR_PRUNE_CLOCK',
    `The clock of this runner is ${formatAge(aheadMs / 1000)} ahead of that of ${location}, so backups look older than they are`,
    { op: 'compare clocks', hint: 'Set the clock of the runner (NTP), then run it again.' },
  );
}
