/** What failed since the last green, and what failures have left. */
import { DOUBTFUL_DRILL } from '../drill-record.ts';
import { fewKeys } from '../key-words.ts';
import { hoursBetween } from '../time.ts';
import { countOf } from '../words.ts';
import type { UnfinishedSet } from './facts.ts';
import type { SeriesRule } from './finding.ts';
import type { StatusFinding } from './model.ts';
import { newestGood, type SeriesView } from './series-view.ts';

/** The longest that a job on a hosted runner takes: what was written to since may be a backup under way. */
export const UNDER_WAY_HOURS = 6;
const DAY_HOURS = 24;

/** Whether the run that wrote it is over. */
export function hasEnded({ lastWrittenAt }: UnfinishedSet, now: Date): boolean {
  return hoursBetween(lastWrittenAt, now) > UNDER_WAY_HOURS;
}

export const judgeFailures: SeriesRule = (view) => {
  const { name: series, backups, unfinished, now } = view;
  const newest = newestGood(view);
  if (newest === undefined) return [];
  const unproven = backups.filter(({ at, verdict }) => at > newest.at && verdict === 'unproven');
  const broken = unfinished.filter((set) => set.at > newest.at && hasEnded(set, now));
  const count = unproven.length + broken.length;
  if (count === 0) return [];
  const kinds = [
    ...(unproven.length === 0 ? [] : [`${unproven.length} unproven`]),
    ...(broken.length === 0 ? [] : [`${broken.length} broken off`]),
  ];
  return [
    {
      code: 'failed-since-proven',
      level: 'warning',
      series,
      seen: `${countOf(count, 'backup')} of ${series} failed since the newest proven one, ${newest.id}: ${kinds.join(', ')}`,
      action: 'Read the log of the newest run that failed. Restore from the proven one until then.',
    },
  ];
};

export const judgeLeftovers: SeriesRule = (view) => [...leftUnfinished(view), ...unreadable(view), ...unknown(view)];

function leftUnfinished({ name: series, unfinished, now }: SeriesView): StatusFinding[] {
  const old = unfinished.filter(({ lastWrittenAt }) => hoursBetween(lastWrittenAt, now) > DAY_HOURS);
  if (old.length === 0) return [];
  return [
    {
      code: 'unfinished-sets',
      level: 'info',
      series,
      seen: `${countOf(old.length, 'folder')} of ${series} ${old.length === 1 ? 'holds' : 'hold'} no metadata.json for more than a day: runs that broke off`,
      action: '`command: prune` clears them away.',
    },
  ];
}

function unreadable({ name: series, places }: SeriesView): StatusFinding[] {
  const manifests = places.flatMap(({ part }) => part.unreadable);
  return [
    ...manifests.map(
      ({ uri, why, isNewer }): StatusFinding => ({
        code: 'manifest-unreadable',
        level: 'warning',
        series,
        seen: `${uri} counts for nothing, because it cannot be judged: ${why}`,
        action: isNewer
          ? 'Use a newer version of the action for the status.'
          : 'Look at that set: its archive may still be whole, and RESTORE.md says how to restore it by hand.',
      }),
    ),
    ...places
      .flatMap(({ part }) => part.doubtfulDrills)
      .map((seen): StatusFinding => ({ ...DOUBTFUL_DRILL, level: 'warning', series, seen })),
  ];
}

function unknown({ name: series, places }: SeriesView): StatusFinding[] {
  return places.flatMap(({ destination, part }) =>
    part.unknown.length === 0
      ? []
      : [
          {
            code: 'unknown-objects',
            level: 'info' as const,
            series,
            seen: `${countOf(part.unknown.length, 'object')} of ${series} in ${destination.location} did not come from this action: ${fewKeys(part.unknown)}`,
            action: 'Move them elsewhere: the folder of a series is for backups alone.',
          },
        ],
  );
}
