/**
 * What a bucket keeps although it is deleted: objects under Object Lock, and older versions. A plain DELETE of a locked
 * object succeeds and only hides it, so it must be looked at before.
 */
import {
  GetBucketVersioningCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { BackupError } from '../../domain/errors.ts';
import type { S3Connection } from './client.ts';
import { errorCodeOf, type S3Operation, statusOf } from './errors.ts';

/** Answers of servers that do not know a request at all. */
const UNKNOWN_REQUEST = new Set([405, 501]);
/** Nothing is set. Amazon; "InvalidRequest" also where the whole bucket has no Object Lock. */
const NOTHING_SET = new Set([
  'NoSuchObjectLockConfiguration',
  'ObjectLockConfigurationNotFoundError',
  'NoSuchKey',
  'InvalidRequest',
]);

/** Whether objects of the bucket can be locked at all. Without the right to ask, each object is asked. */
export async function bucketLocks(connection: S3Connection): Promise<boolean> {
  const operation: S3Operation = {
    words: 'look whether the bucket has Object Lock',
    permission: 's3:GetBucketObjectLockConfiguration',
  };
  try {
    const answer = await connection.send(operation, (client, http) =>
      unlessNothing(() => client.send(new GetObjectLockConfigurationCommand({ Bucket: connection.bucket }), http)),
    );
    return answer?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
  } catch (error) {
    if (isDenied(error)) return true;
    throw error;
  }
}

/** A predicate: `is locked until 2027-01-01T00:00:00.000Z`. Needs s3:GetObjectRetention and s3:GetObjectLegalHold. */
export async function holdOf(connection: S3Connection, key: string): Promise<string | undefined> {
  const object = { Bucket: connection.bucket, Key: connection.objectKey(key) };
  const words = `look whether ${key} is locked`;
  const retention = await connection.send({ words, permission: 's3:GetObjectRetention', key }, (client, http) =>
    unlessNothing(() => client.send(new GetObjectRetentionCommand(object), http)),
  );
  const until = retention?.Retention?.RetainUntilDate;
  if (until !== undefined && until > connection.clock.now()) return `is locked until ${until.toISOString()}`;
  const hold = await connection.send({ words, permission: 's3:GetObjectLegalHold', key }, (client, http) =>
    unlessNothing(() => client.send(new GetObjectLegalHoldCommand(object), http)),
  );
  return hold?.LegalHold?.Status === 'ON' ? 'is under a legal hold' : undefined;
}

/** `undefined` where it may not, or cannot, be asked. */
export async function bucketKeepsVersions(connection: S3Connection): Promise<boolean | undefined> {
  const operation: S3Operation = {
    words: 'look whether the bucket keeps versions',
    permission: 's3:GetBucketVersioning',
  };
  try {
    const answer = await connection.send(operation, (client, http) =>
      unlessNothing(() => client.send(new GetBucketVersioningCommand({ Bucket: connection.bucket }), http)),
    );
    return answer === undefined ? undefined : answer.Status === 'Enabled';
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

async function unlessNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (NOTHING_SET.has(errorCodeOf(error)) || UNKNOWN_REQUEST.has(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof BackupError && error.code === 'ERR_STORAGE_DENIED';
}
