/**
 * Shows that a drill would notice a broken backup: makes small copies that are broken in ways known here, and hands
 * them to the very code that reads the real one. Costs two small dumps, however large the archive is.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import type { ArchiveReport } from '../domain/archive-report.ts';
import { randomSuffix } from '../domain/backup-id.ts';
import {
  BROKEN_COPIES,
  type BrokenCopy,
  judgeRehearsal,
  notRehearsed,
  type ReadingStage,
  type Rehearsed,
} from '../domain/broken-copies.ts';
import type { Check } from '../domain/checks.ts';
import type { Contents } from '../domain/contents.ts';
import { BackupError, type ErrorCode, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Manifest } from '../domain/manifest.ts';
import { OBJECT_NAMES } from '../domain/set-layout.ts';
import { DAY_MS } from '../domain/time.ts';
import type { LocalArchive } from '../restore/local-archive.ts';
import type { SelectedSet } from '../restore/selected.ts';
import { openStorage } from '../storage/open.ts';
import { writeBytes } from '../storage/write-object.ts';
import {
  REHEARSED_SERIES,
  rehearsedId,
  type SetModel,
  type SetWish,
  setObjects,
  writeSet,
} from './alarm/rehearsed-set.ts';
import { breakArchive, type Sample, type SampleParts, takeSample } from './alarm/sample.ts';
import { readArchiveFile } from './read-archive.ts';

/** Two dumps and eight readings of a few kilobytes take a second or two. */
const LONGEST_MS = 60_000;

/** What says that a backup is not what it should be. */
const DAMAGE: readonly ErrorCode[] = ['ERR_BACKUP_DAMAGED', 'ERR_STORED_DIFFERS', 'ERR_MANIFEST', 'ERR_NOT_PROVEN'];

/** The code of a real drill: each throws one of the codes of damage when it notices something. */
export interface AlarmDetectors {
  /** What `backup: latest` chooses. */
  select(target: Target, series: string): Promise<SelectedSet>;
  readContents(set: SelectedSet): Promise<Contents>;
  /** The archive on disk, below a folder of its own: `workDir`. */
  fetch(set: SelectedSet, contents: Contents, workDir: string): Promise<LocalArchive>;
  read(archive: LocalArchive): Promise<ArchiveReport>;
  /** The comparison of rows: anything but `passed` has noticed something. */
  compare(contents: Contents, report: ArchiveReport): Check;
}

export interface AlarmProofParts extends SampleParts {
  /** Of the drilled backup. */
  manifest: Manifest;
  detectors: AlarmDetectors;
  /** Asks whether an issue could be opened; absent where none is wanted. */
  delivery?: () => Promise<readonly Finding[]>;
  context: Pick<CommandContext, 'workDir' | 'log' | 'clock' | 'env'>;
}

/** Rejects only when `signal` aborts: what cannot be tried makes the check `not-run`. */
export async function proveTheAlarm(parts: AlarmProofParts): Promise<Check> {
  const late = AbortSignal.timeout(LONGEST_MS);
  const signal = AbortSignal.any([parts.signal, late]);
  try {
    const rehearsal = new AlarmRehearsal({ ...parts, signal }, await takeSample({ ...parts, signal }));
    return await rehearsal.run();
  } catch (error) {
    parts.signal.throwIfAborted();
    return notRehearsed(late.aborted ? `it took longer than ${LONGEST_MS / 1000} s` : messageOf(error));
  }
}

class AlarmRehearsal {
  readonly #parts: AlarmProofParts;
  readonly #sample: Sample;
  readonly #random = randomSuffix(randomBytes(6));
  readonly #now: Date;
  #folders = 0;

  constructor(parts: AlarmProofParts, sample: Sample) {
    this.#parts = parts;
    this.#sample = sample;
    this.#now = parts.context.clock.now();
  }

  async run(): Promise<Check> {
    const { whole } = this.#sample;
    const model = await this.#model();
    const shown = await this.#rehearse((target) => this.#write(target, model, { recorded: whole }));
    const broken = [];
    for (const copy of BROKEN_COPIES) {
      const rehearsed = await this.#rehearse((target) => this.#break(target, model, copy), copy);
      broken.push({ copy, rehearsed });
    }
    const delivery = await this.#parts.delivery?.();
    return judgeRehearsal({ whole: shown, broken, ...(delivery === undefined ? {} : { delivery }) });
  }

  /** What is recorded of the sample is read from the sample itself, as a backup does it. */
  async #model(): Promise<SetModel> {
    const { manifest, contents, tools, signal } = this.#parts;
    const { storage, folder } = this.#place();
    await writeBytes(storage, OBJECT_NAMES.archive, this.#sample.whole);
    await storage.close();
    const report = await readArchiveFile(path.join(folder, OBJECT_NAMES.archive), { tools, signal });
    return { manifest, contents, report };
  }

  async #break(target: Target, model: SetModel, { kind }: BrokenCopy): Promise<void> {
    const { whole, withoutRows } = this.#sample;
    switch (kind) {
      case 'truncated':
      case 'flipped':
        return await this.#write(target, model, { recorded: whole, stored: this.#broken(kind) });
      case 'truncated-before':
        return await this.#write(target, model, { recorded: this.#broken('truncated') });
      case 'flipped-before':
        return await this.#write(target, model, { recorded: this.#broken('flipped') });
      case 'rows-lost':
        return await this.#write(target, model, { recorded: withoutRows });
      default:
        return await this.#writeOlder(target, model, kind === 'older-set-renamed');
    }
  }

  #broken(how: 'truncated' | 'flipped'): Buffer {
    const copy = breakArchive(this.#sample.whole, how);
    if (copy === undefined) throw new Error('the sample holds no rows where they are expected');
    return copy;
  }

  async #write(target: Target, model: SetModel, wish: Pick<SetWish, 'recorded' | 'stored'>): Promise<void> {
    const whole = { ...wish, at: this.#ago(1), random: this.#random };
    await writeSet(target.storage, rehearsedId(whole), setObjects(model, whole));
  }

  /** Yesterday's set is whole; in the folder of a newer one lie the objects of the day before. */
  async #writeOlder(target: Target, model: SetModel, renamed: boolean): Promise<void> {
    const { whole } = this.#sample;
    await this.#write(target, model, { recorded: whole });
    const older = setObjects(model, { recorded: whole, at: this.#ago(2), random: this.#random });
    const newer = { recorded: whole, at: this.#ago(0), random: this.#random };
    if (renamed) {
      const marker = setObjects(model, newer).get(OBJECT_NAMES.manifest) as Buffer;
      older.set(OBJECT_NAMES.manifest, withObjectsOf(marker, older.get(OBJECT_NAMES.manifest) as Buffer));
    }
    await writeSet(target.storage, rehearsedId(newer), older);
  }

  #ago(days: number): Date {
    return new Date(this.#now.getTime() - days * DAY_MS);
  }

  /** Reads what `write` puts there as a drill would. Throws when it could not be put there, or read for another reason. */
  async #rehearse(write: (target: Target) => Promise<void>, copy?: BrokenCopy): Promise<Rehearsed> {
    const { detectors, signal } = this.#parts;
    const { storage, folder } = this.#place();
    const target: Target = { destination: { kind: 'directory', path: folder }, storage };
    await write(target);
    let at: ReadingStage = 'select';
    try {
      const set = await detectors.select(target, REHEARSED_SERIES);
      if (copy?.kind.startsWith('older-set') && this.#isWhole(set)) {
        return { result: 'caught', at, why: 'the whole backup was chosen' };
      }
      at = 'contents';
      const contents = await detectors.readContents(set);
      at = 'fetch';
      const archive = await detectors.fetch(set, contents, `${folder}-fetched`);
      at = 'read';
      const report = await detectors.read(archive);
      at = 'compare';
      const { status, reason, details } = detectors.compare(contents, report);
      if (status === 'passed') return { result: 'accepted' };
      return { result: 'caught', at, why: [reason, ...details].join('; ') };
    } catch (error) {
      signal.throwIfAborted();
      // A full disk, say, refuses a broken copy too, and has noticed nothing.
      if (!(error instanceof BackupError) || !DAMAGE.includes(error.code)) throw error;
      return { result: 'caught', at, why: error.message };
    } finally {
      await storage.close();
    }
  }

  #isWhole({ manifest }: SelectedSet): boolean {
    return manifest.id === rehearsedId({ at: this.#ago(1), random: this.#random });
  }

  #place() {
    const { context, signal } = this.#parts;
    this.#folders += 1;
    const folder = path.join(context.workDir, 'alarm', `${this.#random}-${this.#folders}`);
    return { folder, storage: openStorage({ kind: 'directory', path: folder }, { ...context, signal }) };
  }
}

/** A commit marker that names the objects of another: what somebody writes who wants it to be believed. */
function withObjectsOf(marker: Buffer, other: Buffer): Buffer {
  const { objects } = JSON.parse(other.toString('utf8'));
  return Buffer.from(`${JSON.stringify({ ...JSON.parse(marker.toString('utf8')), objects }, null, 2)}\n`);
}
