/** `verify-stored-days`: stored bytes, read again and held against the SHA-256 in metadata.json. Streams alone. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import { OBJECT_NAMES, objectKey, setFolder } from '../domain/set-layout.ts';
import { type DestinationFacts, isSeen, type StoredDamage, type VerifiedShare } from '../domain/status/facts.ts';
import { firstSeen, isDueToday, isLastReadingUnknown, readToday } from '../domain/status/verify-share.ts';
import { countOf, formatBytes } from '../domain/words.ts';
import { readManifest } from '../restore/find-copies.ts';
import { readStored } from '../restore/stored-bytes.ts';
import { Measure } from '../restore/verified-read.ts';
import { inParallel } from '../runner/in-parallel.ts';
import type { Memory } from './memory.ts';

/** Sets that are read at once; each object is a stream of its own, one after the other. */
const SETS_AT_ONCE = 4;
const ABSENT = 'ERR_STORAGE_MISSING';

export interface VerifyParts {
  targets: readonly Target[];
  /** Of the same targets, in the same order. */
  destinations: readonly DestinationFacts[];
  days: number;
  memory: Memory;
  stallSeconds: number;
  context: CommandContext;
}

interface StoredSet {
  /** Of its manifest. */
  uri: string;
  target: Target;
  series: string;
  id: string;
  /** Of its snapshot, ISO 8601 UTC. */
  takenAt: string;
}

interface ReadSet extends StoredSet {
  bytes: number;
  damage: readonly { object: string; how: string }[];
  unread?: string;
}

/** Rejects only when the run ends: what cannot be read is in the result, as not verified. */
export async function verifyStored(parts: VerifyParts): Promise<VerifiedShare> {
  const { days, memory, context } = parts;
  const now = context.clock.now();
  const sets = setsOf(parts).map((set) => {
    const last = memory.readingOf(set.uri);
    return { ...set, last, isDue: isDueToday(set.id, days, now, last) };
  });
  const due = sets.filter(({ isDue }) => isDue);
  for (const { uri, last } of sets) if (last === undefined) memory.setReading(uri, firstSeen(now));
  context.log.info(
    `Today ${countOf(due.length, 'copy', 'copies')} of sets are read again and held against their SHA-256`,
  );
  const read = await inParallel(due, SETS_AT_ONCE, (set) => readAgain(set, parts));
  context.signal.throwIfAborted();
  // What could not be read stays due until it is.
  for (const { uri, damage, unread } of read)
    if (unread === undefined) memory.setReading(uri, readToday(now, damage.length > 0));
  const bytes = read.reduce((sum, set) => sum + set.bytes, 0);
  context.log.info(`Read ${formatBytes(bytes)} again`);
  return {
    sets: read.filter(({ unread }) => unread === undefined).length,
    bytes,
    damage: read.flatMap((set) => damageOf(set, read)),
    unread: read.flatMap(({ unread }) => unread ?? []),
    unknown: sets.filter(({ isDue, takenAt, last }) => !isDue && isLastReadingUnknown(takenAt, days, now, last)).length,
  };
}

/** At every destination. What is damaged by the listing is told already. */
function setsOf({ targets, destinations }: VerifyParts): StoredSet[] {
  return destinations.flatMap((destination, index) => {
    if (!isSeen(destination)) return [];
    const target = targets[index] as Target;
    return destination.series.flatMap(({ name: series, sets }) =>
      sets
        .filter(({ damaged }) => damaged.length === 0)
        .map(({ facts: { id, snapshotAt: takenAt } }) => {
          return { target, series, id, takenAt, uri: manifestUri(target, series, id) };
        }),
    );
  });
}

function manifestUri({ storage }: Target, series: string, id: string): string {
  return storage.uri(objectKey(series, id, OBJECT_NAMES.manifest));
}

async function readAgain(set: StoredSet, { stallSeconds, context }: VerifyParts): Promise<ReadSet> {
  const { target, series, id } = set;
  const { storage } = target;
  const damage: { object: string; how: string }[] = [];
  let bytes = 0;
  try {
    // Anew: what is remembered of it would be no proof of what is stored now.
    const { objects } = await readManifest({ target, folder: setFolder(series, id), series });
    for (const { name, sizeBytes, sha256 } of objects) {
      const key = objectKey(series, id, name);
      const measure = new Measure();
      try {
        for await (const chunk of readStored(storage, key, { signal: context.signal, stallSeconds }))
          measure.add(chunk);
        measure.compare({ sizeBytes, sha256 }, storage.uri(key), 'metadata.json');
      } catch (error) {
        const isDamage = error instanceof BackupError && ['ERR_STORED_DIFFERS', ABSENT].includes(error.code);
        if (!isDamage) throw error;
        damage.push({ object: name, how: error.code === ABSENT ? 'it is gone' : error.message.replace(/\.$/, '') });
      } finally {
        bytes += measure.sizeBytes;
      }
    }
    const pruned =
      damage.length > 0 && (await storage.stat(objectKey(series, id, OBJECT_NAMES.manifest))) === undefined;
    return { ...set, bytes, damage: pruned ? [] : damage };
  } catch (error) {
    context.signal.throwIfAborted();
    const isDamage = error instanceof BackupError && ['ERR_STORED_DIFFERS', 'ERR_MANIFEST'].includes(error.code);
    if (isDamage) damage.push({ object: 'metadata.json', how: error.message.replace(/\.$/, '') });
    const unread = isDamage
      ? {}
      : { unread: `${storage.uri(setFolder(series, id))} could not be read again: ${messageOf(error)}` };
    return { ...set, bytes, damage, ...unread };
  }
}

function damageOf({ series, id, target, damage }: ReadSet, all: readonly ReadSet[]): StoredDamage[] {
  const { location } = target.storage;
  const goodIn = all
    .filter(
      (other) => other.series === series && other.id === id && other.damage.length === 0 && other.unread === undefined,
    )
    .map((other) => other.target.storage.location);
  return damage.map(({ object, how }) => ({ series, id, object, location, how, goodIn }));
}
