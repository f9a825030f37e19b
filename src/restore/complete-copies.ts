/** Which destinations hold a set completely, as far as a listing tells. */
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Manifest } from '../domain/manifest.ts';
import { goingOn } from '../domain/words.ts';
import { isOfNewerVersion, isUnreadable, openCopy, type SetFolder } from './find-copies.ts';
import type { SetCopy } from './selected.ts';

export interface Copies {
  copies: readonly [SetCopy, ...SetCopy[]];
  faults: Finding[];
}

/**
 * The copies at which every object has its full size; `name` is the set's, for messages. Throws `ERR_BACKUP_DAMAGED`
 * when it is complete nowhere, `ERR_MANIFEST` when a newer version wrote it, the storage's own error when none answers.
 */
export async function completeCopies(
  folders: readonly SetFolder[],
  name: string,
  signal: AbortSignal,
): Promise<Copies> {
  const settled = await Promise.allSettled(folders.map(openCopy));
  signal.throwIfAborted();
  const copies: SetCopy[] = [];
  const faults: Finding[] = [];
  const errors: BackupError[] = [];
  for (const [index, outcome] of settled.entries()) {
    const { target, folder } = folders[index] as SetFolder;
    if (outcome.status === 'fulfilled') copies.push(outcome.value);
    else if (!isUnreadable(outcome.reason)) throw outcome.reason;
    else {
      errors.push(outcome.reason);
      faults.push(incompleteAt(target.storage.uri(folder), outcome.reason));
    }
  }
  const [first, ...others] = copies;
  if (first === undefined) {
    throw errors.find(isOfNewerVersion) ?? (errors.some(isDamage) ? completeNowhere(name, faults) : errors[0]);
  }
  const differing = others.filter((copy) => !holdsTheSame(copy.manifest, first.manifest));
  return { copies: [first, ...others], faults: [...faults, ...differing.map((copy) => differs(copy, first))] };
}

function completeNowhere(id: string, faults: readonly Finding[]): BackupError {
  return new BackupError(
    'ERR_BACKUP_DAMAGED',
    `${id} is complete nowhere. ${faults.map(({ seen }) => seen).join('. ')}`,
    {
      op: 'look at the copies of the backup',
      hint: 'Choose another backup of the series by its id, and find out what changes or deletes objects in the storage.',
    },
  );
}

function holdsTheSame(one: Manifest, other: Manifest): boolean {
  const hashes = ({ objects }: Manifest): string =>
    objects
      .filter(({ role }) => role !== 'restore-guide')
      .map(({ name, sha256 }) => `${name} ${sha256}`)
      .sort()
      .join();
  return hashes(one) === hashes(other);
}

function differs(copy: SetCopy, first: SetCopy): Finding {
  return {
    code: 'copies-differ',
    severity: 'warning',
    seen: `The metadata.json in ${copy.uri} names other bytes than the one in ${first.uri}`,
    action: 'Find out who changed one of them. Each copy is held against its own.',
  };
}

function isDamage({ code }: BackupError): boolean {
  return code === 'ERR_STORAGE_MISSING' || code === 'ERR_STORED_DIFFERS' || code === 'ERR_MANIFEST';
}

function incompleteAt(uri: string, error: BackupError): Finding {
  return {
    code: isDamage(error) ? 'copy-damaged' : 'destination-passed-over',
    severity: 'warning',
    seen: `${uri} is passed over: ${goingOn(error.message)}`,
    action: 'Look at that destination: there is one copy less of this backup than there should be.',
  };
}
