/** From the first destination that holds something whole; every one that is passed over is told. */
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { goingOn } from '../domain/words.ts';
import type { SelectedSet, SetCopy } from './selected.ts';

export interface FromCopy<T> {
  value: T;
  copy: SetCopy;
  /** One warning for each copy that was passed over. */
  findings: Finding[];
}

/** Faults of the bytes themselves: fetching them from the same place again gives the same. */
const DAMAGE = new Set<string>(['ERR_STORED_DIFFERS', 'ERR_STORAGE_MISSING']);

/** Whether another destination may do better. A key that does not fit does not fit there either. */
export function isFaultOfCopy(error: unknown): error is BackupError {
  if (!(error instanceof BackupError)) return false;
  return DAMAGE.has(error.code) || error.code.startsWith('ERR_STORAGE') || error.code === 'ERR_CREDENTIALS_EXPIRED';
}

/**
 * What `work` gives for the first copy for which it succeeds. `what` is an object's name. Throws `ERR_BACKUP_DAMAGED`
 * when no copy is left and one of them was damaged, the storage's own error when all were out of reach, and at once
 * whatever is not a copy's fault.
 */
export async function fromFirstWhole<T>(
  set: SelectedSet,
  what: string,
  signal: AbortSignal,
  work: (copy: SetCopy) => Promise<T>,
): Promise<FromCopy<T>> {
  const faults: Fault[] = [];
  for (const copy of set.copies) {
    try {
      const value = await work(copy);
      return { value, copy, findings: faults.map((fault) => passedOver(fault, what, copy)) };
    } catch (error) {
      signal.throwIfAborted();
      if (!isFaultOfCopy(error)) throw error;
      faults.push({ copy, error });
    }
  }
  throw nowhereWhole(set, what, faults);
}

export interface Fault {
  copy: SetCopy;
  error: BackupError;
}

/** The warning about a copy that was not used for `what`. */
export function passedOver({ copy, error }: Fault, what: string, instead: SetCopy): Finding {
  const damaged = DAMAGE.has(error.code);
  return {
    code: damaged ? 'copy-damaged' : 'destination-passed-over',
    severity: 'warning',
    seen: `${what} was not taken from ${copy.uri} but from ${instead.uri}: ${goingOn(error.message)}`,
    action: damaged
      ? `Do not rely on ${copy.uri}: copy ${instead.uri} over it, and find out what changes or deletes objects there.`
      : 'Look at that destination: until it answers, there is one copy less.',
  };
}

/** What is thrown when the last copy is passed over. */
export function nowhereWhole(set: SelectedSet, what: string, faults: readonly Fault[]): BackupError {
  const { id } = set.manifest;
  const words = faults.map(({ copy, error }) => `${copy.target.storage.location}: ${goingOn(error.message)}`);
  const [first] = faults.map(({ error }) => error);
  const cause = new AggregateError(faults.map(({ error }) => error));
  if (first !== undefined && !faults.some(({ error }) => DAMAGE.has(error.code))) {
    return new BackupError(first.code, `${what} of ${id} could be read nowhere. ${words.join('. ')}`, {
      op: first.op,
      hint: first.hint,
      cause,
    });
  }
  return new BackupError('ERR_BACKUP_DAMAGED', `${what} of ${id} is whole nowhere. ${words.join('. ')}`, {
    op: `fetch ${what}`,
    hint: 'Nothing was restored and nothing was touched. Choose another backup of the series: give its id, or a time as `backup: before:…`. `aws s3api list-object-versions` shows whether the bucket still has an older version of this object.',
    cause,
  });
}
