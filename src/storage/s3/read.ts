/** Reading one object, going on where it broke off. */
import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { BackupError } from '../../domain/errors.ts';
import type { ByteRange } from '../../ports.ts';
import { pauseMs } from '../retry.ts';
import type { S3Connection } from './client.ts';
import { isTransient, type S3Operation, statusOf } from './errors.ts';
import { statObject } from './list.ts';

/**
 * Resolves once the provider has begun to answer. A connection that breaks or stalls is replaced by another that goes
 * on at the same byte of the same object (`If-Match`). A range beyond the end gives what is there, perhaps nothing.
 */
export async function readObject(
  connection: S3Connection,
  key: string,
  range: ByteRange = { start: 0 },
): Promise<Readable> {
  const operation: S3Operation = { words: `read ${key}`, permission: 's3:GetObject', key };
  if (range.end !== undefined && range.end <= range.start) return emptyRange(connection, key);
  const first = await request(connection, operation, range);
  if (first === undefined) return Readable.from([], { objectMode: false });
  return Readable.from(pieces(connection, operation, range.start, first), { objectMode: false });
}

async function* pieces(
  connection: S3Connection,
  operation: S3Operation,
  start: number,
  first: GetObjectCommandOutput,
): AsyncIterable<Buffer> {
  const end = start + (first.ContentLength ?? 0);
  let position = start;
  let failures = 0;
  for (let output: GetObjectCommandOutput | undefined = first; ; ) {
    try {
      for await (const chunk of (output?.Body ?? []) as AsyncIterable<Buffer>) {
        position += chunk.byteLength;
        failures = 0;
        yield chunk;
      }
      if (position >= end) return;
      throw Object.assign(new Error('the answer was too short'), { code: 'ECONNRESET' });
    } catch (error) {
      failures++;
      const final = connection.signal.aborted || failures >= connection.tuning.retry.attempts || !isTransient(error);
      if (final) throw describeReadError(connection, error, operation);
    }
    await connection.pause(
      pauseMs(connection.tuning.retry, failures, connection.tuning.random),
      connection.signal,
      operation.words,
    );
    output = await request(connection, operation, { start: position, end }, first.ETag);
  }
}

/** `undefined` when the range lies beyond the end. */
function request(
  connection: S3Connection,
  operation: S3Operation,
  range: ByteRange,
  ifMatch?: string,
): Promise<GetObjectCommandOutput | undefined> {
  const whole = range.start === 0 && range.end === undefined;
  const input = {
    Bucket: connection.bucket,
    Key: connection.objectKey(operation.key ?? ''),
    Range: whole ? undefined : `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`,
    IfMatch: ifMatch,
  };
  return connection.send(operation, async (client, http) => {
    try {
      return await client.send(new GetObjectCommand(input), http);
    } catch (error) {
      if (statusOf(error) === 416) return undefined;
      throw error;
    }
  });
}

async function emptyRange(connection: S3Connection, key: string): Promise<Readable> {
  if ((await statObject(connection, key)) !== undefined) return Readable.from([], { objectMode: false });
  throw new BackupError('ERR_STORAGE_MISSING', `There is no object ${connection.uri(key)}.`, {
    op: `read ${key}`,
    hint: 'List the destination to see what is there (`aws s3 ls`).',
  });
}

function describeReadError(connection: S3Connection, error: unknown, operation: S3Operation): Error {
  // The SDK compares the stored checksum itself where the provider sends one.
  if (error instanceof Error && error.message.startsWith('Checksum mismatch')) {
    return new BackupError('ERR_STORED_DIFFERS', `${operation.key} arrived with another checksum than it has.`, {
      op: operation.words,
      hint: 'Run again; when it happens twice, the stored object or the way to it is damaged.',
      cause: error,
    });
  }
  return connection.describe(error, operation);
}
