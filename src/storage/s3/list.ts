/** Listing, and looking at one object through the listing: the backup role need not be allowed to read objects. */
import { type _Object, ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { BackupError } from '../../domain/errors.ts';
import type { ObjectInfo } from '../../ports.ts';
import type { S3Connection } from './client.ts';

/** S3's own limit of one page. */
const PAGE_KEYS = 1_000;

export async function* listObjects(connection: S3Connection, prefix: string): AsyncIterable<ObjectInfo> {
  for await (const page of pages(connection, prefix)) {
    for (const entry of page.Contents ?? []) {
      const info = toInfo(connection, entry);
      // Consoles make empty objects that end in a slash to show a folder; they are none of ours.
      if (info !== undefined && !info.key.endsWith('/')) yield info;
    }
  }
}

export async function* listFolders(connection: S3Connection, prefix: string): AsyncIterable<string> {
  for await (const page of pages(connection, prefix, '/')) {
    for (const folder of page.CommonPrefixes ?? []) {
      if (folder.Prefix !== undefined) yield connection.relativeKey(folder.Prefix);
    }
  }
}

/** `undefined` when there is none. A key is the first of all keys that begin with it, so one entry is enough. */
export async function statObject(
  connection: S3Connection,
  key: string,
  signal = connection.signal,
): Promise<ObjectInfo | undefined> {
  const page = await listPage(connection, { prefix: key, limit: 1, signal });
  const [entry] = page.Contents ?? [];
  const info = entry === undefined ? undefined : toInfo(connection, entry);
  return info?.key === key ? info : undefined;
}

/** As {@link statObject}, for a role that may perhaps only write. */
export async function statIfAllowed(
  connection: S3Connection,
  key: string,
  signal: AbortSignal,
): Promise<ObjectInfo | undefined | 'not-allowed'> {
  try {
    return await statObject(connection, key, signal);
  } catch (error) {
    if (error instanceof BackupError && error.code === 'ERR_STORAGE_DENIED') return 'not-allowed';
    throw error;
  }
}

/** Throws `ERR_STORAGE` rather than end early. */
async function* pages(
  connection: S3Connection,
  prefix: string,
  delimiter?: string,
): AsyncIterable<ListObjectsV2CommandOutput> {
  let token: string | undefined;
  for (;;) {
    const page = await listPage(connection, { prefix, limit: PAGE_KEYS, delimiter, token, signal: connection.signal });
    yield page;
    if (page.IsTruncated !== true) return;
    const next = page.NextContinuationToken;
    // What is not listed looks as if it were not there, and prune would take a cut set for an unfinished one.
    if (next === undefined || next === token)
      throw noListing(connection, prefix, 'says that it goes on, and not where');
    token = next;
  }
}

interface PageRequest {
  prefix: string;
  limit: number;
  signal: AbortSignal;
  delimiter?: string | undefined;
  token?: string | undefined;
}

async function listPage(connection: S3Connection, request: PageRequest): Promise<ListObjectsV2CommandOutput> {
  const input = {
    Bucket: connection.bucket,
    Prefix: connection.objectKey(request.prefix),
    MaxKeys: request.limit,
    Delimiter: request.delimiter,
    ContinuationToken: request.token,
  };
  const page = await connection.send(
    { words: 'list objects', permission: 's3:ListBucket' },
    (client, http) => client.send(new ListObjectsV2Command(input), http),
    { signal: request.signal },
  );
  const { Name, IsTruncated, KeyCount, MaxKeys } = page;
  // A login page read as a listing holds nothing, which is not the same as an empty bucket.
  if ([Name, IsTruncated, KeyCount, MaxKeys].some((field) => field !== undefined)) return page;
  throw noListing(connection, request.prefix, 'is no listing');
}

function noListing(connection: S3Connection, prefix: string, why: string): BackupError {
  const what = `What the provider answered as the listing of ${connection.uri(prefix)} ${why}`;
  return new BackupError('ERR_STORAGE', `${what}, so nobody knows what is there.`, {
    op: 'list objects',
    hint: 'Check that the endpoint is an S3 server and not a web page or proxy in front of it, then run again.',
  });
}

function toInfo(connection: S3Connection, entry: _Object): ObjectInfo | undefined {
  if (entry.Key === undefined) return undefined;
  const etag = entry.ETag?.replaceAll('"', '');
  return {
    key: connection.relativeKey(entry.Key),
    sizeBytes: entry.Size ?? 0,
    modifiedAt: entry.LastModified ?? new Date(0),
    ...(etag === undefined ? {} : { etag }),
  };
}
