/**
 * What was read of manifests and of records of drills and health checks, and when stored bytes were read again, kept
 * between runs by key and ETag. The listing is always the truth: an object that changed has another ETag, one that is
 * gone is not asked for. A memory that is broken, of another version or out of reach costs time; and of stored bytes
 * only those are read again then whose day it is.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type CheckOutcome, readCheckOutcome } from '../domain/check/outcome.ts';
import { type DrillOutcome, readDrillOutcome } from '../domain/drill-record.ts';
import { messageOf } from '../domain/errors.ts';
import * as json from '../domain/json-reader.ts';
import { readSetFacts, type SetFacts } from '../domain/set-facts.ts';
import type { LastReading } from '../domain/status/verify-share.ts';
import type { Log } from '../ports.ts';
import type { ActionsCache, CachePurpose } from '../postgres/client-cache.ts';
import { isDoubtful, type Reading } from '../storage/records.ts';

/** Of the lines; a change of what is remembered is another version. */
const VERSION = 2;
const FILE = 'manifests.jsonl';

export const MANIFESTS: CachePurpose = {
  passage: 'db-backup-action-manifests',
  without: 'All manifests are read anew, which takes longer; stored bytes are read again only where this is their day.',
};

/** What is made of a manifest, of the record of a drill, and of that of a health check. */
interface Kept {
  set: SetFacts;
  drill: DrillOutcome;
  check: CheckOutcome;
}

interface Remembered extends Partial<{ [K in keyof Kept]: Kept[K] | undefined }> {
  /** Where, and the key: `s3://bucket/prefix/shop/…/metadata.json`. */
  uri: string;
  etag: string;
  /** Of a manifest, with `verify-stored-days`: when its set was read again. */
  reading?: LastReading | undefined;
}

const readRemembered: json.Reader<Remembered> = json.object<Remembered>({
  uri: json.text,
  etag: json.text,
  set: json.optional(readSetFacts),
  drill: json.optional(readDrillOutcome),
  check: json.optional(readCheckOutcome),
  reading: json.optional(json.object<LastReading>({ day: json.count, damaged: json.flag })),
});

export interface MemoryParts {
  /** Absent: nothing is kept between runs. */
  cache: ActionsCache | undefined;
  /** The same for runs that look at the same storage. */
  subject: readonly string[];
  /** Private to this run. */
  workDir: string;
  log: Log;
}

export class Memory {
  readonly #parts: MemoryParts;
  readonly #before = new Map<string, Remembered>();
  /** What this run has seen: nothing else is kept. */
  readonly #now = new Map<string, Remembered>();
  #restoredKey: string | undefined;

  private constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  /** Rejects only when the run ends. */
  static async open(parts: MemoryParts): Promise<Memory> {
    const memory = new Memory(parts);
    await memory.#restore();
    return memory;
  }

  /**
   * What `read` gives, or what it gave for the same object in an earlier run; what does not count as a record is read
   * again every time.
   */
  async recall<K extends keyof Kept, R extends Reading<Kept[K]>>(
    kind: K,
    uri: string,
    etag: string | undefined,
    read: () => Promise<R>,
  ): Promise<R | Kept[K]> {
    const known = this.#known(uri, etag)?.[kind];
    if (known !== undefined) return known as Kept[K];
    const value = await read();
    const counts = value !== undefined && !isDoubtful(value);
    if (counts && etag !== undefined && this.#parts.cache !== undefined)
      this.#now.set(uri, { uri, etag, [kind]: value });
    return value;
  }

  /** Of the set with the manifest at `uri`; `undefined` when no run that is remembered saw it. */
  readingOf(uri: string): LastReading | undefined {
    return this.#now.get(uri)?.reading;
  }

  setReading(uri: string, reading: LastReading): void {
    const known = this.#now.get(uri);
    if (known !== undefined) this.#now.set(uri, { ...known, reading });
  }

  #known(uri: string, etag: string | undefined): Remembered | undefined {
    const known = this.#before.get(uri);
    if (known === undefined || known.etag !== etag) return undefined;
    this.#now.set(uri, known);
    return known;
  }

  async #restore(): Promise<void> {
    const { cache, log } = this.#parts;
    if (cache === undefined) return;
    const folder = this.#folder('recalled');
    this.#restoredKey = await cache.restoreNewest(this.#beginning(), folder);
    if (this.#restoredKey === undefined) return;
    try {
      await using file = await open(path.join(folder, FILE));
      for await (const line of file.readLines()) {
        const remembered = readRemembered(JSON.parse(line), '');
        this.#before.set(remembered.uri, remembered);
      }
    } catch (error) {
      this.#before.clear();
      log.info(`What earlier runs read of manifests cannot be used, so all are read anew: ${messageOf(error)}`);
    }
  }

  /** Keeps what this run has seen, when it is not what was recalled. Rejects only when the run ends. */
  async save(): Promise<void> {
    const { cache, log } = this.#parts;
    if (cache === undefined || this.#now.size === 0) return;
    const lines = [...this.#now.values()].sort((one, other) => (one.uri < other.uri ? -1 : 1));
    const hash = createHash('sha256');
    for (const { uri, etag, reading } of lines) hash.update(`${uri} ${etag} ${reading?.day} ${reading?.damaged}\n`);
    const key = `${this.#beginning()}${hash.digest('hex').slice(0, 32)}`;
    if (key === this.#restoredKey) return;
    const folder = this.#folder('seen');
    try {
      await mkdir(folder, { recursive: true });
      await pipeline(
        function* () {
          for (const line of lines) yield `${JSON.stringify(line)}\n`;
        },
        createWriteStream(path.join(folder, FILE)),
      );
    } catch (error) {
      log.info(`What was read of manifests could not be kept: ${messageOf(error)}`);
      return;
    }
    await cache.save(key, folder);
  }

  #beginning(): string {
    const subject = createHash('sha256').update(JSON.stringify(this.#parts.subject)).digest('hex').slice(0, 16);
    return `${MANIFESTS.passage}-v${VERSION}-${subject}-`;
  }

  #folder(name: string): string {
    return path.join(this.#parts.workDir, `manifests-${name}`);
  }
}
