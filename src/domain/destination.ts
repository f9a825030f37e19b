/** One line of `storage`, parsed. Nothing here does I/O; opening is `storage/open.ts`. */
import { BackupError } from './errors.ts';
import { DEFAULT_MAX_PARTS, LARGEST_ALLOWED_PART_MIB, SMALLEST_ALLOWED_PART_MIB } from './part-size.ts';

/** An environment as the caller sees it; secrets are looked up in it and nowhere else. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface DirectoryDestination {
  kind: 'directory';
  /** As written; relative paths are resolved when it is opened. */
  path: string;
}

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
  /** Parts that the provider allows in one multipart upload. */
  maxParts: number;
  partSizeMib?: number;
  /** Absent: `crc32` (full object) for Amazon, `md5` (Content-MD5 and ETag) for custom endpoints. */
  checksum?: ChecksumKind;
}

export type ChecksumKind = 'crc32' | 'md5';
export type Destination = DirectoryDestination | S3Destination;

/** The settings of an S3 destination after the environment has filled what its line leaves out. */
export interface ResolvedS3 {
  region: string;
  /** `undefined`: Amazon's own. */
  endpoint: string | undefined;
  forcePathStyle: boolean;
  checksum: ChecksumKind;
  /** `undefined`: the AWS default chain (profile, container, instance…) decides. */
  credentials: StaticCredentials | undefined;
}

export interface StaticCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * Parses `s3://bucket/prefix?region=…&endpoint=…&force-path-style=…&credentials=NAME&max-parts=…&part-size-mib=…&checksum=…`
 * or a directory path. Throws `ERR_INPUT`; the message never repeats a value that may be a secret.
 */
export function parseDestination(line: string): Destination {
  const text = line.trim();
  if (text === '') throw wrong('a destination is empty', 'Write s3://bucket/prefix or a directory.');
  if (/\p{Cc}/u.test(text)) throw wrong('a destination holds a control character', 'Write one destination a line.');
  if (/^s3:/i.test(text)) return parseS3(text);
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1];
  if (scheme !== undefined) {
    throw wrong(
      `"${scheme}://" is not a kind of storage`,
      'Write s3://bucket/prefix?endpoint=https://… or a directory.',
    );
  }
  if (text.startsWith('~')) {
    throw wrong('a directory begins with "~", which only a shell expands', 'Write an absolute or relative path.');
  }
  if (/\?[a-z-]+=/i.test(text)) {
    throw wrong('a destination has options but does not begin with "s3://"', 'Write s3://bucket/prefix?region=….');
  }
  return { kind: 'directory', path: text };
}

/** Safe to print: `s3://bucket/prefix` or the path. */
export function describeDestination(destination: Destination): string {
  if (destination.kind === 'directory') return destination.path;
  return `s3://${destination.bucket}${destination.prefix === '' ? '' : `/${destination.prefix}`}`;
}

/**
 * Fills what the line leaves out. Region: the line, AWS_REGION, AWS_DEFAULT_REGION, else `auto` for Cloudflare R2 and
 * `us-east-1` for the rest. Throws `ERR_INPUT` when the credentials it names are not in `env`, or only half there.
 */
export function resolveS3(destination: S3Destination, env: Environment): ResolvedS3 {
  const endpoint = destination.endpoint ?? endpointFrom(env);
  const host = endpoint === undefined ? undefined : new URL(endpoint).hostname;
  const amazon = host === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(host);
  const fallbackRegion = host?.endsWith('.r2.cloudflarestorage.com') ? 'auto' : 'us-east-1';
  return {
    region: destination.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || fallbackRegion),
    endpoint,
    forcePathStyle: destination.forcePathStyle ?? !amazon,
    checksum: destination.checksum ?? (amazon ? 'crc32' : 'md5'),
    credentials: credentialsFrom(destination, env),
  };
}

function endpointFrom(env: Environment): string | undefined {
  const fromEnvironment = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  return fromEnvironment ? parseEndpoint(fromEnvironment) : undefined;
}

function credentialsFrom(destination: S3Destination, env: Environment): StaticCredentials | undefined {
  const name = destination.credentials ?? 'AWS';
  const accessKeyId = env[`${name}_ACCESS_KEY_ID`]?.trim();
  const secretAccessKey = env[`${name}_SECRET_ACCESS_KEY`]?.trim();
  const sessionToken = env[`${name}_SESSION_TOKEN`]?.trim();
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  }
  if (destination.credentials === undefined && !accessKeyId && !secretAccessKey) return undefined;
  const missing = accessKeyId ? `${name}_SECRET_ACCESS_KEY` : `${name}_ACCESS_KEY_ID`;
  throw wrong(
    `${missing} is not set, or empty, but ${describeDestination(destination)} needs it`,
    `Set it in the \`env:\` block of the step, e.g. ${missing}: \${{ secrets.${missing} }}.`,
  );
}

function parseS3(text: string): S3Destination {
  const match = /^s3:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(text);
  if (match === null) {
    throw wrong(
      'a destination that begins with "s3:" cannot be read',
      'Write s3://bucket/prefix?region=…, without "#".',
    );
  }
  const [, bucket = '', path = '', query = ''] = match;
  if (bucket.includes('@') || path.includes('@')) {
    throw wrong(
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
      throw wrong(`"${key}" is not an option of an S3 destination`, `Known options: ${OPTION_NAMES.join(', ')}.`);
    }
    if (given.has(key)) throw wrong(`"${key}" is given twice in one destination`, 'Keep one of them.');
    if (value === '') throw wrong(`"${key}" is empty in an S3 destination`, 'Give it a value or leave it out.');
    given.set(key, value);
  }
  const region = matching(given, 'region', /^[a-z0-9][a-z0-9-]{0,62}$/i, 'a region such as eu-central-1');
  const style = matching(given, 'force-path-style', /^(true|false)$/, 'true or false');
  const credentials = matching(given, 'credentials', /^[A-Z_][A-Z0-9_]*$/, 'a name in capitals such as BACKUP');
  const checksum = matching(given, 'checksum', /^(crc32|md5)$/, 'crc32 or md5');
  const endpoint = given.get('endpoint');
  const partSizeMib = integer(given, 'part-size-mib', SMALLEST_ALLOWED_PART_MIB, LARGEST_ALLOWED_PART_MIB);
  return {
    maxParts: integer(given, 'max-parts', 1, DEFAULT_MAX_PARTS) ?? DEFAULT_MAX_PARTS,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint: parseEndpoint(endpoint) }),
    ...(style === undefined ? {} : { forcePathStyle: style === 'true' }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(checksum === undefined ? {} : { checksum: checksum as ChecksumKind }),
    ...(partSizeMib === undefined ? {} : { partSizeMib }),
  };
}

const OPTION_NAMES = [
  'region',
  'endpoint',
  'force-path-style',
  'credentials',
  'max-parts',
  'part-size-mib',
  'checksum',
];

function matching(given: Map<string, string>, key: string, pattern: RegExp, expected: string): string | undefined {
  const value = given.get(key);
  if (value !== undefined && !pattern.test(value)) {
    throw wrong(`"${key}" of an S3 destination is not ${expected}`, `Write ${key}= and ${expected}.`);
  }
  return value;
}

function integer(given: Map<string, string>, key: string, least: number, most: number): number | undefined {
  const text = given.get(key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw wrong(`"${key}" of an S3 destination is not a whole number from ${least} to ${most}`, 'Correct the number.');
  }
  return value;
}

/** General-purpose buckets by Amazon's rules, which every provider accepts as a subset of its own. */
function checkBucket(bucket: string): string {
  if (bucket === '') throw wrong('an S3 destination names no bucket', 'Write s3://bucket/prefix.');
  const shaped = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket);
  if (!shaped || bucket.includes('..') || /^\d+\.\d+\.\d+\.\d+$/.test(bucket)) {
    throw wrong(
      `"${bucket}" is not the name of a bucket`,
      'Names have 3 to 63 characters: small letters, digits, "." and "-", with a letter or digit at both ends.',
    );
  }
  if (bucket.endsWith('--x-s3')) {
    throw wrong(
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
    throw wrong(
      'the prefix of an S3 destination has an empty, "." or ".." part',
      'Write plain names between the slashes.',
    );
  }
  if (Buffer.byteLength(prefix) > 500)
    throw wrong('the prefix of an S3 destination is too long', 'Use up to 500 bytes.');
  return prefix;
}

function parseEndpoint(text: string): string {
  const example = 'Write it whole, e.g. endpoint=https://s3.example.com.';
  if (!/^https?:\/\//i.test(text)) throw wrong('the endpoint of an S3 destination lacks https://', example);
  if (!URL.canParse(text)) throw wrong('the endpoint of an S3 destination is not a URL', example);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw wrong(
      'the endpoint of an S3 destination holds credentials',
      'Pass them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in `env:`, or under a name with ?credentials=NAME.',
    );
  }
  if (url.search !== '' || url.hash !== '') throw wrong('the endpoint of an S3 destination has a query', example);
  return url.href.replace(/\/+$/, '');
}

function wrong(message: string, advice: string): BackupError {
  const hint = 'Correct `storage` or the environment of the step. Nothing was read and nothing was written.';
  return new BackupError('ERR_INPUT', `${message}. ${advice}`, { op: 'read storage', hint });
}
