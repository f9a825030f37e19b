/** The rules by which a bucket itself deletes and moves objects. */
import { GetBucketLifecycleConfigurationCommand, type LifecycleRule as S3Rule } from '@aws-sdk/client-s3';
import type { LifecycleRule } from '../../domain/retention/lifecycle.ts';
import type { S3Connection } from './client.ts';
import { errorCodeOf, type S3Operation } from './errors.ts';

/** Of the whole bucket, empty when it has none. Throws what a request throws, also where the server knows no lifecycle. */
export async function bucketLifecycle(connection: S3Connection): Promise<LifecycleRule[]> {
  const operation: S3Operation = {
    words: 'read the lifecycle rules of the bucket',
    permission: 's3:GetLifecycleConfiguration',
  };
  const answer = await connection.send(operation, async (client, http) => {
    try {
      return await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: connection.bucket }), http);
    } catch (error) {
      if (errorCodeOf(error) === 'NoSuchLifecycleConfiguration') return undefined;
      throw error;
    }
  });
  return (answer?.Rules ?? []).map(readRule);
}

function readRule({
  ID,
  Status,
  Filter,
  Prefix,
  Expiration,
  Transitions,
  AbortIncompleteMultipartUpload,
}: S3Rule): LifecycleRule {
  const { Days, Date: on } = Expiration ?? {};
  const abort = AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  return {
    id: ID ?? '',
    enabled: Status === 'Enabled',
    prefix: Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? '',
    tagged: Filter?.Tag !== undefined || (Filter?.And?.Tags ?? []).length > 0,
    // Of rules for delete markers alone both are absent.
    ...(Days === undefined ? {} : { expiresAfterDays: Days }),
    ...(on === undefined ? {} : { expiresOn: on.toISOString().slice(0, 10) }),
    transitions: (Transitions ?? []).map((each) => ({ days: each.Days ?? 0, storageClass: each.StorageClass ?? '' })),
    ...(abort === undefined ? {} : { abortsAfterDays: abort }),
  };
}
