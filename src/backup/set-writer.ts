/** One backup set on its way into every destination. Nothing of it counts before its manifest is written. */
import { type Manifest, type ObjectRole, serializeManifest } from '../domain/manifest.ts';
import { OBJECT_NAMES, objectKey } from '../domain/set-layout.ts';
import type { Cipher, Log, Storage } from '../ports.ts';
import { CopiedObject, copyBytes, type OnStored } from './copied-object.ts';
import type { Destinations, Target } from './destinations.ts';
import { StoredSet } from './stored-set.ts';

export interface SetParts {
  destinations: Destinations;
  series: string;
  id: string;
  cipher: Cipher;
  /** See `CopyParts`. */
  stallSeconds: number;
  log: Log;
}

export class SetWriter {
  readonly #parts: SetParts;
  readonly #sets: ReadonlyMap<Target, StoredSet>;
  #archive: CopiedObject | undefined;
  #storing: Promise<void> | undefined;

  constructor(parts: SetParts) {
    this.#parts = parts;
    this.#sets = new Map(
      parts.destinations.all.map((target) => [target, new StoredSet({ ...parts, storage: target.storage })]),
    );
  }

  get id(): string {
    return this.#parts.id;
  }

  /** The set's folders where a manifest may be visible, although not every write of one succeeded. Safe to print. */
  get uncertain(): string[] {
    return [...this.#sets.values()].filter((set) => set.isUncertain).map((set) => set.uri());
  }

  /** What one destination holds of the set. */
  at(target: Target): StoredSet {
    const set = this.#sets.get(target);
    if (set === undefined) throw new Error('a destination of another run');
    return set;
  }

  /** Opens the archive; call once. It stays invisible until {@link commitArchive}. */
  async openArchive(expectedBytes: number): Promise<CopiedObject> {
    this.#archive = await CopiedObject.create(this.#copy('archive', { expectedBytes }));
    return this.#archive;
  }

  async commitArchive(): Promise<void> {
    if (this.#archive === undefined) throw new Error('the archive was never opened');
    this.#storing = this.#archive.commit(this.#noteAs('archive'));
    await this.#storing;
    this.#archive = undefined;
  }

  /** Writes one of the small objects, encrypted like the archive. */
  async seal(role: 'globals' | 'contents', bytes: Uint8Array): Promise<void> {
    await copyBytes(this.#copy(role), bytes, this.#noteAs(role));
  }

  /** Writes RESTORE.md: each destination's own, since it says where to fetch from. */
  async writeGuides(textFor: (target: Target) => string): Promise<void> {
    await this.#parts.destinations.each((target) => this.at(target).writeGuide(textFor(target)));
  }

  /** Gives up each destination that has lost or changed by now what it had stored. */
  async lookAgain(): Promise<void> {
    await this.#parts.destinations.each((target) => this.at(target).lookAgain());
  }

  /**
   * Writes each destination's `metadata.json`, that of the first destination last: whoever reads there sees a
   * backup that is wherever it will ever be.
   */
  async commit(manifestFor: (target: Target) => Manifest): Promise<void> {
    const { destinations } = this.#parts;
    const write = async (target: Target): Promise<void> => {
      await this.at(target).commit(serializeManifest(manifestFor(target)));
    };
    const { first } = destinations;
    await destinations.each(write, destinations.alive.slice(1));
    await destinations.each(write, [first]);
  }

  /** Takes back what was written at each of `targets`. Never throws. */
  async discard(targets: readonly Target[], openCleaner: (target: Target) => Storage): Promise<void> {
    await this.#archive?.abort();
    // What was just being stored when the run failed is known of only now.
    await this.#storing?.catch(() => undefined);
    await Promise.all(
      targets.map(async (target) => {
        const cleaner = openCleaner(target);
        await this.at(target)
          .discard(cleaner)
          .finally(() => cleaner.close());
      }),
    );
  }

  #copy(role: Exclude<ObjectRole, 'restore-guide'>, options: { expectedBytes?: number } = {}) {
    const { series, id, ...parts } = this.#parts;
    const key = objectKey(series, id, this.#nameOf(role));
    return { ...parts, key, options: { ...options, onlyIfAbsent: true } };
  }

  #noteAs(role: Exclude<ObjectRole, 'restore-guide'>): OnStored {
    return (target, stored, plain) => this.at(target).note(role, this.#nameOf(role), stored, plain);
  }

  #nameOf(role: Exclude<ObjectRole, 'restore-guide'>): string {
    return `${OBJECT_NAMES[role]}${this.#parts.cipher.suffix}`;
  }
}
