/** Backups in a local directory: one file an object, directories 0700, files 0600. */
import { createReadStream } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import type { ByteRange, Log, ObjectInfo, ObjectWriter, Storage, SweepReport, WriteOptions } from '../../ports.ts';
import { throwIfCancelled, unlessCancelled } from '../cancelled.ts';
import { assertKey, assertPrefix } from '../keys.ts';
import { errnoOf, fileError } from './errors.ts';
import { sweepFiles } from './sweep.ts';
import { walkFolders, walkKeys } from './walk.ts';
import { FileWriter, removeEmptyDirectories } from './writer.ts';

const READ_BYTES = 256 * 1024;

export class DirectoryStorage implements Storage {
  readonly location: string;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  readonly #open = new Set<ObjectWriter>();

  /** `root` is absolute; it is made at the first write. */
  constructor(root: string, context: { log: Log; signal: AbortSignal }) {
    this.location = root;
    this.#log = context.log;
    this.#signal = context.signal;
  }

  uri(key: string): string {
    return this.#path(key);
  }

  async create(key: string, options: WriteOptions = {}): Promise<ObjectWriter> {
    const writer = await FileWriter.open({
      key,
      path: this.#path(key),
      onlyIfAbsent: options.onlyIfAbsent ?? false,
      signal: this.#signal,
      log: this.#log,
      onEnd: () => this.#open.delete(writer),
    });
    this.#open.add(writer);
    return writer;
  }

  async probe(key: string): Promise<void> {
    const writer = await this.create(key);
    await writer.abort();
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const path = this.#path(key);
    throwIfCancelled(this.#signal, 'read');
    const info = await this.stat(key);
    if (info === undefined) throw fileError(Object.assign(new Error('no such file'), { code: 'ENOENT' }), 'read', path);
    const start = range?.start ?? 0;
    const end = Math.min(range?.end ?? info.sizeBytes, info.sizeBytes);
    if (start >= end) return Readable.from([]);
    return Readable.from(this.#read(path, start, end), { objectMode: false });
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#path(key);
    try {
      const info = await stat(path);
      return info.isFile() ? { key, sizeBytes: info.size, modifiedAt: info.mtime } : undefined;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw fileError(error, 'look at', path);
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    assertPrefix(prefix);
    throwIfCancelled(this.#signal, 'list');
    try {
      for await (const key of walkKeys(this.location, prefix)) {
        throwIfCancelled(this.#signal, 'list');
        const info = await this.stat(key);
        if (info !== undefined) yield info;
      }
    } catch (error) {
      throw fileError(error, 'list', this.location);
    }
  }

  async *listFolders(prefix: string): AsyncIterable<string> {
    assertPrefix(prefix);
    throwIfCancelled(this.#signal, 'list');
    try {
      yield* walkFolders(this.location, prefix);
    } catch (error) {
      throw fileError(error, 'list', this.location);
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    throwIfCancelled(this.#signal, 'delete');
    try {
      await unlessCancelled(this.#signal, 'delete', unlink(path));
      const [firstFolder = ''] = relative(this.location, dirname(path)).split('/');
      if (firstFolder !== '') await removeEmptyDirectories(dirname(path), join(this.location, firstFolder));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw fileError(error, 'delete', path);
    }
  }

  async heldBy(): Promise<undefined> {
    return undefined;
  }

  async keepsVersions(): Promise<boolean> {
    return false;
  }

  async lifecycle(): Promise<undefined> {
    return undefined;
  }

  async sweep(series: string, olderThan: Date): Promise<SweepReport> {
    throwIfCancelled(this.#signal, 'sweep unfinished files');
    return sweepFiles(this.location, series, olderThan);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((writer) => writer.abort()));
  }

  async *#read(path: string, start: number, end: number): AsyncIterable<Buffer> {
    try {
      for await (const chunk of createReadStream(path, { start, end: end - 1, highWaterMark: READ_BYTES })) {
        throwIfCancelled(this.#signal, 'read');
        yield chunk as Buffer;
      }
    } catch (error) {
      throw fileError(error, 'read', path);
    }
  }

  #path(key: string): string {
    assertKey(key);
    return join(this.location, key);
  }
}
