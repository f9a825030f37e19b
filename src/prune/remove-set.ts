/** One set goes: its commit marker first, so that whatever happens then, no half of a backup looks like one. */
import { BackupError } from '../domain/errors.ts';
import { unexpectedError } from '../domain/unexpected.ts';
import type { Storage } from '../ports.ts';

export interface DoomedSet {
  id: string;
  /** `metadata.json` first, where there is one. */
  keys: readonly string[];
}

export type Removal =
  | { kind: 'removed'; id: string }
  /** Object Lock or a legal hold is on it; nothing of it was touched. */
  | { kind: 'held'; id: string; why: string }
  /** `half`: its metadata.json is gone, and something else is still there. */
  | { kind: 'failed'; id: string; half: boolean; error: BackupError };

/** Rejects with the signal's reason alone. */
export async function removeSet(storage: Storage, { id, keys }: DoomedSet, signal: AbortSignal): Promise<Removal> {
  let half = false;
  try {
    const holds = await Promise.all(keys.map(async (key) => ({ key, why: await storage.heldBy(key) })));
    const held = holds.find(({ why }) => why !== undefined);
    if (held !== undefined) return { kind: 'held', id, why: `${held.key} ${held.why}` };
    const [first, ...others] = keys;
    if (first !== undefined) await storage.delete(first);
    half = true;
    const settled = await Promise.allSettled(others.map((key) => storage.delete(key)));
    const failed = settled.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return { kind: 'removed', id };
  } catch (reason) {
    signal.throwIfAborted();
    const error = reason instanceof BackupError ? reason : unexpectedError(reason);
    return { kind: 'failed', id, half, error };
  }
}
