/** Pure: how to restore this very set, for people and for the output. */
import { type Destination, type Environment, resolveS3 } from '../domain/destination.ts';
import {
  type GuideSource,
  type RestoreGuideInput,
  renderRestoreCommand,
  renderRestoreGuide,
} from '../domain/restore-guide.ts';
import { encryptionOf, type SetEvidence } from './describe.ts';
import type { Target } from './destinations.ts';

export interface Guide {
  /** RESTORE.md. */
  text: string;
  /** One line for a person in a hurry. */
  command: string;
}

export function restoreGuide(evidence: SetEvidence, { destination, storage }: Target, env: Environment): Guide {
  const { id, inputs, prepared, taken, objects } = evidence;
  const input: RestoreGuideInput = {
    name: prepared.name,
    id,
    snapshotAt: taken.facts.snapshotAt,
    source: sourceOf(destination, storage.location, env),
    server: { version: taken.facts.server.version, major: taken.facts.server.major },
    database: taken.facts.database,
    scope: inputs.scope,
    encryption: encryptionOf(inputs.encryption),
    objects,
  };
  return { text: renderRestoreGuide(input), command: renderRestoreCommand(input) };
}

/** The one line of a set that is stored already. */
export function restoreCommand(
  set: Pick<RestoreGuideInput, 'name' | 'id' | 'encryption' | 'objects'>,
  { destination, storage }: Target,
  env: Environment,
): string {
  const { name, id, encryption, objects } = set;
  return renderRestoreCommand({ name, id, encryption, objects, source: sourceOf(destination, storage.location, env) });
}

/** `location` is the storage's own: the absolute path of a directory. */
function sourceOf(destination: Destination, location: string, env: Environment): GuideSource {
  if (destination.kind === 'directory') return { kind: 'directory', path: location };
  const { region, regionIsGuess, endpoint, forcePathStyle } = resolveS3(destination, env);
  return {
    kind: 's3',
    bucket: destination.bucket,
    prefix: destination.prefix,
    ...(regionIsGuess ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, virtualHostStyle: !forcePathStyle }),
  };
}
