/** Dumps made by other means, fetched and unpacked. Nothing recorded is known of them to hold them against. */
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DecryptionKeys } from '../crypto/decryption.ts';
import { type DumpFormat, lacksItsEnd } from '../domain/dump-format.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { countOf, formatBytes } from '../domain/words.ts';
import type { ObjectInfo } from '../ports.ts';
import {
  ARCHIVE_FOLDER,
  asStream,
  diskBecameFull,
  type FetchedArchive,
  type FetchParts,
  phasesOf,
  shortOfRoom,
} from './fetched.ts';
import { damaged, type PeeledDump, peelDump } from './foreign-layers.ts';
import type { LocalArchive } from './local-archive.ts';
import { DiskFull, type Room, readThrough, roomFor, writePrivateFile } from './local-file.ts';
import type { ForeignDump } from './selected.ts';
import { readStored, Waiting } from './stored-bytes.ts';

/** pg_dump's closing comment stands in the last line; others may have added some of their own. */
const TAIL_BYTES = 64 * 1024;
/** Files of a directory archive that are fetched at once: most are small. */
const FILES_AT_ONCE = 4;

/**
 * What lies on this machine and is neither packed nor encrypted is used where it lies. Everything else comes into the
 * work folder, or as a stream when the disk has no room. A truncated or changed file is found where its compression or
 * encryption has a checksum, and else only by the program that restores it.
 */
export async function fetchForeign(
  dump: ForeignDump,
  keys: DecryptionKeys | undefined,
  parts: FetchParts,
): Promise<FetchedArchive> {
  if (dump.layout === 'directory') return await fetchDirectory(dump, parts);
  const startedAt = parts.clock.now();
  const waiting = new Waiting();
  const dumped = await open(dump, keys, parts, waiting);
  const [path] = dumped.layers.length === 0 ? localPath(dump) : [];
  if (path !== undefined) {
    await dumped.bytes.return(undefined);
    const tail = dumped.format === 'sql' ? await tailOf(dump, parts) : Buffer.alloc(0);
    const archive: LocalArchive = { kind: 'file', format: dumped.format, path };
    return { archive, from: dump.uri, phases: [], findings: endOf(dump, dumped, tail) };
  }
  parts.log.info([`${dump.name} is fetched`, ...dumped.layers.map((layer) => `unpacked (${layer})`)].join(', '));
  const brought = await bring({ dump, dumped, keys, parts, waiting });
  const total = (parts.clock.now().getTime() - startedAt.getTime()) / 1000;
  return { ...brought, from: dump.uri, phases: phasesOf(total, waiting, dumped.layers.length > 0) };
}

/** As {@link fetchForeign}, without looking at more than is read; of a directory archive its toc.dat. */
export async function openForeignHead(
  dump: ForeignDump,
  keys: DecryptionKeys | undefined,
  parts: FetchParts,
): Promise<Readable> {
  if (dump.layout === 'file') return asStream((await open(dump, keys, parts)).bytes);
  return asStream(readStored(dump.target.storage, `${dump.key}/toc.dat`, parts));
}

function open(
  dump: ForeignDump,
  keys: DecryptionKeys | undefined,
  parts: FetchParts,
  waiting?: Waiting,
): Promise<PeeledDump> {
  return peelDump(readStored(dump.target.storage, dump.key, parts, waiting), dump.name, keys, parts);
}

interface Work {
  dump: ForeignDump;
  /** Opened, and not read beyond its head. */
  dumped: PeeledDump;
  keys: DecryptionKeys | undefined;
  parts: FetchParts;
  waiting: Waiting;
}

async function bring(work: Work): Promise<Pick<FetchedArchive, 'archive' | 'findings'>> {
  const { dump, dumped, keys, parts, waiting } = work;
  // A role that may not list cannot be told the size.
  const info = await dump.target.storage.stat(dump.key).catch(() => undefined);
  // Unpacked it is larger by nobody knows how much; the disk says so when it is full.
  const room = await roomFor(info?.sizeBytes ?? 0, parts.workDir, parts.freeBytes);
  if (!room.enough) return await checkOnly(work, shortOfRoom(room, parts.workDir));
  const path = join(parts.workDir, ARCHIVE_FOLDER, `dump.${dumped.format}`);
  const tail = new Tail();
  try {
    await writePrivateFile(path, tail.keep(dumped.bytes));
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error;
    const again = await open(dump, keys, parts, waiting);
    return await checkOnly({ ...work, dumped: again }, diskBecameFull(parts.workDir));
  }
  return { archive: { kind: 'file', format: dumped.format, path }, findings: endOf(dump, dumped, tail.bytes) };
}

async function checkOnly(
  { dump, dumped, keys, parts }: Work,
  why: Finding,
): Promise<Pick<FetchedArchive, 'archive' | 'findings'>> {
  const format = streamable(dumped.format, dump, why);
  const tail = new Tail();
  await readThrough(tail.keep(dumped.bytes));
  const openAgain = async (): Promise<Readable> => asStream((await open(dump, keys, parts)).bytes);
  return {
    archive: { kind: 'stream', format, open: openAgain },
    findings: [why, ...endOf(dump, dumped, tail.bytes)],
  };
}

function streamable(format: DumpFormat, dump: ForeignDump, why: Finding): 'custom' | 'sql' {
  if (format !== 'tar') return format;
  throw noRoom(`${dump.name} is a tar, which is restored from a file only. ${why.seen}`);
}

function noRoom(message: string): BackupError {
  return new BackupError('ERR_TARGET_UNFIT', message, {
    op: 'fetch the dump',
    hint: 'Free space, or point RUNNER_TEMP to a larger disk. Nothing was restored and nothing was touched.',
  });
}

/** A dump that began as those of pg_dump do and does not end so. */
function endOf(dump: ForeignDump, { format, head }: PeeledDump, tail: Buffer): Finding[] {
  if (format !== 'sql' || !lacksItsEnd(head, tail)) return [];
  return [
    {
      code: 'dump-without-end',
      severity: 'warning',
      seen: `${dump.name} begins as a dump of pg_dump and lacks the line with which pg_dump ends one: its end is probably missing`,
      action: 'Compare its size with that at its source, and look for a whole one: what is missing cannot be restored.',
    },
  ];
}

/** Keeps the last bytes of what passes. */
class Tail {
  #bytes: Buffer = Buffer.alloc(0);

  get bytes(): Buffer {
    return this.#bytes;
  }

  async *keep(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      const end = piece.subarray(-TAIL_BYTES);
      this.#bytes = Buffer.concat([
        this.#bytes.subarray(Math.max(0, this.#bytes.length + end.length - TAIL_BYTES)),
        end,
      ]);
      yield piece;
    }
  }
}

async function tailOf({ target, key }: ForeignDump, parts: FetchParts): Promise<Buffer> {
  const size = (await target.storage.stat(key))?.sizeBytes ?? 0;
  parts.signal.throwIfAborted();
  const pieces: Uint8Array[] = [];
  for await (const piece of await target.storage.get(key, { start: Math.max(0, size - TAIL_BYTES) }))
    pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The path of the file or folder, where it lies on this machine. */
function localPath({ target, key }: ForeignDump): string[] {
  return target.destination.kind === 'directory' ? [target.storage.uri(key)] : [];
}

async function fetchDirectory(dump: ForeignDump, parts: FetchParts): Promise<FetchedArchive> {
  const startedAt = parts.clock.now();
  const files = await filesOf(dump, parts);
  const [path] = localPath(dump);
  const done = { from: dump.uri, findings: [] };
  if (path !== undefined) return { ...done, archive: { kind: 'file', format: 'directory', path }, phases: [] };
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const room = await roomFor(total, parts.workDir, parts.freeBytes);
  if (!room.enough) throw noRoom(`${dump.name} is a folder, which is restored from disk only. ${wordsOf(room)}`);
  parts.log.info(`${dump.name} is fetched: ${countOf(files.length, 'file')}, ${formatBytes(total)}`);
  const folder = join(parts.workDir, ARCHIVE_FOLDER, 'directory');
  const waiting = new Waiting();
  const left = [...files];
  const worker = async (): Promise<void> => {
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      const bytes = readStored(dump.target.storage, file.key, parts, waiting);
      const written = await writePrivateFile(join(folder, nameOf(file)), bytes);
      if (written !== file.sizeBytes) throw damaged(`${file.key} changed while it was fetched`);
    }
  };
  try {
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, worker));
  } catch (error) {
    left.length = 0;
    throw error instanceof DiskFull ? noRoom(diskBecameFull(parts.workDir).seen) : error;
  }
  const seconds = (parts.clock.now().getTime() - startedAt.getTime()) / 1000;
  return {
    ...done,
    archive: { kind: 'file', format: 'directory', path: folder },
    phases: phasesOf(seconds, waiting, false),
  };
}

/** Those of pg_dump lie side by side; what lies deeper, or has a name that it would not give, is somebody else's. */
async function filesOf({ target, key, name }: ForeignDump, { signal }: FetchParts): Promise<ObjectInfo[]> {
  const files: ObjectInfo[] = [];
  for await (const info of target.storage.list(`${key}/`)) {
    signal.throwIfAborted();
    if (/^[\w][\w.-]*$/.test(info.key.slice(key.length + 1))) files.push(info);
  }
  if (files.some((file) => nameOf(file) === 'toc.dat')) return files;
  throw damaged(`${name} has no toc.dat any more`);
}

function nameOf({ key }: ObjectInfo): string {
  return key.split('/').at(-1) ?? key;
}

function wordsOf(room: Room): string {
  return `It needs ${formatBytes(room.neededBytes)}, reserve included, and ${formatBytes(room.freeBytes)} are free`;
}
