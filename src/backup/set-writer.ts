/** One backup set on its way into storage. Nothing of it counts before its manifest is written. */
import { BackupError, messageOf } from '../domain/errors.ts';
import { type Manifest, type ManifestObject, type ObjectRole, serializeManifest } from '../domain/manifest.ts';
import { OBJECT_NAMES, objectKey } from '../domain/set-layout.ts';
import type { Cipher, Log, Storage, StoredObject } from '../ports.ts';
import { isCertainRefusal } from '../storage/certain-refusal.ts';
import { type PlainFacts, SealedObject, type SealedResult, sealBytes } from '../storage/sealed-object.ts';
import { writeBytes } from '../storage/write-object.ts';

export interface WrittenObject extends ManifestObject {
  plain: PlainFacts;
}

export class SetWriter {
  readonly id: string;
  readonly #storage: Storage;
  readonly #series: string;
  readonly #cipher: Cipher;
  readonly #log: Log;
  readonly #written: WrittenObject[] = [];
  #archive: SealedObject | undefined;
  #manifestTried = false;

  constructor(parts: { storage: Storage; series: string; id: string; cipher: Cipher; log: Log }) {
    this.id = parts.id;
    this.#storage = parts.storage;
    this.#series = parts.series;
    this.#cipher = parts.cipher;
    this.#log = parts.log;
  }

  /** The manifest may be visible, although its write failed. */
  get isUncertain(): boolean {
    return this.#manifestTried;
  }

  /** What is stored so far, in the order of writing. */
  get objects(): readonly WrittenObject[] {
    return this.#written;
  }

  /** The set's folder, or one object in it. Safe to print. */
  uri(name?: string): string {
    return this.#storage.uri(name === undefined ? this.#key('').slice(0, -1) : this.#key(name));
  }

  /** Opens the archive; call once. It stays invisible until {@link commitArchive}. */
  async openArchive(expectedBytes: number): Promise<SealedObject> {
    const key = this.#key(this.#nameOf('archive'));
    this.#archive = await SealedObject.create(this.#storage, key, this.#cipher, { expectedBytes, onlyIfAbsent: true });
    return this.#archive;
  }

  async commitArchive(): Promise<WrittenObject> {
    if (this.#archive === undefined) throw new Error('the archive was never opened');
    const result = await this.#archive.commit();
    this.#archive = undefined;
    return this.#note('archive', result);
  }

  /** Writes one of the small objects, encrypted like the archive. */
  async seal(role: 'globals' | 'contents', bytes: Uint8Array): Promise<WrittenObject> {
    const result = await sealBytes(this.#storage, this.#key(this.#nameOf(role)), this.#cipher, bytes, {
      onlyIfAbsent: true,
    });
    return this.#note(role, result);
  }

  /** Writes RESTORE.md, which is never encrypted. */
  async writeGuide(text: string): Promise<WrittenObject> {
    const bytes = Buffer.from(text, 'utf8');
    const stored = await writeBytes(this.#storage, this.#key(this.#nameOf('restore-guide')), bytes, {
      contentType: 'text/markdown; charset=utf-8',
      onlyIfAbsent: true,
    });
    return this.#note('restore-guide', { stored, plain: { sizeBytes: stored.sizeBytes, sha256: stored.sha256 } });
  }

  /** Writes `metadata.json`: from here on the backup exists. */
  async commit(manifest: Manifest): Promise<StoredObject> {
    this.#manifestTried = true;
    try {
      return await writeBytes(
        this.#storage,
        this.#key(OBJECT_NAMES.manifest),
        Buffer.from(serializeManifest(manifest), 'utf8'),
        {
          contentType: 'application/json',
          onlyIfAbsent: true,
        },
      );
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
    await this.#archive?.abort();
    if (this.#manifestTried) {
      // The write may be under way still and land after a deletion: a manifest must never be without its objects.
      this.#log.notice(`${this.uri()} is left as it is: its metadata.json may have been written.`);
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
      this.#log.notice(`${this.uri(name)} may stay behind (${why}). Without a metadata.json it is no backup.`);
    }
  }

  #note(role: ObjectRole, { stored, plain }: SealedResult): WrittenObject {
    const name = stored.key.slice(this.#key('').length);
    const object = { role, name, sizeBytes: stored.sizeBytes, sha256: stored.sha256, evidence: stored.evidence, plain };
    this.#written.push(object);
    return object;
  }

  #nameOf(role: ObjectRole): string {
    // The guide says how to decrypt, so it is never encrypted.
    return role === 'restore-guide' ? OBJECT_NAMES[role] : `${OBJECT_NAMES[role]}${this.#cipher.suffix}`;
  }

  #key(name: string): string {
    return objectKey(this.#series, this.id, name);
  }
}
