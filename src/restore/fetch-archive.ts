/** The archive of a backup: fetched, checked and decrypted in one pass, before anything of it is restored. */
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DecryptionKeys } from '../crypto/decryption.ts';
import type { Contents } from '../domain/contents.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { ManifestObject } from '../domain/manifest.ts';
import { formatBytes } from '../domain/words.ts';
import { type Fault, fromFirstWhole, isFaultOfCopy, nowhereWhole } from './copies.ts';
import { plainFactsOf } from './documents.ts';
import {
  ARCHIVE_FOLDER,
  asStream,
  diskBecameFull,
  type FetchedArchive,
  type FetchParts,
  phasesOf,
  shortOfRoom,
} from './fetched.ts';
import { fetchForeign, openForeignHead } from './foreign.ts';
import { DiskFull, type Room, readThrough, roomFor, writePrivateFile } from './local-file.ts';
import type { Selected, SelectedSet, SetCopy } from './selected.ts';
import { Waiting } from './stored-bytes.ts';
import { isEncrypted, Measure, objectOf, type PlainFacts, readVerified } from './verified-read.ts';

/**
 * Resolves when every byte was checked: of a set against metadata.json and contents.json, of a dump made by other means
 * against what its compression or encryption knows. Copies that are damaged or out of reach are passed over, each from
 * its start. Where the disk has no room, the archive is checked without being kept and comes as a stream.
 *
 * Throws `ERR_BACKUP_DAMAGED`, `ERR_DECRYPT`, or the storage's own error when no destination can be read.
 */
export async function fetchArchive(
  selected: Selected,
  contents: Contents | undefined,
  keys: DecryptionKeys | undefined,
  parts: FetchParts,
): Promise<FetchedArchive> {
  if (selected.kind === 'foreign') return await fetchForeign(selected, keys, parts);
  if (contents === undefined) throw new Error('the archive of a set is checked against its contents.json');
  const objects = archiveObjects(selected);
  const facts = objects.map((object) => plainFactsOf(contents, object));
  const room = await roomFor(
    facts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    parts.workDir,
    parts.freeBytes,
  );
  return await bring({ set: selected, objects, facts, keys, parts, room });
}

/**
 * The archive's plain bytes from the start, **unverified**: for reading its table of contents and nothing else. A copy
 * that fails is replaced by the next one at the same byte. The caller destroys the stream.
 */
export async function openArchiveHead(
  selected: Selected,
  keys: DecryptionKeys | undefined,
  parts: FetchParts,
): Promise<Readable> {
  if (selected.kind === 'foreign') return await openForeignHead(selected, keys, parts);
  const [object] = archiveObjects(selected) as [ManifestObject];
  return asStream(plainBytes({ set: selected, object, keys, parts }));
}

/** A list, because an archive in directory format is one object a file; today each set has one. */
function archiveObjects(set: SelectedSet): ManifestObject[] {
  const objects = set.manifest.objects.filter(({ role }) => role === 'archive');
  if (objects.length === 1) return objects;
  const { id, archive } = set.manifest;
  throw new BackupError('ERR_MANIFEST', `${id} has ${objects.length} archives in the format ${archive.format}`, {
    op: 'read metadata.json',
    hint: 'A newer version of the action may have written it: use that one, or restore by hand with RESTORE.md.',
  });
}

interface Work {
  set: SelectedSet;
  objects: readonly ManifestObject[];
  /** Of each object, in the same order. */
  facts: readonly PlainFacts[];
  keys: DecryptionKeys | undefined;
  parts: FetchParts;
  room: Room;
}

async function bring(work: Work): Promise<FetchedArchive> {
  const { parts, room } = work;
  if (!room.enough) return await checkOnly(work, shortOfRoom(room, parts.workDir));
  try {
    return await bringToDisk(work);
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error;
    return await checkOnly(work, diskBecameFull(parts.workDir));
  }
}

async function bringToDisk(work: Work): Promise<FetchedArchive> {
  const path = (object: ManifestObject): string =>
    join(work.parts.workDir, ARCHIVE_FOLDER, object.name.replace(/\.age$/, ''));
  const passed = await pass(work, async (bytes, object) => {
    await writePrivateFile(path(object), bytes, { ownsPieces: isEncrypted(object) });
  });
  const [object] = work.objects as [ManifestObject];
  return { ...passed, archive: { kind: 'file', format: 'custom', path: path(object) } };
}

async function checkOnly(work: Work, why: Finding): Promise<FetchedArchive> {
  work.parts.log.info(`${why.seen}. It is checked now, and fetched once more while it is restored.`);
  const { copy, ...passed } = await pass(work, readThrough);
  const [object] = work.objects as [ManifestObject];
  const [plain] = work.facts as [PlainFacts];
  const { set, keys, parts } = work;
  // Begins with the copy that was just found whole.
  const copies = [copy, ...set.copies.filter((other) => other !== copy)] as const;
  const open = async (): Promise<Readable> =>
    asStream(plainBytes({ set: { ...set, copies }, object, keys, parts, plain }));
  return { ...passed, archive: { kind: 'stream', format: 'custom', open }, findings: [why, ...passed.findings] };
}

type Passed = Omit<FetchedArchive, 'archive'> & { copy: SetCopy };

/** Reads every object to its end from the first copy that is whole; `use` takes its plain bytes. */
async function pass(
  { set, objects, facts, keys, parts }: Work,
  use: (bytes: AsyncIterable<Uint8Array>, object: ManifestObject) => Promise<void>,
): Promise<Passed> {
  const startedAt = parts.clock.now();
  const waiting = new Waiting();
  const findings: Finding[] = [];
  let from: SetCopy = set.copies[0];
  for (const [index, object] of objects.entries()) {
    const plain = facts[index] as PlainFacts;
    const whole = await fromFirstWhole(set, object.name, parts.signal, async (copy) => {
      const { storage } = copy.target;
      parts.log.info(`${object.name} (${formatBytes(object.sizeBytes)}) is fetched from ${storage.location}`);
      const stored = copy.manifest.objects.find(({ name }) => name === object.name) ?? objectOf(copy, 'archive');
      await use(readVerified({ copy, object: stored, keys, plain }, parts, waiting), object);
    });
    findings.push(...whole.findings);
    from = whole.copy;
  }
  const total = (parts.clock.now().getTime() - startedAt.getTime()) / 1000;
  return { copy: from, from: from.uri, phases: phasesOf(total, waiting, objects.some(isEncrypted)), findings };
}

interface PlainRequest {
  set: SelectedSet;
  object: ManifestObject;
  keys: DecryptionKeys | undefined;
  parts: FetchParts;
  /** Absent: what comes out is not held against contents.json. */
  plain?: PlainFacts;
}

/**
 * One sequence of plain bytes, whichever copies it takes: one that fails is replaced by the next at the same byte. With
 * `plain` the sequence as a whole is compared at its end, so that nothing but the very archive ends without an error.
 */
async function* plainBytes({ set, object, keys, parts, plain }: PlainRequest): AsyncGenerator<Uint8Array> {
  const given = new Measure();
  const faults: Fault[] = [];
  for (const copy of set.copies) {
    try {
      const stored = copy.manifest.objects.find(({ name }) => name === object.name) ?? objectOf(copy, 'archive');
      let position = 0;
      for await (const piece of readVerified({ copy, object: stored, keys }, parts)) {
        const fresh = piece.subarray(Math.max(0, given.sizeBytes - position));
        position += piece.byteLength;
        if (fresh.byteLength === 0) continue;
        given.add(fresh);
        yield fresh;
      }
      break;
    } catch (error) {
      parts.signal.throwIfAborted();
      if (!isFaultOfCopy(error)) throw error;
      faults.push({ copy, error });
      if (faults.length === set.copies.length) throw nowhereWhole(set, object.name, faults);
      parts.log.warning(`${copy.uri}/${object.name} failed while it was read: ${error.message}`);
    }
  }
  if (plain === undefined || given.equals(plain)) return;
  throw new BackupError('ERR_BACKUP_DAMAGED', `${object.name} of ${set.manifest.id} changed after it was checked`, {
    op: `fetch ${object.name}`,
    hint: 'What was restored of it must not be used. Restore another backup of the series: give its id.',
  });
}
