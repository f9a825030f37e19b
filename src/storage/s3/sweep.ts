/** Unfinished multipart uploads that dead runs have left: invisible, but billed. */
import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { messageOf } from '../../domain/errors.ts';
import { seriesPrefix } from '../../domain/set-layout.ts';
import { isStaleWrite, type UnfinishedWrite } from '../../domain/stale-writes.ts';
import type { SweepReport } from '../../ports.ts';
import { throwIfCancelled } from '../cancelled.ts';
import type { S3Connection } from './client.ts';
import { errorCodeOf } from './errors.ts';
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
  const stale: UnfinishedUpload[] = [];
  await attempt(async () => {
    for await (const upload of unfinishedUploads(connection, seriesPrefix(series))) {
      if (isStaleWrite(upload, series, olderThan)) stale.push(upload);
    }
  });
  // Only now: some servers do not go on with a listing after an upload that is gone.
  for (const { key, uploadId } of stale) {
    await attempt(async () => {
      await abortUpload(connection, key, uploadId, connection.signal);
      removed.push(key);
    });
  }
  return { removed, left };
}

async function* unfinishedUploads(connection: S3Connection, prefix: string): AsyncIterable<UnfinishedUpload> {
  let after: Marker | undefined;
  do {
    const page = await listPage(connection, prefix, after);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      // Without a time it may be a second old.
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      yield { key: connection.relativeKey(Key), uploadId: UploadId, startedAt: Initiated };
    }
    const { IsTruncated, NextKeyMarker: key, NextUploadIdMarker: uploadId } = page;
    // A server that takes no notice of markers would give the first page for ever.
    const goesOn = IsTruncated === true && key !== undefined && (key !== after?.key || uploadId !== after.uploadId);
    after = goesOn ? { key, uploadId } : undefined;
  } while (after !== undefined);
}

interface Marker {
  key: string;
  uploadId: string | undefined;
}

function listPage(
  connection: S3Connection,
  prefix: string,
  after: Marker | undefined,
): Promise<ListMultipartUploadsCommandOutput> {
  const page = { Bucket: connection.bucket, Prefix: connection.objectKey(prefix), KeyMarker: after?.key };
  return connection.send(
    { words: 'look for stale uploads', permission: 's3:ListBucketMultipartUploads' },
    async (client, http) => {
      try {
        return await client.send(new ListMultipartUploadsCommand({ ...page, UploadIdMarker: after?.uploadId }), http);
      } catch (error) {
        if (after?.uploadId === undefined || errorCodeOf(error) !== 'InvalidArgument') throw error;
        // versitygw 1.8 refuses the marker that it gave. The key alone may pass over a second upload of one key.
        return client.send(new ListMultipartUploadsCommand(page), http);
      }
    },
  );
}
