/** Which region a bucket of Amazon's is in. */
import { BackupError } from '../../domain/errors.ts';

/** Answers for every region of the ordinary partition. */
export const AMAZON = 'https://s3.amazonaws.com';

/**
 * Asks without credentials and without any right: Amazon names the region in a header of every answer to HeadBucket,
 * refusals and redirects included (S3 API reference, "HeadBucket"). `undefined` when there is no such bucket.
 * Throws a retryable error when nobody answers.
 */
export async function askRegion(bucket: string, endpoint: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(`${endpoint}/${bucket}`, { method: 'HEAD', redirect: 'manual', signal }).catch(
    (cause: unknown) => {
      throw noAnswer(bucket, cause);
    },
  );
  if (response.status >= 500 || response.status === 429) throw noAnswer(bucket, new Error(`HTTP ${response.status}`));
  return response.headers.get('x-amz-bucket-region') ?? undefined;
}

function noAnswer(bucket: string, cause: unknown): BackupError {
  return new BackupError('ERR_STORAGE', `Amazon does not say in which region bucket ${bucket} is.`, {
    op: 'find the region of the bucket',
    hint: `Write s3://${bucket}/…?region=… in \`storage\`, or set AWS_REGION.`,
    retryable: true,
    cause,
  });
}
