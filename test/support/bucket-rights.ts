/** What a key may do with a bucket, found out by trying. */
import {
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

const SERIES = 'postgres/tried';
const ID = '20260101_020000_nightly_k3v9qa';

/** A set, a verdict and an audit record to try things on. */
const KEYS = {
  archive: `${SERIES}/${ID}/database.backup.age`,
  own: `${SERIES}/${ID}/contents.json.age`,
  metadata: `${SERIES}/${ID}/metadata.json`,
  verdict: `${SERIES}/_drills/${ID}/20260102_040000_aaaaaa.json`,
  audit: `${SERIES}/_audit/20260102_040000_aaaaaa.started.json`,
};

const HARMLESS = { Status: 'Enabled', Filter: { Prefix: 'nothing/' }, Expiration: { Days: 1 } } as const;

const ATTEMPTS = {
  list: (client: S3Client, Bucket: string) => client.send(new ListObjectsV2Command({ Bucket, Prefix: 'postgres/' })),
  'read an archive': reads(KEYS.archive),
  'read metadata.json': reads(KEYS.metadata),
  'read a verdict': reads(KEYS.verdict),
  'write an archive': writes(KEYS.archive),
  'write metadata.json': writes(KEYS.metadata),
  'write a verdict': writes(KEYS.verdict),
  'write an audit record': writes(KEYS.audit),
  'write elsewhere': writes('other/file'),
  // Some servers give whoever wrote an object every right to it.
  'read what it wrote': async (client: S3Client, Bucket: string) => {
    await client.send(new PutObjectCommand({ Bucket, Key: KEYS.own, Body: 'its own' }));
    await client.send(new GetObjectCommand({ Bucket, Key: KEYS.own }));
  },
  'delete what it wrote': async (client: S3Client, Bucket: string) => {
    await client.send(new PutObjectCommand({ Bucket, Key: KEYS.own, Body: 'its own' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: KEYS.own }));
  },
  'destroy a version': (client: S3Client, Bucket: string, version: string) =>
    client.send(new DeleteObjectCommand({ Bucket, Key: KEYS.archive, VersionId: version })),
  'delete a verdict': deletes(KEYS.verdict),
  'delete an audit record': deletes(KEYS.audit),
  'delete an archive': deletes(KEYS.archive),
  'change rules': (client: S3Client, Bucket: string) =>
    client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [HARMLESS] } })),
  'change the policy': (client: S3Client, Bucket: string) => client.send(new DeleteBucketPolicyCommand({ Bucket })),
} as const;

export type Right = keyof typeof ATTEMPTS;

function reads(Key: string) {
  return (client: S3Client, Bucket: string) => client.send(new GetObjectCommand({ Bucket, Key }));
}

function writes(Key: string) {
  return (client: S3Client, Bucket: string) => client.send(new PutObjectCommand({ Bucket, Key, Body: 'forged' }));
}

function deletes(Key: string) {
  return (client: S3Client, Bucket: string) => client.send(new DeleteObjectCommand({ Bucket, Key }));
}

/** What each role of docs/setup may do, by all that is tried; nothing else. */
export const RIGHTS = {
  backup: [
    'list',
    'read metadata.json',
    'write an archive',
    'write metadata.json',
    'write a verdict',
    'write an audit record',
  ],
  drill: ['list', 'read an archive', 'read metadata.json', 'read a verdict', 'write a verdict'],
  restore: ['list', 'read an archive', 'read metadata.json', 'read a verdict', 'write an audit record'],
  prune: ['list', 'read metadata.json', 'read a verdict', 'write an audit record', 'delete an archive'],
  status: ['list', 'read metadata.json', 'read a verdict'],
} as const satisfies Record<string, readonly Right[]>;

/** What is allowed to `client`, of all that is tried; `owner` lays out anew what it is tried on. */
export async function rightsOf(client: S3Client, owner: S3Client, bucket: string): Promise<Right[]> {
  const allowed: Right[] = [];
  for (const [right, attempt] of Object.entries(ATTEMPTS) as [Right, (typeof ATTEMPTS)[Right]][]) {
    let version = '';
    for (const Key of Object.values(KEYS)) {
      const put = await owner.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'as it was' }));
      if (Key === KEYS.archive) version = put.VersionId ?? '';
    }
    const refusal = await attempt(client, bucket, version).then(
      () => undefined,
      (error: Error & { $metadata?: { httpStatusCode?: number } }) => error,
    );
    if (refusal === undefined) allowed.push(right);
    else if (refusal.$metadata?.httpStatusCode !== 403)
      throw new Error(`${right}: ${refusal.name}`, { cause: refusal });
  }
  return allowed;
}
