/** One S3 line of `storage`: its options, and what they may be. */
import { wrongDestination } from './destination-error.ts';
import { DEFAULT_MAX_PARTS, LARGEST_ALLOWED_PART_MIB, SMALLEST_ALLOWED_PART_MIB } from './part-size.ts';

export type ChecksumKind = 'crc32' | 'md5';
export type ServerSideEncryption = 'AES256' | 'aws:kms';

export interface S3Destination {
  kind: 's3';
  bucket: string;
  /** Without slashes at its ends; empty for the bucket's root. */
  prefix: string;
  region?: string;
  /** Absent: Amazon's own endpoint of the region, or AWS_ENDPOINT_URL_S3 / AWS_ENDPOINT_URL. */
  endpoint?: string;
  /** Absent: path style for custom endpoints, virtual-host style for Amazon. */
  forcePathStyle?: boolean;
  /** `NAME`: credentials are NAME_ACCESS_KEY_ID, NAME_SECRET_ACCESS_KEY and, where set, NAME_SESSION_TOKEN. */
  credentials?: string;
  /** The ARN of a role to assume with the runner's OIDC token; never together with `credentials`. */
  role?: string;
  /** Parts that the provider allows in one multipart upload. Absent: by the provider, as far as it is known. */
  maxParts?: number;
  partSizeMib?: number;
  /** Absent: `crc32` (full object) for Amazon, `md5` (Content-MD5 and ETag) for custom endpoints. */
  checksum?: ChecksumKind;
  /** Absent: whatever the bucket does by itself. */
  sse?: ServerSideEncryption;
  /** Only with `aws:kms`. Absent: the account's own key for S3. */
  kmsKeyId?: string;
  /** Of objects from 128 KiB on; smaller ones stay in the bucket's standard class. */
  storageClass?: string;
  /** Certificates (PEM) trusted besides the machine's own. Absent: AWS_CA_BUNDLE. */
  caFile?: string;
}

/**
 * Parses `s3://bucket/prefix?…` with the options {@link OPTION_NAMES}. Throws `ERR_INPUT`; the message never repeats a
 * value that may be a secret.
 */
export function parseS3(text: string): S3Destination {
  const match = /^s3:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(text);
  if (match === null) {
    throw wrongDestination(
      'a destination that begins with "s3:" cannot be read',
      'Write s3://bucket/prefix?region=…, without "#".',
    );
  }
  const [, bucket = '', path = '', query = ''] = match;
  if (bucket.includes('@') || path.includes('@')) {
    throw wrongDestination(
      'an S3 destination holds "@": credentials must not stand in it',
      'Pass them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in `env:`, or under a name with ?credentials=NAME.',
    );
  }
  return { kind: 's3', bucket: checkBucket(bucket), prefix: checkPrefix(path), ...parseOptions(query) };
}

function parseOptions(query: string): Omit<S3Destination, 'kind' | 'bucket' | 'prefix'> {
  const given = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (!OPTION_NAMES.includes(key)) {
      throw wrongDestination(
        `"${key}" is not an option of an S3 destination`,
        `Known options: ${OPTION_NAMES.join(', ')}.`,
      );
    }
    if (given.has(key)) throw wrongDestination(`"${key}" is given twice in one destination`, 'Keep one of them.');
    if (value === '')
      throw wrongDestination(`"${key}" is empty in an S3 destination`, 'Give it a value or leave it out.');
    given.set(key, value);
  }
  const region = matching(given, 'region', /^[a-z0-9][a-z0-9-]{0,62}$/i, 'a region such as eu-central-1');
  const style = matching(given, 'force-path-style', /^(true|false)$/, 'true or false');
  const credentials = matching(given, 'credentials', /^[A-Z_][A-Z0-9_]*$/, 'a name in capitals such as BACKUP');
  const checksum = matching(given, 'checksum', /^(crc32|md5)$/, 'crc32 or md5');
  const endpoint = given.get('endpoint');
  const partSizeMib = integer(given, 'part-size-mib', SMALLEST_ALLOWED_PART_MIB, LARGEST_ALLOWED_PART_MIB);
  const maxParts = integer(given, 'max-parts', 1, DEFAULT_MAX_PARTS);
  const caFile = matching(given, 'ca-file', /^[^~]/, 'the path of a PEM file, without "~", which only a shell expands');
  return {
    ...(maxParts === undefined ? {} : { maxParts }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint: parseEndpoint(endpoint) }),
    ...(style === undefined ? {} : { forcePathStyle: style === 'true' }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(checksum === undefined ? {} : { checksum: checksum as ChecksumKind }),
    ...(partSizeMib === undefined ? {} : { partSizeMib }),
    ...parseStored(given),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

/** How the provider is to keep the objects. */
function parseStored(given: Map<string, string>): Pick<S3Destination, 'sse' | 'kmsKeyId' | 'storageClass'> {
  const sse = matching(given, 'sse', /^(AES256|aws:kms)$/, 'AES256 or aws:kms');
  const kmsKeyId = matching(given, 'kms-key-id', /^[\w:/-]+$/, 'the id, alias or ARN of a KMS key');
  const storageClass = matching(given, 'storage-class', /^[A-Z][A-Z0-9_]+$/, 'a class such as STANDARD_IA');
  if (kmsKeyId !== undefined && sse !== 'aws:kms') {
    throw wrongDestination('"kms-key-id" is given without "sse=aws:kms"', 'Add sse=aws:kms, or leave the key out.');
  }
  if (storageClass !== undefined && COLD_CLASSES.includes(storageClass)) {
    throw wrongDestination(
      `the storage class ${storageClass} takes hours to give an object back, so a restore could not begin at once`,
      'Take GLACIER_IR, or let a lifecycle rule of the bucket move old archives.',
    );
  }
  return {
    ...(sse === undefined ? {} : { sse: sse as ServerSideEncryption }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}

/** Classes whose objects must be brought back before they can be read. */
const COLD_CLASSES = ['GLACIER', 'DEEP_ARCHIVE'];

const OPTION_NAMES = [
  'region',
  'endpoint',
  'force-path-style',
  'credentials',
  'max-parts',
  'part-size-mib',
  'checksum',
  'sse',
  'kms-key-id',
  'storage-class',
  'ca-file',
];

function matching(given: Map<string, string>, key: string, pattern: RegExp, expected: string): string | undefined {
  const value = given.get(key);
  if (value !== undefined && !pattern.test(value)) {
    throw wrongDestination(`"${key}" of an S3 destination is not ${expected}`, `Write ${key}= and ${expected}.`);
  }
  return value;
}

function integer(given: Map<string, string>, key: string, least: number, most: number): number | undefined {
  const text = given.get(key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw wrongDestination(
      `"${key}" of an S3 destination is not a whole number from ${least} to ${most}`,
      'Correct the number.',
    );
  }
  return value;
}

/** General-purpose buckets by Amazon's rules, which every provider accepts as a subset of its own. */
function checkBucket(bucket: string): string {
  if (bucket === '') throw wrongDestination('an S3 destination names no bucket', 'Write s3://bucket/prefix.');
  const shaped = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket);
  if (!shaped || bucket.includes('..') || /^\d+\.\d+\.\d+\.\d+$/.test(bucket)) {
    throw wrongDestination(
      `"${bucket}" is not the name of a bucket`,
      'Names have 3 to 63 characters: small letters, digits, "." and "-", with a letter or digit at both ends.',
    );
  }
  if (bucket.endsWith('--x-s3')) {
    throw wrongDestination(
      `"${bucket}" is an S3 Express directory bucket, which has neither versions nor Object Lock`,
      'Use a general-purpose bucket.',
    );
  }
  return bucket;
}

function checkPrefix(path: string): string {
  const prefix = path.replace(/^\/+|\/+$/g, '');
  const segments = prefix === '' ? [] : prefix.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw wrongDestination(
      'the prefix of an S3 destination has an empty, "." or ".." part',
      'Write plain names between the slashes.',
    );
  }
  if (Buffer.byteLength(prefix) > 500)
    throw wrongDestination('the prefix of an S3 destination is too long', 'Use up to 500 bytes.');
  return prefix;
}

/** Without a slash at its end. Throws `ERR_INPUT` unless it is a plain http(s) URL. */
export function parseEndpoint(text: string): string {
  const example = 'Write it whole, e.g. endpoint=https://s3.example.com.';
  if (!/^https?:\/\//i.test(text)) throw wrongDestination('the endpoint of an S3 destination lacks https://', example);
  if (!URL.canParse(text)) throw wrongDestination('the endpoint of an S3 destination is not a URL', example);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw wrongDestination(
      'the endpoint of an S3 destination holds credentials',
      'Pass them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in `env:`, or under a name with ?credentials=NAME.',
    );
  }
  if (url.search !== '' || url.hash !== '')
    throw wrongDestination('the endpoint of an S3 destination has a query', example);
  return url.href.replace(/\/+$/, '');
}
