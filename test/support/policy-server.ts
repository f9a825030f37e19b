/** An S3 server that enforces policies: one bucket, and one user who may do what its policy says and nothing else. */
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { type Bucket, newBucket } from './bucket.ts';
import { clientOf } from './s3-client.ts';
import { type S3Server, startVersitygw } from './s3-servers.ts';

export const BUCKET = 'acme-backups';
export const USER = { accessKeyId: 'THEROLESKEY00', secretAccessKey: 'secret-of-the-role' };
/** What a step has that runs as the user. */
export const USER_ENV = {
  AWS_ACCESS_KEY_ID: USER.accessKeyId,
  AWS_SECRET_ACCESS_KEY: USER.secretAccessKey,
  AWS_REGION: 'us-east-1',
};

/** Of a policy in the documents. */
export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: string | string[];
}

export interface PolicyServer {
  readonly server: S3Server;
  /** Looked at as the owner. */
  readonly bucket: Bucket;
  /** What the user may do from now on. */
  allow(statements: readonly Statement[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startPolicyServer(): Promise<PolicyServer> {
  const server = await startVersitygw({ user: USER });
  const bucket = await newBucket(server, BUCKET);
  const owner = clientOf(server);
  return {
    server,
    bucket,
    async allow(statements) {
      const Principal = { AWS: [USER.accessKeyId] };
      const policy = { Version: '2012-10-17', Statement: statements.map((each) => ({ ...each, Principal })) };
      await owner.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify(policy) }));
    },
    async stop() {
      owner.destroy();
      bucket.close();
      await server.stop();
    },
  };
}
