/** The backup that is to be brought back: chosen, and its documents read. Reads only. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import type { DecryptionKeys } from '../crypto/decryption.ts';
import type { Destination } from '../domain/destination.ts';
import type { Finding } from '../domain/findings.ts';
import { whatIsUnproven } from '../domain/manifest.ts';
import type { RecoverySource } from '../domain/recovery.ts';
import { countOf } from '../domain/words.ts';
import type { RecoveryInputs } from '../inputs/types.ts';
import type { Storage } from '../ports.ts';
import { openStorage } from '../storage/open.ts';
import { readDocuments, type SetDocuments } from './documents.ts';
import type { FetchParts } from './fetched.ts';
import { readKeys, secretsOf } from './keys.ts';
import { selectBackup } from './select.ts';
import type { Selected } from './selected.ts';

export interface ChosenBackup {
  selected: Selected;
  source: RecoverySource;
}

export interface FoundBackup extends ChosenBackup {
  keys: DecryptionKeys | undefined;
  /** Absent for a dump made by other means. */
  documents?: SetDocuments;
  /** How its objects are read. */
  fetch: FetchParts;
  findings: readonly Finding[];
}

export interface FindParts {
  inputs: RecoveryInputs;
  context: CommandContext;
  /** The lines of `storage`, in their order. */
  targets: readonly Target[];
  /** Ids of sets of the series that a drill has brought back. */
  restoredIds: (series: string) => Promise<ReadonlySet<string>>;
  /** Called as soon as it is known which backup it is: what fails after that is about this one. */
  onChosen?: (chosen: ChosenBackup) => void;
  /** Closes what is opened here. */
  resources: AsyncDisposableStack;
}

/** Throws what `selectBackup`, `readKeys` and `readDocuments` throw. */
export async function findBackup(parts: FindParts): Promise<FoundBackup> {
  const { inputs, context, targets, restoredIds, resources } = parts;
  const { log, signal } = context;
  const { stallTimeoutSeconds } = inputs;
  const keys = await readKeys(inputs.keys);
  for (const secret of secretsOf(keys)) log.mask(secret);
  const openElsewhere = (destination: Destination): Storage => {
    const storage = openStorage(destination, { ...context, stallTimeoutSeconds });
    resources.defer(() => storage.close());
    return storage;
  };
  const selected = await selectBackup({
    selector: inputs.selector,
    ...(inputs.name === undefined ? {} : { series: inputs.name }),
    targets,
    openStorage: openElsewhere,
    restoredIds,
    signal,
    log,
  });
  const source = sourceOf(selected);
  context.tell({
    backupId: source.id,
    backupUri: source.uri,
    ...(source.series === undefined ? {} : { name: source.series }),
  });
  parts.onChosen?.({ selected, source });
  const fetch: FetchParts = { ...context, stallSeconds: stallTimeoutSeconds };
  const found = { selected, keys, source, fetch };
  if (selected.kind === 'foreign') return { ...found, findings: selected.findings };
  const documents = await readDocuments(selected, keys, fetch);
  const { tables, largeObjects } = documents.contents;
  log.info(`It holds ${countOf(tables.length, 'table')} with rows and ${countOf(largeObjects.count, 'large object')}`);
  return { ...found, documents, findings: [...selected.findings, ...documents.findings] };
}

function sourceOf(selected: Selected): RecoverySource {
  if (selected.kind === 'foreign') return { kind: 'foreign', id: selected.name, uri: selected.uri };
  const { manifest, series, copies } = selected;
  const { id, snapshotAt, server } = manifest;
  const source = { kind: 'set', id, series, uri: copies[0].uri, snapshotAt, major: server.major } as const;
  return manifest.verdict === 'proven' ? source : { ...source, unproven: whatIsUnproven(manifest) };
}
