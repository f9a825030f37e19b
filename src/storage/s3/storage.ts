/** Backups in an S3-compatible bucket. */
import type { Readable } from 'node:stream';
import { resolveS3, type S3Destination } from '../../domain/destination.ts';
import { choosePartSize, describePartSize } from '../../domain/part-size.ts';
import type { LifecycleRule } from '../../domain/retention/lifecycle.ts';
import type { ByteRange, Log, ObjectInfo, ObjectWriter, Storage, SweepReport, WriteOptions } from '../../ports.ts';
import type { StorageContext } from '../context.ts';
import { assertKey, assertPrefix } from '../keys.ts';
import { S3Connection } from './client.ts';
import { bucketKeepsVersions, bucketLocks, holdOf } from './holds.ts';
import { bucketLifecycle } from './lifecycle.ts';
import { listFolders, listObjects, statObject } from './list.ts';
import { S3ObjectWriter } from './multipart.ts';
import { probeUpload } from './probe.ts';
import { readObject } from './read.ts';
import { sweepUploads } from './sweep.ts';
import { DEFAULT_TUNING } from './tuning.ts';
import { deleteObject } from './upload.ts';

/** Masks the credentials, then connects; see {@link StorageContext}. No I/O, but for the file of a private authority. */
export function openS3(destination: S3Destination, context: StorageContext): Storage {
  const resolved = resolveS3(destination, context.env);
  maskCredentials(resolved.credentials, context.log);
  if (resolved.role !== undefined) context.log.mask(resolved.role.requestToken);
  const patienceMs = (context.stallTimeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const stallTimeoutMs = Math.min(DEFAULT_TUNING.stallTimeoutMs, patienceMs);
  const tuning = { ...DEFAULT_TUNING, stallTimeoutMs, ...context.s3 };
  const connection = new S3Connection(destination, resolved, tuning, context);
  return new S3Storage(connection, destination);
}

function maskCredentials(credentials: object | undefined, log: Log): void {
  for (const secret of Object.values(credentials ?? {})) log.mask(secret);
}

class S3Storage implements Storage {
  readonly location: string;
  readonly #connection: S3Connection;
  readonly #destination: S3Destination;
  readonly #open = new Set<ObjectWriter>();
  #locks: Promise<boolean> | undefined;

  constructor(connection: S3Connection, destination: S3Destination) {
    this.location = connection.location;
    this.#connection = connection;
    this.#destination = destination;
  }

  uri(key: string): string {
    return this.#connection.uri(key);
  }

  async create(key: string, options: WriteOptions = {}): Promise<ObjectWriter> {
    assertKey(key);
    const { maxParts } = this.#connection;
    const fixedMib = this.#destination.partSizeMib;
    const plan = choosePartSize({ expectedBytes: options.expectedBytes, maxParts, fixedMib });
    const words = describePartSize(plan);
    // A small object takes only the memory that it fills, whatever the size of parts.
    if (words !== undefined && (options.expectedBytes ?? Number.POSITIVE_INFINITY) > plan.partSizeBytes) {
      this.#connection.log.info(`${key}: ${words}`);
    }
    const writer = new S3ObjectWriter({
      connection: this.#connection,
      key,
      contentType: options.contentType ?? 'application/octet-stream',
      onlyIfAbsent: options.onlyIfAbsent ?? false,
      plan,
      onEnd: () => this.#open.delete(writer),
    });
    this.#open.add(writer);
    return writer;
  }

  async probe(key: string): Promise<void> {
    assertKey(key);
    const connection = this.#connection;
    await probeUpload({
      connection,
      key,
      contentType: 'application/octet-stream',
      onlyIfAbsent: false,
      signal: connection.signal,
    });
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    assertKey(key);
    return readObject(this.#connection, key, range);
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    assertKey(key);
    return statObject(this.#connection, key);
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    assertPrefix(prefix);
    yield* listObjects(this.#connection, prefix);
  }

  async *listFolders(prefix: string): AsyncIterable<string> {
    assertPrefix(prefix);
    yield* listFolders(this.#connection, prefix);
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    await deleteObject(this.#connection, key);
  }

  async heldBy(key: string): Promise<string | undefined> {
    assertKey(key);
    this.#locks ??= bucketLocks(this.#connection);
    return (await this.#locks) ? await holdOf(this.#connection, key) : undefined;
  }

  keepsVersions(): Promise<boolean | undefined> {
    return bucketKeepsVersions(this.#connection);
  }

  lifecycle(): Promise<readonly LifecycleRule[]> {
    return bucketLifecycle(this.#connection);
  }

  sweep(series: string, olderThan: Date): Promise<SweepReport> {
    return sweepUploads(this.#connection, series, olderThan);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((writer) => writer.abort()));
    this.#connection.close();
  }
}
