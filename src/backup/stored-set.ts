/** What one destination holds of the set that is being written. */
import { BackupError, messageOf } from '../domain/errors.ts';
import type { ManifestObject, ObjectRole } from '../domain/manifest.ts';
import { OBJECT_NAMES, objectKey, setFolder, setPrefix } from '../domain/set-layout.ts';
import { countOf, formatCount } from '../domain/words.ts';
import type { Log, Storage, StoredObject } from '../ports.ts';
import { isCertainRefusal } from '../storage/certain-refusal.ts';
import { listedSizes } from '../storage/listed-sizes.ts';
import { writeBytes } from '../storage/write-object.ts';
import type { PlainFacts } from './copied-object.ts';

export interface WrittenObject extends ManifestObject {
  plain: PlainFacts;
}

export interface StoredSetParts {
  storage: Storage;
  series: string;
  id: string;
  log: Log;
}

export class StoredSet {
  readonly #parts: StoredSetParts;
  readonly #written: WrittenObject[] = [];
  #manifestTried = false;

  constructor(parts: StoredSetParts) {
    this.#parts = parts;
  }

  /** The manifest may be visible, whether or not its write succeeded. */
  get isUncertain(): boolean {
    return this.#manifestTried;
  }

  /** In the order of writing. */
  get objects(): readonly WrittenObject[] {
    return this.#written;
  }

  /** The set's folder, or one object in it. Safe to print. */
  uri(name?: string): string {
    const { storage, series, id } = this.#parts;
    return storage.uri(name === undefined ? setFolder(series, id) : this.#key(name));
  }

  note(role: ObjectRole, name: string, stored: StoredObject, plain: PlainFacts): void {
    const { sizeBytes, sha256, evidence } = stored;
    this.#written.push({ role, name, sizeBytes, sha256, evidence, plain });
  }

  /** Writes RESTORE.md, which is never encrypted. */
  async writeGuide(text: string): Promise<void> {
    const name = OBJECT_NAMES['restore-guide'];
    const stored = await writeBytes(this.#parts.storage, this.#key(name), Buffer.from(text, 'utf8'), {
      contentType: 'text/markdown; charset=utf-8',
      onlyIfAbsent: true,
    });
    this.note('restore-guide', name, stored, { sizeBytes: stored.sizeBytes, sha256: stored.sha256 });
  }

  /**
   * Throws `ERR_STORED_DIFFERS` when something that was stored and checked is gone or has another size by now: nothing
   * may call a backup complete that is not. A role that may not list relies on the check of each object.
   */
  async lookAgain(): Promise<void> {
    const { storage, series, id } = this.#parts;
    try {
      const sizes = await listedSizes(storage, setPrefix(series, id));
      for (const { name, sizeBytes } of this.#written) {
        const seen = sizes.get(this.#key(name));
        if (seen !== sizeBytes) throw changedSince(this.uri(name), seen, sizeBytes);
      }
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
    }
  }

  /** Writes `metadata.json`: from here on the backup exists at this destination. */
  async commit(manifest: string): Promise<StoredObject> {
    this.#manifestTried = true;
    try {
      return await writeBytes(this.#parts.storage, this.#key(OBJECT_NAMES.manifest), Buffer.from(manifest, 'utf8'), {
        contentType: 'application/json',
        onlyIfAbsent: true,
      });
    } catch (error) {
      // Refused for certain: there is no manifest and there will be none.
      this.#manifestTried = !isCertainRefusal(error);
      throw error;
    }
  }

  /**
   * Takes back what was written, through a storage of its own, for the run's is cancelled by now. Never throws:
   * what must stay behind (a role without the right to delete) is no backup without a manifest, and the log says so.
   */
  async discard(cleaner: Storage): Promise<void> {
    if (this.#manifestTried) {
      // The write may be under way still and land after a deletion: a manifest must never be without its objects.
      this.#parts.log.notice(`${this.uri()} is left as it is: its metadata.json may have been written.`);
      return;
    }
    for (const { name } of this.#written) await this.#remove(cleaner, name);
  }

  async #remove(cleaner: Storage, name: string): Promise<void> {
    try {
      await cleaner.delete(this.#key(name));
    } catch (error) {
      const denied = error instanceof BackupError && error.code === 'ERR_STORAGE_DENIED';
      const why = denied ? 'this role may not delete' : messageOf(error);
      this.#parts.log.notice(`${this.uri(name)} may stay behind (${why}). Without a metadata.json it is no backup.`);
    }
  }

  #key(name: string): string {
    return objectKey(this.#parts.series, this.#parts.id, name);
  }
}

function changedSince(uri: string, seen: number | undefined, sizeBytes: number): BackupError {
  const what = seen === undefined ? 'is gone' : `has ${countOf(seen, 'byte')} instead of ${formatCount(sizeBytes)}`;
  return new BackupError('ERR_STORED_DIFFERS', `${uri} was stored and checked, and now ${what}`, {
    op: 'look at what was stored',
    hint: 'Find out what deletes or changes objects there: a lifecycle rule, a scanner, a quota, or a job that cleans up. Then run the backup again.',
  });
}
