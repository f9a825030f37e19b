/** How grave a failure is. */
import type { GoodBackup } from '../alarm/good-backup.ts';
import type { Level } from '../status/model.ts';

/**
 * A backup that is older makes every failure critical. Not 24: a nightly backup that fails finds its predecessor 24
 * hours and some minutes old, so that one bad night would always be critical; two are. It is also the age at which
 * `command: status` calls a backup too old when nobody says otherwise.
 */
export const GOOD_BACKUP_HOURS = 26;
/** Commands that nobody waits for: a second failure in a row says that the first one was not seen to. */
const ESCALATING: readonly string[] = ['drill'];
const HOUR_MS = 3_600_000;

export interface FailureFacts {
  command: string;
  /** Of a failure that brings its own. */
  level?: Level;
  good: GoodBackup;
  /** Since when it fails without a success, by earlier runs; absent for a first failure. */
  failingSince?: Date;
  now: Date;
}

/** `second-in-a-row`: of a drill. `no-good-backup`: none that is young enough is known, or could be for so long. */
export interface Gravity {
  level: Level;
  why: 'given' | 'second-in-a-row' | 'no-good-backup' | 'usual';
}

/**
 * Critical when the team may not be able to recover today: no proven backup younger than {@link GOOD_BACKUP_HOURS} is
 * known, or a drill fails for the second time in a row. Storage that could not be read says nothing about the backups
 * in it, so that one such failure is a warning; when it lasts as long as a backup may be old, it is critical.
 */
export function gravityOf({ command, level, good, failingSince, now }: FailureFacts): Gravity {
  if (level !== undefined) return { level, why: 'given' };
  if (failingSince !== undefined && ESCALATING.includes(command)) return { level: 'critical', why: 'second-in-a-row' };
  const missing = good.known === 'none' || isOver(goodUntil(good, failingSince), now);
  return missing ? { level: 'critical', why: 'no-good-backup' } : { level: 'warning', why: 'usual' };
}

/** The last moment at which a good backup is known to have existed. */
function goodUntil(good: GoodBackup, failingSince: Date | undefined): Date | undefined {
  return good.known === 'found' ? new Date(good.snapshotAt) : failingSince;
}

function isOver(since: Date | undefined, now: Date): boolean {
  return since !== undefined && now.getTime() - since.getTime() > GOOD_BACKUP_HOURS * HOUR_MS;
}
