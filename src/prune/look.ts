/** What one destination holds of a series: read from its listing and manifests alone. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import { restoredBackups } from '../domain/drill-record.ts';
import type { Finding } from '../domain/findings.ts';
import { fewKeys } from '../domain/key-words.ts';
import { type Inventory, type ListedObject, strangeIn, takeStock } from '../domain/retention/inventory.ts';
import type { RetentionSet } from '../domain/retention.ts';
import { OBJECT_NAMES, seriesPrefix, setFolder } from '../domain/set-layout.ts';
import { countOf } from '../domain/words.ts';
import { doubtfulDrill } from '../drill/records.ts';
import { type FoundSet, findSets, type UnreadableSet, unknownIn } from '../holdings/found-sets.ts';
import { readDrills } from '../holdings/outcomes.ts';

export { LANES } from '../holdings/found-sets.ts';

/** A finished set that can be judged. */
export interface KnownSet extends RetentionSet {
  /** Keys of its objects that are there, `metadata.json` first. */
  keys: readonly string[];
  snapshotAt: string;
}

export interface Holdings {
  target: Target;
  /** `restored` as far as this destination knows. */
  sets: readonly KnownSet[];
  inventory: Inventory;
  findings: readonly Finding[];
}

/** Throws what listing and reading throw: without all of it no plan can be made. */
export async function lookAt(target: Target, series: string, { signal }: CommandContext): Promise<Holdings> {
  const { storage } = target;
  const listed: ListedObject[] = [];
  for await (const { key, sizeBytes, modifiedAt } of storage.list(seriesPrefix(series))) {
    listed.push({ key, sizeBytes, modifiedAt });
  }
  const inventory = takeStock(listed, series);
  const { outcomes, doubts } = await readDrills(target, series, inventory);
  const { sets, unreadable } = await findSets(target, series, inventory.finished);
  signal.throwIfAborted();
  const restored = restoredBackups(outcomes);
  const strange = [...inventory.unknown, ...sets.flatMap(unknownIn), ...strangeIn(inventory)];
  const uriOf = ({ facts }: FoundSet): string => storage.uri(setFolder(series, facts.id));
  return {
    target,
    sets: sets.map((found) => known(found, restored)),
    inventory,
    findings: [
      ...unreadable.map(leftAlone),
      ...sets.flatMap((found) => (found.damaged.length === 0 ? [] : incomplete(uriOf(found), found.damaged))),
      ...doubts.map(doubtfulDrill),
      ...unknownObjects(strange, storage.uri(series)),
    ],
  };
}

/** A proven set whose objects are not all there in their size proves nothing any more. */
function known({ facts, folder, damaged }: FoundSet, restored: ReadonlySet<string>): KnownSet {
  const { id, label, verdict, keepForever, snapshotAt, whole, objects } = facts;
  const names = [OBJECT_NAMES.manifest, ...objects.map(({ name }) => name)];
  return {
    ...{ id, label, keepForever, snapshotAt, whole },
    at: new Date(snapshotAt),
    verdict: damaged.length === 0 ? verdict : 'unproven',
    restored: restored.has(id),
    keys: names.flatMap((name) => folder.objects.get(name)?.key ?? []),
  };
}

function leftAlone({ uri, why, isNewer }: UnreadableSet): Finding {
  return {
    code: 'manifest-unreadable',
    severity: 'warning',
    seen: `${uri} is left alone, because it cannot be judged: ${why}`,
    action: isNewer
      ? 'Use a newer version of the action for pruning.'
      : 'Look at that set. Its archive may still be whole; delete it by hand when nobody needs it.',
  };
}

function incomplete(uri: string, damaged: readonly string[]): Finding {
  return {
    code: 'set-damaged',
    severity: 'warning',
    seen: `${uri} counts as unproven: ${damaged.join(', ')} ${damaged.length === 1 ? 'is' : 'are'} missing or of another size than in metadata.json`,
    action: 'Find out who deletes or changes objects there. Another destination may hold the set whole.',
  };
}

function unknownObjects(keys: readonly string[], uri: string): Finding[] {
  if (keys.length === 0) return [];
  return [
    {
      code: 'unknown-objects',
      severity: 'notice',
      seen: `${countOf(keys.length, 'object')} in ${uri} did not come from this action and ${keys.length === 1 ? 'is' : 'are'} left alone: ${fewKeys(keys)}`,
      action: 'Move them elsewhere: the folder of a series is for backups alone.',
    },
  ];
}
