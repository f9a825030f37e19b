/** `reuse-within-minutes`: takes a recent proven set that every destination holds, instead of a new one. */
import type { CommandContext, ReusedBackup } from '../command.ts';
import { BackupError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { chooseReusable } from '../domain/reuse.ts';
import { OBJECT_NAMES, objectKey, setFolder, setPrefix } from '../domain/set-layout.ts';
import { goingOn } from '../domain/words.ts';
import type { BackupInputs } from '../inputs/types.ts';
import type { Storage } from '../ports.ts';
import { listedSizes } from '../storage/listed-sizes.ts';
import { encryptionOf } from './describe.ts';
import type { Destinations, Target } from './destinations.ts';
import { restoreCommand } from './guide.ts';
import type { Prepared } from './prepare.ts';

/** The set to take; `undefined`, with a word in the log, when a new one is needed. Reads only. */
export async function findReusable(
  inputs: BackupInputs,
  context: CommandContext,
  prepared: Prepared,
  destinations: Destinations,
): Promise<ReusedBackup | undefined> {
  if (inputs.reuseWithinMinutes === undefined) return undefined;
  const wish = {
    withinMinutes: inputs.reuseWithinMinutes,
    now: context.clock.now(),
    source: prepared.source,
    scope: inputs.scope,
    encryption: encryptionOf(inputs.encryption),
    keepForever: inputs.keepForever,
    globals: inputs.globals,
    verifySource: inputs.verifySource,
    verifyRestore: inputs.verifyRestore,
    criticalTables: prepared.facts.critical,
  };
  const { manifest, reason } = chooseReusable(wish, prepared.history.manifests);
  const missing = manifest === undefined ? undefined : await whereIncomplete(manifest, destinations, context);
  if (manifest === undefined || missing !== undefined) {
    context.log.info(`A new backup is taken: ${missing ?? reason}.`);
    return undefined;
  }
  return describe(manifest, reason, inputs, context, prepared, destinations);
}

/** A manifest whose objects are gone proves nothing, and what cannot be looked at may be gone. */
async function whereIncomplete(
  manifest: Manifest,
  { all, lost }: Destinations,
  { signal }: CommandContext,
): Promise<string | undefined> {
  const [failed] = lost;
  if (failed !== undefined) return `${failed.target.storage.location} cannot be asked for ${manifest.id}`;
  const lacking = all.map(async ({ storage }) => {
    try {
      return (await isWhole(storage, manifest)) ? undefined : `${storage.location} does not hold all of ${manifest.id}`;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BackupError)) throw error;
      return `${storage.location} cannot be asked for ${manifest.id}: ${goingOn(error.message)}`;
    }
  });
  return (await Promise.all(lacking)).find((words) => words !== undefined);
}

async function isWhole(storage: Storage, { name, id, objects }: Manifest): Promise<boolean> {
  const sizes = await listedSizes(storage, setPrefix(name, id));
  return (
    sizes.has(objectKey(name, id, OBJECT_NAMES.manifest)) &&
    objects.every((object) => {
      // Each destination's guide names that destination, so its size differs.
      const size = sizes.get(objectKey(name, id, object.name));
      return object.role === 'restore-guide' ? size !== undefined : size === object.sizeBytes;
    })
  );
}

function describe(
  manifest: Manifest,
  reason: string,
  inputs: BackupInputs,
  context: CommandContext,
  prepared: Prepared,
  destinations: Destinations,
): ReusedBackup {
  const { name, id } = manifest;
  const { first } = destinations;
  const folder = ({ storage }: Target): string => storage.uri(setFolder(name, id));
  const uri = (object: string): string => first.storage.uri(objectKey(name, id, object));
  return {
    command: 'backup',
    outcome: 'reused',
    manifest,
    copies: destinations.all.map(folder),
    lost: [],
    location: first.storage.location,
    backupUri: folder(first),
    manifestUri: uri(OBJECT_NAMES.manifest),
    restoreGuideUri: uri(OBJECT_NAMES['restore-guide']),
    restoreCommand: restoreCommand({ ...manifest, encryption: encryptionOf(inputs.encryption) }, first, context.env),
    reason,
    findings: prepared.findings,
  };
}
