/** Shows that the stored bytes are the bytes that were sent, by the cheapest means that is conclusive. */
import { createHash } from 'node:crypto';
import { BackupError } from '../../domain/errors.ts';
import type { ObjectInfo, StoredEvidence } from '../../ports.ts';
import type { S3Connection } from './client.ts';
import { statIfAllowed } from './list.ts';
import { readObject } from './read.ts';
import type { Answer } from './upload.ts';

/** What we know of the bytes from computing it ourselves. */
export interface Sent {
  key: string;
  sizeBytes: number;
  /** Hex. */
  sha256: string;
  /** Of the whole object, base64 (policy `crc32`). */
  crc32?: string;
  /** The ETag that follows from our own MD5s, where we have them. A function, because MD5 is computed only if asked. */
  etag?: () => string | undefined;
}

/**
 * Pure. A role that may not list (`listed` is `not-allowed`) has the provider's answer to the upload instead, whose
 * checksum or ETag covers every byte. `unclear` when the provider gives neither a checksum of the whole object nor an ETag made from MD5s:
 * such ETags are usual with SSE-KMS and say nothing either way.
 */
export function judgeAnswer(
  sent: Sent,
  answer: Answer,
  listed: ObjectInfo | 'not-allowed',
): StoredEvidence | 'differs' | 'unclear' {
  if (listed !== 'not-allowed' && listed.sizeBytes !== sent.sizeBytes) return 'differs';
  if (sent.crc32 !== undefined && answer.crc32 !== undefined && !answer.composite) {
    return answer.crc32 === sent.crc32 ? 'provider-checksum' : 'differs';
  }
  const etag = sent.etag?.();
  const theirs = listed === 'not-allowed' ? answer.etag : listed.etag;
  return etag !== undefined && theirs?.toLowerCase() === etag ? 'size-and-etag' : 'unclear';
}

/** Throws `ERR_STORED_DIFFERS` when the bytes are not those, `ERR_STORAGE_DENIED` when nothing can tell. */
export async function verifyStored(
  connection: S3Connection,
  sent: Sent,
  answer: Answer,
  signal: AbortSignal,
): Promise<StoredEvidence> {
  const listed = await statSettled(connection, sent.key, signal);
  const judged = listed === undefined ? 'differs' : judgeAnswer(sent, answer, listed);
  if (judged === 'differs') throw differs(connection, sent.key);
  if (judged !== 'unclear') return judged;
  if ((await readBack(connection, sent.key)) !== sent.sha256) throw differs(connection, sent.key);
  return 'read-back';
}

/** Some stores list a new object only a moment later. */
const SETTLING_MS = [500, 1_500, 4_000];

async function statSettled(
  connection: S3Connection,
  key: string,
  signal: AbortSignal,
): Promise<ObjectInfo | undefined | 'not-allowed'> {
  for (const pauseMs of SETTLING_MS) {
    const info = await statIfAllowed(connection, key, signal);
    if (info !== undefined) return info;
    await connection.pause(pauseMs, signal, `check ${key}`);
  }
  return statIfAllowed(connection, key, signal);
}

async function readBack(connection: S3Connection, key: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of await readObject(connection, key)) hash.update(chunk as Buffer);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
    const what = `the provider gives neither a checksum nor an MD5 as its ETag, and reading it back is not allowed`;
    throw new BackupError('ERR_STORAGE_DENIED', `What was stored as ${key} cannot be checked: ${what}.`, {
      op: `check ${key}`,
      hint: `Allow s3:GetObject on arn:aws:s3:::${connection.bucket}/* or use a bucket without SSE-KMS.`,
      cause: error,
    });
  }
  return hash.digest('hex');
}

function differs(connection: S3Connection, key: string): BackupError {
  return new BackupError('ERR_STORED_DIFFERS', `${connection.uri(key)} is not what was sent.`, {
    op: `check ${key}`,
    hint: 'Run again. When it happens twice, do not trust this provider, endpoint or proxy with backups.',
  });
}
