/** The small interfaces between the commands and the outside world. Adapters implement them. */
import type { Readable } from 'node:stream';
import type { LifecycleRule } from './domain/retention/lifecycle.ts';

/** A point in time and the means to wait; injected so that domain and tests own the clock. */
export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`; rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Where words for the user go. Every implementation masks registered secrets. */
export interface Log {
  info(message: string): void;
  /** Like `info`, but in a terminal the next one takes its place. */
  progress(message: string): void;
  notice(message: string): void;
  warning(message: string): void;
  error(message: string): void;
  debug(message: string): void;
  /** Runs `body` inside a foldable group. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  /** Registers a secret in every form; must be called before the value can be printed anywhere. */
  mask(secret: string): void;
}

/** What is known of one stored object without reading it. */
export interface ObjectInfo {
  /** Relative to the destination's root: `shop/20261121_020000_nightly_k3v9qa/metadata.json`. */
  key: string;
  sizeBytes: number;
  modifiedAt: Date;
  /** The provider's ETag without quotes, where it has one. */
  etag?: string;
}

/** How the bytes at rest were shown to be the bytes that were sent. */
export type StoredEvidence = 'provider-checksum' | 'size-and-etag' | 'read-back';

/** A finished object: written, visible, and checked against what was sent. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
  /** SHA-256 of the stored bytes, hex. */
  sha256: string;
  evidence: StoredEvidence;
}

export interface WriteOptions {
  /** Upper estimate of the object's size, for choosing the part size. Not a promise. */
  expectedBytes?: number;
  contentType?: string;
  /**
   * Refuse to replace an existing object (`If-None-Match: *`). On a store that does not honour
   * the condition the adapter falls back to looking first.
   */
  onlyIfAbsent?: boolean;
}

/**
 * A streaming write of one object. Nothing is visible under the key before `commit` resolves.
 * After a rejected `write` or `commit` the owner must call `abort`, which never rejects and is idempotent.
 */
export interface ObjectWriter {
  /**
   * Takes ownership of nothing: the chunk may be reused once the promise resolves.
   * Resolves when there is room for more (backpressure).
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Finishes the object and checks what was stored. Throws `ERR_STORED_DIFFERS` when it is not what was sent. */
  commit(): Promise<StoredObject>;
  /** Discards everything written so far, at the provider too. Warns through the log, never throws. */
  abort(): Promise<void>;
}

/** Inclusive start, exclusive end, in bytes. */
export interface ByteRange {
  start: number;
  end?: number;
}

/** What became of unfinished writes that dead runs had left. */
export interface SweepReport {
  /** Keys whose unfinished writes were removed. */
  removed: readonly string[];
  /** What could not be removed or not even looked for, in sentences; a notice, never a failure. */
  left: readonly string[];
}

/**
 * One destination. Keys are `/`-separated and relative to the destination's root.
 * Transient faults are retried inside; what is thrown is final and is a `BackupError` with an `ERR_STORAGE…` code.
 */
export interface Storage {
  /** Safe to print, e.g. `s3://bucket/prefix` or `/data/backups`. */
  readonly location: string;
  /** The URI of a key, safe to print: `s3://bucket/prefix/key` or an absolute path. */
  uri(key: string): string;
  /**
   * Shows that an object could be written under `key`, and leaves nothing visible. Throws what a write would throw.
   */
  probe(key: string): Promise<void>;
  /** Begins a streaming write. May defer all I/O until the first bytes. */
  create(key: string, options?: WriteOptions): Promise<ObjectWriter>;
  /** Throws `ERR_STORAGE_MISSING` when there is no such object. */
  get(key: string, range?: ByteRange): Promise<Readable>;
  /** `undefined` when there is no such object. */
  stat(key: string): Promise<ObjectInfo | undefined>;
  /** All objects whose key starts with `prefix`, in key order, however many there are. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Direct sub-folders of `prefix` (which ends in `/` or is empty): `shop/2026…_k3v9qa/`. */
  listFolders(prefix: string): AsyncIterable<string>;
  /** Idempotent: deleting what is not there succeeds. */
  delete(key: string): Promise<void>;
  /**
   * Why an object must not be deleted yet, as a predicate: `is locked until 2027-01-01T00:00:00.000Z`. To be asked before
   * `delete`, because some stores answer kindly and only hide what is locked. `undefined` when nothing holds it, or the
   * store knows no such thing. Throws when it cannot be looked at.
   */
  heldBy(key: string): Promise<string | undefined>;
  /**
   * Whether what is deleted stays as an older version, so that no room is freed by it. `undefined` when that cannot be
   * told.
   */
  keepsVersions(): Promise<boolean | undefined>;
  /** The rules by which the store itself deletes and moves objects; `undefined` when it has no such thing. Throws when they cannot be read. */
  lifecycle(): Promise<readonly LifecycleRule[] | undefined>;
  /**
   * Removes what this action's runs of `series` began to write before `olderThan` and never ended; nobody else's, and
   * nothing that is visible. `staleBefore` of the domain says when. Throws only when the run is cancelled.
   */
  sweep(series: string, olderThan: Date): Promise<SweepReport>;
  /** Ends sockets and aborts writers that are still open. */
  close(): Promise<void>;
}

/**
 * A push-style transformation of the stored bytes. `none` passes through.
 * `update` and `final` return the ciphertext that is ready; an empty result is allowed.
 */
export interface EncryptionStream {
  update(chunk: Uint8Array): Uint8Array[];
  final(): Uint8Array[];
}

/** Makes one independent encryption stream per object. */
export interface Cipher {
  /** Appended to the object's name: `.age` or the empty string. */
  readonly suffix: '' | '.age';
  open(): Promise<EncryptionStream>;
}
