/** Whether the destinations agree, and what all of them depend on. */
import { ageOf } from '../time.ts';
import { countOf, listWords } from '../words.ts';
import { type DestinationFacts, isSeen, type VerifiedShare } from './facts.ts';
import type { SeriesRule } from './finding.ts';
import type { BackupPoint, StatusFinding } from './model.ts';
import { sharedBy } from './owners.ts';
import { newestGood, type SeriesView } from './series-view.ts';

const NAMED = 3;

export const judgeCopies: SeriesRule = (view) => [...damaged(view), ...behind(view), ...differing(view)];

/** By the listing: an object that is missing, or of another size. */
function damaged({ name: series, places, backups, facts }: SeriesView): StatusFinding[] {
  return places.flatMap(({ destination, part }) =>
    part.sets
      .filter((set) => set.damaged.length > 0)
      .map(({ facts: { id }, damaged: names }): StatusFinding => {
        const elsewhere = backups.find((point) => point.id === id)?.locations ?? [];
        const lost = elsewhere.length === 0 && facts.get(id)?.verdict === 'proven';
        return {
          code: 'copy-damaged',
          level: lost ? 'critical' : 'warning',
          series,
          seen: `${id} in ${destination.location} is not whole: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} missing or of another size than in metadata.json`,
          action:
            elsewhere.length === 0
              ? `Find out who deletes or changes objects there. No destination holds this backup whole: \`aws s3api list-object-versions\` shows whether an older version is left.`
              : `Copy it again from ${elsewhere.join(' or ')}, and find out who deletes or changes objects there.`,
        };
      }),
  );
}

/** One that lacks the newest proven one. */
function behind(view: SeriesView): StatusFinding[] {
  const newest = newestGood(view);
  if (newest === undefined || view.places.length < 2) return [];
  return view.places
    .filter(({ destination, part }) => lacks(newest, destination.location, part.sets))
    .map(({ destination: { location } }): StatusFinding => {
      const own = view.good.find(({ locations }) => locations.includes(location));
      const newer = own === undefined ? view.good : view.good.filter(({ at }) => at > own.at);
      const state =
        own === undefined ? 'has no proven one at all' : `its newest is ${own.id}, ${ageOf(own.at, newest.at)} older`;
      return {
        code: 'copy-behind',
        level: 'warning',
        series: view.name,
        seen: `${location} lacks the newest ${newer.length === 1 ? 'proven backup' : `${newer.length} proven backups`} of ${view.name}: ${state}`,
        action: `Read why the last runs did not reach it. Until it has the next backup, ${newest.locations.join(' and ')} alone ${newest.locations.length === 1 ? 'holds' : 'hold'} ${newest.id}.`,
      };
    });
}

/** A set that is there and damaged is told as that. */
function lacks({ id, locations }: BackupPoint, location: string, sets: readonly { facts: { id: string } }[]): boolean {
  return !locations.includes(location) && !sets.some(({ facts }) => facts.id === id);
}

/** Older ones in which they differ: each destination is pruned by itself, so that this is no warning. */
function differing({ name: series, places, good }: SeriesView): StatusFinding[] {
  if (places.length < 2) return [];
  return places.flatMap(({ destination: { location }, part }) => {
    const held = good.filter(({ locations }) => locations.includes(location));
    const [newest, oldest] = [held[0], held.at(-1)];
    if (newest === undefined || oldest === undefined) return [];
    const missing = good.filter(({ at, id, ...point }) => {
      return at < newest.at && at > oldest.at && lacks({ at, id, ...point }, location, part.sets);
    });
    if (missing.length === 0) return [];
    const ids = missing.map(({ id }) => id);
    return [
      {
        code: 'copy-missing',
        level: 'info' as const,
        series,
        seen: `${location} lacks ${countOf(missing.length, 'proven backup')} of ${series} that another destination has: ${listWords(ids, { most: NAMED })}`,
        action: 'They failed there when they were taken, or were removed there alone.',
      },
    ];
  });
}

/** About the storage as a whole. */
export function judgeDestinations(destinations: readonly DestinationFacts[]): StatusFinding[] {
  const unseen = destinations.flatMap((destination): StatusFinding[] =>
    isSeen(destination)
      ? []
      : [
          {
            code: 'destination-unreadable',
            level: 'critical',
            seen: `${destination.location} could not be looked at, so nothing is known about it: ${destination.error}`,
            action: destination.hint,
          },
        ],
  );
  const shared = sharedBy(destinations.map(({ owner }) => owner));
  if (shared === undefined) return unseen;
  return [
    ...unseen,
    {
      code: 'copies-share',
      level: 'info',
      seen: `All destinations depend on ${shared}: what takes that away takes all copies`,
      action: 'Keep one copy with another provider, or at least in another account that nobody here can delete from.',
    },
  ];
}

export function judgeVerified({ damage, unread, unknown }: VerifiedShare): StatusFinding[] {
  return [
    ...damage.map(({ series, id, object, location, how, goodIn }): StatusFinding => {
      const good =
        goodIn.length === 0
          ? 'No other destination is known to hold a good copy'
          : `A good copy is in ${goodIn.join(' and ')}`;
      return {
        code: 'stored-damaged',
        level: 'critical',
        series,
        seen: `${object} of ${id} in ${location} is damaged: ${how}. ${good}`,
        action:
          goodIn.length === 0
            ? 'Do not restore from it. Take a backup now, and look with `aws s3api list-object-versions` whether an older version is left.'
            : `Do not restore from it: copy ${id} again from ${goodIn[0]}, and find out what changes objects there.`,
      };
    }),
    ...unread.map(
      (seen): StatusFinding => ({
        code: 'stored-unverified',
        level: 'warning',
        seen,
        action: 'Nothing is known about these bytes. Look at the storage, then run again.',
      }),
    ),
    ...(unknown === 0 ? [] : [notRemembered(unknown)]),
  ];
}

function notRemembered(copies: number): StatusFinding {
  return {
    code: 'stored-reading-unknown',
    level: 'info',
    seen: `The last reading of ${countOf(copies, 'copy of a set', 'copies of sets')} is not known: taken longer than verify-stored-days ago, and no earlier status is remembered that saw ${copies === 1 ? 'it' : 'them'}`,
    action:
      'Nothing to do when this status runs daily, or for the first time. Otherwise run it daily: without a memory only that reads everything.',
  };
}
