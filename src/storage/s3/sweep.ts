/** Unfinished multipart uploads that dead runs have left: invisible, but billed. */
import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { messageOf } from '../../domain/errors.ts';
import { seriesPrefix } from '../../domain/set-layout.ts';
import { isStaleWrite, type UnfinishedWrite } from '../../domain/stale-writes.ts';
import type { SweepReport } from '../../ports.ts';
import { throwIfCancelled } from '../cancelled.ts';
import type { S3Connection } from './client.ts';
import { abortUpload } from './upload.ts';

interface UnfinishedUpload extends UnfinishedWrite {
  uploadId: string;
}

/** Needs s3:ListBucketMultipartUploads and s3:AbortMultipartUpload; without them the report says so. */
export async function sweepUploads(connection: S3Connection, series: string, olderThan: Date): Promise<SweepReport> {
  const removed: string[] = [];
  const left: string[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throwIfCancelled(connection.signal, 'sweep stale uploads');
      left.push(messageOf(error));
    }
  };
  await attempt(async () => {
    for await (const upload of unfinishedUploads(connection, seriesPrefix(series))) {
      if (!isStaleWrite(upload, series, olderThan)) continue;
      await attempt(async () => {
        await abortUpload(connection, upload.key, upload.uploadId, connection.signal);
        removed.push(upload.key);
      });
    }
  });
  return { removed, left };
}

async function* unfinishedUploads(connection: S3Connection, prefix: string): AsyncIterable<UnfinishedUpload> {
  let after: { key: string | undefined; uploadId: string | undefined } | undefined;
  do {
    const page = await listPage(connection, prefix, after);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      // Without a time it may be a second old.
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      yield { key: connection.relativeKey(Key), uploadId: UploadId, startedAt: Initiated };
    }
    const more = page.IsTruncated === true && page.NextKeyMarker !== undefined;
    after = more ? { key: page.NextKeyMarker, uploadId: page.NextUploadIdMarker } : undefined;
  } while (after !== undefined);
}

function listPage(
  connection: S3Connection,
  prefix: string,
  after: { key: string | undefined; uploadId: string | undefined } | undefined,
): Promise<ListMultipartUploadsCommandOutput> {
  const input = {
    Bucket: connection.bucket,
    Prefix: connection.objectKey(prefix),
    KeyMarker: after?.key,
    UploadIdMarker: after?.uploadId,
  };
  return connection.send(
    { words: 'look for stale uploads', permission: 's3:ListBucketMultipartUploads' },
    (client, http) => client.send(new ListMultipartUploadsCommand(input), http),
  );
}
