/** A bucket of a test's S3 server, looked at and changed past the action and past every proxy. */
import { createHash } from 'node:crypto';
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import type { FolderState } from './backup-scenario.ts';
import { clientOf } from './s3-client.ts';
import type { S3Server } from './s3-servers.ts';

export interface Bucket {
  readonly name: string;
  /** Every key, in order. */
  keys(): Promise<string[]>;
  read(key: string): Promise<Buffer>;
  /** Every key with the SHA-256 of its bytes. */
  state(): Promise<FolderState>;
  /** Multipart uploads that were neither completed nor aborted. */
  unfinishedUploads(): Promise<number>;
  /** Deletes every object and then the bucket itself. */
  destroy(): Promise<void>;
  close(): void;
}

/** Makes the bucket. */
export async function newBucket(server: S3Server, name: string): Promise<Bucket> {
  await server.createBucket(name);
  return openBucket(server, name);
}

/** A bucket that exists. */
export function openBucket(server: S3Server, name: string): Bucket {
  const client = clientOf(server);
  const at = { Bucket: name };
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for (let token: string | undefined; ; ) {
      const page = await client.send(new ListObjectsV2Command({ ...at, ContinuationToken: token }));
      found.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
      token = page.NextContinuationToken;
      if (token === undefined) return found.sort();
    }
  };
  const read = async (key: string): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ ...at, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  return {
    name,
    keys,
    read,
    async state() {
      const state = new Map<string, string>();
      for (const key of await keys())
        state.set(
          key,
          createHash('sha256')
            .update(await read(key))
            .digest('hex'),
        );
      return state;
    },
    async unfinishedUploads() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(at));
      return Uploads.length;
    },
    async destroy() {
      const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand(at));
      for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
        await client.send(new DeleteObjectCommand({ ...at, Key, VersionId }));
      }
      await client.send(new DeleteBucketCommand(at));
    },
    close: () => client.destroy(),
  };
}
