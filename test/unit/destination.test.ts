import { describe, expect, it } from 'vitest';
import {
  describeDestination,
  type Environment,
  parseDestination,
  resolveS3,
  type S3Destination,
} from '../../src/domain/destination.ts';

function s3(line: string): S3Destination {
  const destination = parseDestination(line);
  if (destination.kind !== 's3') throw new Error('not S3');
  return destination;
}

function complaint(line: string): string {
  try {
    parseDestination(line);
  } catch (error) {
    expect(error).toMatchObject({ name: 'BackupError', code: 'ERR_INPUT' });
    return (error as Error).message;
  }
  throw new Error(`${line} was accepted`);
}

const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };

describe('a destination line', () => {
  it('is S3 with every option', () => {
    const line =
      's3://my.bucket-1/team/db/?region=eu-central-1&endpoint=https%3A%2F%2Fs3.example.com%2Fstorage%2Fv1%2Fs3%2F&force-path-style=true' +
      '&credentials=BACKUP_2&max-parts=1000&part-size-mib=64&checksum=md5' +
      '&sse=aws:kms&kms-key-id=arn:aws:kms:eu-central-1:123456789012:key/1234-abcd&storage-class=GLACIER_IR&ca-file=/etc/ca.pem';
    expect(parseDestination(line)).toEqual({
      kind: 's3',
      bucket: 'my.bucket-1',
      prefix: 'team/db',
      region: 'eu-central-1',
      endpoint: 'https://s3.example.com/storage/v1/s3',
      forcePathStyle: true,
      credentials: 'BACKUP_2',
      maxParts: 1000,
      partSizeMib: 64,
      checksum: 'md5',
      sse: 'aws:kms',
      kmsKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/1234-abcd',
      storageClass: 'GLACIER_IR',
      caFile: '/etc/ca.pem',
    });
  });

  it('needs nothing but a bucket', () => {
    expect(parseDestination(' s3://bucket ')).toEqual({ kind: 's3', bucket: 'bucket', prefix: '' });
  });

  it('is a directory when it has no scheme', () => {
    expect(parseDestination('backups')).toEqual({ kind: 'directory', path: 'backups' });
    expect(parseDestination('/mnt/My Backups')).toEqual({ kind: 'directory', path: '/mnt/My Backups' });
  });

  it('prints without its options', () => {
    expect(describeDestination(s3('s3://bucket/a/b?region=x'))).toBe('s3://bucket/a/b');
    expect(describeDestination(s3('s3://bucket?region=x'))).toBe('s3://bucket');
    expect(describeDestination(parseDestination('backups'))).toBe('backups');
  });

  it.each([
    ['', 'empty'],
    ['s3://', 'names no bucket'],
    ['s3:bucket', 'cannot be read'],
    ['S3://bucket', 'cannot be read'],
    ['s3://bucket/a#b', 'cannot be read'],
    ['s3://My_Bucket', 'is not the name of a bucket'],
    ['s3://ab', 'is not the name of a bucket'],
    ['s3://a..b', 'is not the name of a bucket'],
    ['s3://-bucket', 'is not the name of a bucket'],
    ['s3://192.168.1.1', 'is not the name of a bucket'],
    ['s3://bucket--use1-az4--x-s3', 'S3 Express'],
    ['s3://bucket/a//b', 'empty, "." or ".."'],
    ['s3://bucket/../b', 'empty, "." or ".."'],
    [`s3://bucket/${'a'.repeat(501)}`, 'too long'],
    ['s3://bucket?regoin=eu', '"regoin" is not an option'],
    ['s3://bucket?region=a&region=b', 'given twice'],
    ['s3://bucket?region=', '"region" is empty'],
    ['s3://bucket?region=eu west', '"region"'],
    ['s3://bucket?force-path-style=yes', 'true or false'],
    ['s3://bucket?credentials=my-keys', 'a name in capitals'],
    ['s3://bucket?sse=kms', 'AES256 or aws:kms'],
    ['s3://bucket?kms-key-id=alias/backup', 'without "sse=aws:kms"'],
    ['s3://bucket?sse=AES256&kms-key-id=alias/backup', 'without "sse=aws:kms"'],
    ['s3://bucket?storage-class=standard', 'a class such as STANDARD_IA'],
    ['s3://bucket?storage-class=DEEP_ARCHIVE', 'takes hours to give an object back'],
    ['s3://bucket?storage-class=GLACIER', 'Take GLACIER_IR'],
    ['s3://bucket?ca-file=~/ca.pem', 'only a shell expands'],
    ['s3://bucket?checksum=sha256', 'crc32 or md5'],
    ['s3://bucket?max-parts=0', 'from 1 to 10000'],
    ['s3://bucket?max-parts=10001', 'from 1 to 10000'],
    ['s3://bucket?part-size-mib=4', 'from 5 to 5120'],
    ['s3://bucket?part-size-mib=1.5', 'from 5 to 5120'],
    ['s3://bucket?endpoint=s3.example.com:9000', 'lacks https://'],
    ['s3://bucket?endpoint=https://', 'not a URL'],
    ['s3://bucket?endpoint=ftp://host', 'lacks https://'],
    ['s3://bucket?endpoint=https://host/?x=1', 'has a query'],
    ['gs://bucket', '"gs://" is not a kind of storage'],
    ['https://bucket.s3.amazonaws.com', '"https://" is not a kind of storage'],
    ['~/backups', 'only a shell expands'],
    ['$HOME/backups', 'only a shell expands'],
    ['/mnt/$VOLUME/x', 'only a shell expands'],
    ['bucket/prefix?region=eu', 'does not begin with "s3://"'],
    ['back\nups', 'control character'],
  ])('%j is refused with words that help', (line, words) => {
    expect(complaint(line)).toContain(words);
  });

  it.each([
    's3://AKIAID:hunter2@bucket/prefix',
    's3://bucket/AKIAID:hunter2@prefix',
    's3://bucket?endpoint=https://AKIAID:hunter2@host',
    's3://bucket?secret-access-key=hunter2',
    's3://bucket?credentials=hunter2',
    's3://bucket?region=AKIAID/hunter2',
  ])('%j is refused without repeating what may be secret', (line) => {
    expect(complaint(line)).not.toMatch(/hunter2|AKIAID/);
  });
});

describe('the environment fills what the line leaves out', () => {
  const resolve = (line: string, env: Environment = keys) => resolveS3(s3(line), env);

  it('takes the region from the line, then AWS_REGION, then AWS_DEFAULT_REGION, then the endpoint’s kind', () => {
    const env = { ...keys, AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' };
    expect(resolve('s3://bucket?region=eu-west-3', env).region).toBe('eu-west-3');
    expect(resolve('s3://bucket', env).region).toBe('eu-west-1');
    expect(resolve('s3://bucket', { ...env, AWS_REGION: '' }).region).toBe('eu-west-2');
    expect(resolve('s3://bucket').region).toBe('us-east-1');
    expect(resolve('s3://bucket?endpoint=https://abc.r2.cloudflarestorage.com').region).toBe('auto');
  });

  it('lets an endpoint that names its region decide before AWS_REGION, which is about another provider', () => {
    const env = { ...keys, AWS_REGION: 'eu-west-1' };
    const regionAt = (host: string): string => resolve(`s3://bucket?endpoint=https://${host}`, env).region;
    expect(regionAt('s3.us-west-004.backblazeb2.com')).toBe('us-west-004');
    expect(regionAt('s3.eu-central-2.wasabisys.com')).toBe('eu-central-2');
    expect(regionAt('s3.fr-par.scw.cloud')).toBe('fr-par');
    expect(regionAt('s3.cn-north-1.amazonaws.com.cn')).toBe('cn-north-1');
    expect(regionAt('abc.r2.cloudflarestorage.com')).toBe('auto');
    expect(regionAt('s3.example.com')).toBe('eu-west-1');
  });

  it('guesses a region on Amazon only, where the bucket can be asked', () => {
    expect(resolve('s3://bucket')).toMatchObject({ region: 'us-east-1', regionIsGuess: true });
    for (const line of ['s3://bucket?region=us-east-1', 's3://bucket?endpoint=https://minio.example.com']) {
      expect(resolve(line)).toMatchObject({ region: 'us-east-1', regionIsGuess: false });
    }
  });

  it('knows providers that allow 1,000 parts', () => {
    expect(resolve('s3://bucket?endpoint=https://s3.fr-par.scw.cloud').maxParts).toBe(1_000);
    expect(resolve('s3://bucket?endpoint=https://s3.fr-par.scw.cloud&max-parts=500').maxParts).toBe(500);
    expect(resolve('s3://bucket').maxParts).toBe(10_000);
  });

  it('takes the file of a private authority from the line, then from AWS_CA_BUNDLE', () => {
    expect(resolve('s3://bucket', { ...keys, AWS_CA_BUNDLE: '/b.pem' }).caFile).toBe('/b.pem');
    expect(resolve('s3://bucket?ca-file=/a.pem', { ...keys, AWS_CA_BUNDLE: '/b.pem' }).caFile).toBe('/a.pem');
    expect(resolve('s3://bucket', { ...keys, AWS_CA_BUNDLE: '' }).caFile).toBeUndefined();
  });

  it('uses full-object CRC32 and virtual hosts with Amazon, MD5 and paths elsewhere, unless told otherwise', () => {
    const amazon = { checksum: 'crc32', forcePathStyle: false };
    const other = { checksum: 'md5', forcePathStyle: true };
    expect(resolve('s3://bucket')).toMatchObject(amazon);
    expect(resolve('s3://bucket?endpoint=https://s3.cn-north-1.amazonaws.com.cn')).toMatchObject(amazon);
    expect(resolve('s3://bucket?endpoint=https://amazonaws.com.example.org')).toMatchObject(other);
    expect(resolve('s3://bucket?endpoint=https://minio.example.com')).toMatchObject(other);
    expect(resolve('s3://bucket?endpoint=https://a.example&checksum=crc32&force-path-style=false')).toMatchObject(
      amazon,
    );
  });

  it('takes the endpoint from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, the line first', () => {
    const env = { ...keys, AWS_ENDPOINT_URL: 'http://b.example', AWS_ENDPOINT_URL_S3: 'http://a.example/' };
    expect(resolve('s3://bucket?endpoint=https://c.example', env).endpoint).toBe('https://c.example');
    expect(resolve('s3://bucket', env)).toMatchObject({ endpoint: 'http://a.example', checksum: 'md5' });
    expect(resolve('s3://bucket', { ...env, AWS_ENDPOINT_URL_S3: undefined }).endpoint).toBe('http://b.example');
  });

  it('takes credentials by name, with their session token', () => {
    const env = { ...keys, B_ACCESS_KEY_ID: 'bid', B_SECRET_ACCESS_KEY: ' bsecret\n', B_SESSION_TOKEN: 'btoken' };
    expect(resolve('s3://bucket?credentials=B', env).credentials).toEqual({
      accessKeyId: 'bid',
      secretAccessKey: 'bsecret',
      sessionToken: 'btoken',
    });
    expect(resolve('s3://bucket', env).credentials).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret' });
  });

  it('leaves credentials to the default chain only when nothing at all is set', () => {
    expect(resolve('s3://bucket', {}).credentials).toBeUndefined();
    expect(resolve('s3://bucket', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }).credentials).toBeUndefined();
    expect(() => resolve('s3://bucket', { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: '' })).toThrow(
      'AWS_SECRET_ACCESS_KEY is not set, or empty',
    );
    expect(() => resolve('s3://bucket?credentials=B', keys)).toThrow('B_ACCESS_KEY_ID is not set, or empty');
  });
});
