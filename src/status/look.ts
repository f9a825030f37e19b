/** What all destinations hold, from their listings, manifests and records of drills: with the rights to list and to read. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import { BackupError } from '../domain/errors.ts';
import {
  isNameOfOurs,
  type ListedObject,
  type ListedSet,
  strangeIn,
  takeStock,
} from '../domain/retention/inventory.ts';
import { seriesPrefix } from '../domain/set-layout.ts';
import { recentChecks } from '../domain/status/check-records.ts';
import type { DestinationFacts, SeenDestination, SeriesFacts, UnfinishedSet } from '../domain/status/facts.ts';
import { seriesIn } from '../domain/status/listing.ts';
import { ownerOf } from '../domain/status/owners.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import { findSets, readFacts, unknownIn } from '../holdings/found-sets.ts';
import { readChecks, readDrills } from '../holdings/outcomes.ts';
import type { Memory } from './memory.ts';

export interface LookParts {
  targets: readonly Target[];
  /** One series alone; all, when absent. */
  series: string | undefined;
  memory: Memory;
  context: CommandContext;
}

/** Throws the first destination's error when none answers: then nothing at all is known. */
export async function lookAtAll(parts: LookParts): Promise<DestinationFacts[]> {
  const { targets, context } = parts;
  const settled = await Promise.allSettled(targets.map((target) => lookAtOne(target, parts)));
  context.signal.throwIfAborted();
  const errors: BackupError[] = [];
  const facts = settled.map((outcome, index): DestinationFacts => {
    if (outcome.status === 'fulfilled') return outcome.value;
    const { destination, storage } = targets[index] as Target;
    const { reason } = outcome;
    const error = reason instanceof BackupError ? reason : unexpectedError(reason);
    errors.push(error);
    return {
      location: storage.location,
      owner: ownerOf(destination),
      error: error.message.replace(/\.$/, ''),
      hint: error.hint,
    };
  });
  const [first] = errors;
  if (first !== undefined && errors.length === targets.length) throw first;
  return facts;
}

async function lookAtOne(target: Target, { series, memory, context }: LookParts): Promise<SeenDestination> {
  const { destination, storage } = target;
  const listed: ListedObject[] = [];
  for await (const { key, sizeBytes, modifiedAt, etag } of storage.list(
    series === undefined ? '' : seriesPrefix(series),
  )) {
    // Of the others nobody asks whether they changed.
    const isRead = key.endsWith('.json') && etag !== undefined && etag !== '';
    listed.push({ key, sizeBytes, modifiedAt, ...(isRead ? { etag } : {}) });
  }
  const found = series === undefined ? seriesIn(listed) : { series: new Map([[series, listed]]), stray: [] };
  const parts: SeriesFacts[] = [];
  const now = context.clock.now();
  for (const [name, objects] of found.series) parts.push(await lookAtSeries(target, { name, objects, memory, now }));
  return {
    location: storage.location,
    owner: ownerOf(destination),
    storedBytes: sizeOf(listed),
    series: parts,
    stray: found.stray,
  };
}

async function lookAtSeries(
  target: Target,
  { name, objects, memory, now }: { name: string; objects: readonly ListedObject[]; memory: Memory; now: Date },
): Promise<SeriesFacts> {
  const { storage } = target;
  const inventory = takeStock(objects, name);
  const { sets, unreadable } = await findSets(target, name, inventory.finished, (place) =>
    memory.recall('set', storage.uri(place.manifest.key), place.manifest.etag, () => readFacts(place)),
  );
  const drills = await readDrills(target, name, inventory, ({ key, etag }, read) =>
    memory.recall('drill', storage.uri(key), etag, read),
  );
  const checks = await readChecks(target, name, recentChecks(inventory.checks, now), ({ key, etag }, read) =>
    memory.recall('check', storage.uri(key), etag, read),
  );
  return {
    name,
    storedBytes: sizeOf(objects),
    sets: sets.map(({ facts, damaged }) => ({ facts, damaged })),
    unfinished: inventory.unfinished.map(unfinishedSet),
    unreadable,
    drills: drills.outcomes,
    doubtfulDrills: drills.doubts,
    checks: checks.outcomes,
    doubtfulChecks: checks.doubts,
    unknown: [...inventory.unknown, ...sets.flatMap(unknownIn), ...strangeIn(inventory)],
  };
}

function unfinishedSet({ id, at, objects }: ListedSet): UnfinishedSet {
  const ours = [...objects].filter(([name]) => isNameOfOurs(name));
  const newest = Math.max(at.getTime(), ...ours.map(([, { modifiedAt }]) => modifiedAt.getTime()));
  return { id, at, lastWrittenAt: new Date(newest) };
}

function sizeOf(objects: readonly ListedObject[]): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
