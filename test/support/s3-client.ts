/** Amazon's own client for an S3 server of a test: goes past the action, and past every proxy. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Server } from './s3-servers.ts';

type Keys = Pick<S3Server, 'accessKeyId' | 'secretAccessKey'>;

/** As whoever owns the server, or with the keys that are given. The caller destroys it. */
export function clientOf(server: Pick<S3Server, 'endpoint' | 'region'> & Keys): S3Client;
export function clientOf(
  server: Pick<S3Server, 'endpoint' | 'region'>,
  credentials: NonNullable<S3ClientConfig['credentials']>,
): S3Client;
export function clientOf(
  server: Pick<S3Server, 'endpoint' | 'region'> & Partial<Keys>,
  credentials: NonNullable<S3ClientConfig['credentials']> = server as Keys,
): S3Client {
  const { endpoint, region } = server;
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials });
}
