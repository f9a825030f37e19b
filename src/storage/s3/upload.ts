/** The requests that write one object, each with what it takes to survive an answer that got lost. */
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { BackupError } from '../../domain/errors.ts';
import type { S3Connection } from './client.ts';
import { errorCodeOf, type S3Operation, statusOf } from './errors.ts';
import { statIfAllowed } from './list.ts';
import type { Part } from './part.ts';

export interface UploadTarget {
  connection: S3Connection;
  key: string;
  contentType: string;
  onlyIfAbsent: boolean;
  /** Fires when the writer is aborted or the run is cancelled. */
  signal: AbortSignal;
}

/** What is remembered of a part that has arrived. */
export interface PartReceipt {
  number: number;
  /** As the provider gave it, for the completion. */
  etag: string;
  /** Our own MD5 (policy `md5`). */
  md5?: Buffer;
  /** Our own CRC32 (policy `crc32`), and whether the provider repeated it. */
  crc32?: string;
  crc32Confirmed: boolean;
}

/** What the provider said when the object became visible. */
export interface Answer {
  /** Base64; absent when the provider computes none. */
  crc32?: string;
  /** Without quotes. */
  etag?: string;
  /** The value is a checksum of checksums, which says nothing about the order of parts. */
  composite: boolean;
}

type SendOptions = { abortSignal: AbortSignal };

/**
 * Refuses to go on when the key is taken. For stores that ignore `If-None-Match`, and to save a useless request.
 * A role that may not list relies on that condition, and on the random part of every set's name.
 */
export async function refuseIfPresent(target: UploadTarget): Promise<void> {
  const present = await statIfAllowed(target.connection, target.key, target.signal);
  if (present === undefined || present === 'not-allowed') return;
  throw new BackupError('ERR_STORAGE_EXISTS', `${target.connection.uri(target.key)} exists already.`, {
    op: `upload ${target.key}`,
    hint: 'Backups are never overwritten. Run again: a new run chooses a new name.',
  });
}

export function putObject(target: UploadTarget, part: Part): Promise<Answer> {
  const { connection, key } = target;
  const input = {
    Bucket: connection.bucket,
    Key: connection.objectKey(key),
    Body: part.body(),
    ContentType: target.contentType,
    ...connection.keeping(part.length),
    ...checksumHeaders(connection, part),
  };
  const won: Won = { ownEtag: () => part.md5().toString('hex'), answer: { composite: false }, patient: false };
  return whenAbsent(target, won, (client, http, ifAbsent) =>
    client.send(new PutObjectCommand({ ...input, ...ifAbsent }), http).then(toAnswer),
  );
}

/** `signal` is its own: a creation that is cut off could leave an upload that nobody knows of. */
export async function createUpload(target: UploadTarget, signal: AbortSignal): Promise<string> {
  const { connection, key } = target;
  const checksum =
    connection.checksum === 'crc32' ? ({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const) : {};
  const input = {
    Bucket: connection.bucket,
    Key: connection.objectKey(key),
    ContentType: target.contentType,
    ...connection.keeping(),
  };
  const created = await connection.send(
    uploadOperation(key),
    (client, http) => client.send(new CreateMultipartUploadCommand({ ...input, ...checksum }), http),
    { signal },
  );
  return required(created.UploadId, 'an upload id', key);
}

export async function uploadPart(target: UploadTarget, uploadId: string, part: Part): Promise<PartReceipt> {
  const { connection, key, signal } = target;
  const input = {
    Bucket: connection.bucket,
    Key: connection.objectKey(key),
    UploadId: uploadId,
    PartNumber: part.number,
    Body: part.body(),
    ...checksumHeaders(connection, part),
  };
  const sent = await connection.send(
    { ...uploadOperation(key), words: `upload part ${part.number} of ${key}`, part: part.number },
    (client, http) => client.send(new UploadPartCommand(input), http),
    { signal },
  );
  const receipt = { number: part.number, etag: required(sent.ETag, 'an ETag', key) };
  if (connection.checksum === 'md5') return { ...receipt, md5: part.md5(), crc32Confirmed: false };
  const crc32 = part.crc32Base64();
  return { ...receipt, crc32, crc32Confirmed: sent.ChecksumCRC32 === crc32 };
}

export interface Completion {
  uploadId: string;
  receipts: PartReceipt[];
  sizeBytes: number;
  /** Of the whole object, base64. */
  crc32: string;
}

export function completeUpload(target: UploadTarget, completion: Completion): Promise<Answer> {
  const { connection, key } = target;
  const { uploadId, receipts, sizeBytes, crc32 } = completion;
  const withCrc = connection.checksum === 'crc32';
  const input = {
    Bucket: connection.bucket,
    Key: connection.objectKey(key),
    UploadId: uploadId,
    MultipartUpload: {
      Parts: receipts.map((receipt) => ({
        PartNumber: receipt.number,
        ETag: receipt.etag,
        ...(receipt.crc32 === undefined ? {} : { ChecksumCRC32: receipt.crc32 }),
      })),
    },
    ...(withCrc ? ({ ChecksumCRC32: crc32, ChecksumType: 'FULL_OBJECT', MpuObjectSize: sizeBytes } as const) : {}),
  };
  // A provider that checked every part's CRC would have refused a completion whose CRC was wrong.
  const checked = withCrc && receipts.every((receipt) => receipt.crc32Confirmed);
  const won: Won = {
    ownEtag: () => multipartEtag(receipts),
    answer: { composite: false, ...(checked ? { crc32 } : {}) },
    patient: true,
  };
  return whenAbsent(target, won, (client, http, ifAbsent) =>
    client.send(new CompleteMultipartUploadCommand({ ...input, ...ifAbsent }), http).then(toAnswer),
  );
}

/**
 * Discards the parts. Succeeds when the upload is gone already. True when there was such an upload: a part that was
 * still being received may have survived, so ask again.
 */
export async function abortUpload(
  connection: S3Connection,
  key: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<boolean> {
  let existed = true;
  const input = { Bucket: connection.bucket, Key: connection.objectKey(key), UploadId: uploadId };
  const operation = { words: `discard the unfinished upload of ${key}`, permission: 's3:AbortMultipartUpload', key };
  await connection.send(
    operation,
    async (client, http) => {
      try {
        await client.send(new AbortMultipartUploadCommand(input), http);
      } catch (error) {
        if (!['NoSuchUpload', 'NoSuchBucket'].includes(errorCodeOf(error))) throw error;
        existed = false;
      }
    },
    { signal },
  );
  return existed;
}

export async function deleteObject(connection: S3Connection, key: string, signal = connection.signal): Promise<void> {
  const input = { Bucket: connection.bucket, Key: connection.objectKey(key) };
  await connection.send(
    { words: `delete ${key}`, permission: 's3:DeleteObject', key },
    async (client, http) => {
      try {
        await client.send(new DeleteObjectCommand(input), http);
      } catch (error) {
        if (errorCodeOf(error) !== 'NoSuchKey') throw error;
      }
    },
    { signal },
  );
}

/** MD5 of the parts' MD5s and their number: the ETag that S3 gives to a multipart object. */
export function multipartEtag(receipts: readonly PartReceipt[]): string | undefined {
  const digests = receipts.map((receipt) => receipt.md5 ?? md5FromEtag(receipt.etag));
  if (digests.some((digest) => digest === undefined)) return undefined;
  const hash = createHash('md5');
  for (const digest of digests) if (digest !== undefined) hash.update(digest);
  return `${hash.digest('hex')}-${receipts.length}`;
}

function md5FromEtag(etag: string): Buffer | undefined {
  const hex = /^"?([0-9a-f]{32})"?$/i.exec(etag)?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

interface Won {
  /** The ETag that the object has when an earlier try of ours wrote it; `undefined` when that cannot be told. */
  ownEtag: () => string | undefined;
  answer: Answer;
  /** Waits as long as completing an upload may take. */
  patient: boolean;
}

/**
 * Sends the request that makes the object visible. A first try may have succeeded although its answer was lost; the
 * second then finds the name taken (412) or the upload gone (404), and the object's ETag tells whether it is our own.
 */
function whenAbsent(
  target: UploadTarget,
  won: Won,
  request: (client: S3Client, http: SendOptions, ifAbsent: { IfNoneMatch?: '*' }) => Promise<Answer>,
): Promise<Answer> {
  const { connection, key, signal } = target;
  let conditional = target.onlyIfAbsent;
  const once = (client: S3Client, http: SendOptions): Promise<Answer> =>
    request(client, http, conditional ? { IfNoneMatch: '*' } : {});
  return connection.send(
    uploadOperation(key),
    async (client, http, attempt) => {
      try {
        const answer = await once(client, http).catch((error: unknown) => {
          if (!conditional || statusOf(error) !== 501) throw error;
          connection.log.debug('The store does not know If-None-Match; it was looked first whether the name is free.');
          conditional = false;
          return once(client, http);
        });
        // Stores that answer a repeated completion kindly leave the checksum out that they gave the first time.
        return attempt === 1 ? answer : { ...won.answer, ...answer };
      } catch (error) {
        const taken = statusOf(error) === 412 || errorCodeOf(error) === 'NoSuchUpload';
        if (attempt === 1 || !taken) throw error;
        const ownEtag = won.ownEtag();
        const present = await statIfAllowed(connection, key, signal);
        if (ownEtag === undefined || present === 'not-allowed' || present?.etag !== ownEtag) throw error;
        return won.answer;
      }
    },
    { signal, patient: won.patient },
  );
}

function checksumHeaders(connection: S3Connection, part: Part) {
  return connection.checksum === 'crc32'
    ? ({ ChecksumAlgorithm: 'CRC32', ChecksumCRC32: part.crc32Base64() } as const)
    : { ContentMD5: part.md5().toString('base64') };
}

interface Output {
  ChecksumCRC32?: string | undefined;
  ChecksumType?: string | undefined;
  ETag?: string | undefined;
}

function toAnswer({ ChecksumCRC32, ChecksumType, ETag }: Output): Answer {
  const composite = ChecksumType === 'COMPOSITE' || ChecksumCRC32?.includes('-') === true;
  return {
    composite,
    ...(ChecksumCRC32 === undefined ? {} : { crc32: ChecksumCRC32 }),
    ...(ETag === undefined ? {} : { etag: ETag.replaceAll('"', '') }),
  };
}

function uploadOperation(key: string): S3Operation {
  return { words: `upload ${key}`, permission: 's3:PutObject', key };
}

function required(value: string | undefined, what: string, key: string): string {
  if (value !== undefined) return value;
  throw new BackupError('ERR_STORAGE', `The provider answered the upload of ${key} without ${what}.`, {
    op: `upload ${key}`,
    hint: 'Check that the endpoint is an S3 server and not a web page or proxy in front of it.',
  });
}
