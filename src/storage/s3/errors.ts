/** What S3 and the network say, in the project's words. The SDK's text is kept as the cause only. */
import { BackupError, type ErrorCode } from '../../domain/errors.ts';

/** One request, as an error message names it. */
export interface S3Operation {
  /** Follows "Could not": `upload shop/…/database.backup.age`. */
  words: string;
  /** The right it needs: `s3:PutObject`. */
  permission: string;
  /** Relative to the destination; absent for operations on the bucket. */
  key?: string;
}

export interface S3Place {
  bucket: string;
  /** The destination's prefix with its slash, or empty. */
  root: string;
  region: string;
}

/** The parts of an SDK error that matter. All are optional: proxies and networks answer anything. */
interface SdkError {
  name?: string;
  Code?: string;
  code?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { headers?: Record<string, string> };
}

/** Answers after which the same request may succeed. Statuses 408, 429 and 5xx but 501 and 507 count as well. */
const TRANSIENT_CODES = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'InternalError',
  'OperationAborted',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequests',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
]);

const NETWORK_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The S3 code (`NoSuchBucket`), the network's (`ECONNRESET`) or the error's name; never the message. */
export function errorCodeOf(error: unknown): string {
  if (error instanceof BackupError) return error.code;
  const facts = asSdkError(error);
  // The SDK also calls resets and broken pipes a TimeoutError; their own code says more.
  if (facts.code !== undefined && NETWORK_CODES.has(facts.code)) return facts.code;
  const nameless = facts.name === undefined || facts.name === 'Error' || facts.name === 'TypeError';
  return facts.Code ?? (nameless ? facts.code : facts.name) ?? facts.name ?? 'unknown error';
}

/** The HTTP status of the answer, where there was one. */
export function statusOf(error: unknown): number | undefined {
  return asSdkError(error).$metadata?.httpStatusCode;
}

/** True when repeating the very same request may help. */
export function isTransient(error: unknown): boolean {
  if (error instanceof BackupError) return error.retryable;
  if (TRANSIENT_CODES.has(errorCodeOf(error))) return true;
  const status = statusOf(error);
  if (status !== undefined && status >= 400) {
    return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 507);
  }
  return isNetworkError(error) || isGarbled(error);
}

function isNetworkError(error: unknown): boolean {
  const { code } = asSdkError(error);
  return code !== undefined && (NETWORK_CODES.has(code) || code.startsWith('HPE_'));
}

/** An answer that broke off or was damaged on the way and could not be parsed. */
function isGarbled(error: unknown): boolean {
  return error instanceof Error && /deserialization error/i.test(error.message);
}

function asSdkError(error: unknown): SdkError {
  return typeof error === 'object' && error !== null ? (error as SdkError) : {};
}

interface Words {
  code: ErrorCode;
  what: string;
  hint: string;
}

/** Turns whatever a request threw into a {@link BackupError}; passes a BackupError on. */
export function s3Error(error: unknown, operation: S3Operation, place: S3Place): BackupError {
  if (error instanceof BackupError) return error;
  const { code, what, hint } = wordsFor(error, operation, place);
  return new BackupError(code, `Could not ${operation.words} in bucket ${place.bucket}: ${what}.`, {
    op: operation.words,
    hint,
    cause: plainCause(error),
  });
}

function wordsFor(error: unknown, operation: S3Operation, place: S3Place): Words {
  const code = errorCodeOf(error);
  const status = statusOf(error);
  return (
    regionWords(error, code, status, place) ??
    accessWords(code, status, operation, place) ??
    stateWords(code, status, operation) ??
    networkWords(error, code) ?? {
      code: 'ERR_STORAGE',
      what: `the provider answered ${code}${status === undefined ? '' : ` (HTTP ${status})`}`,
      hint: 'Look the code up with the provider; run again when it is a passing one.',
    }
  );
}

function regionWords(error: unknown, code: string, status: number | undefined, place: S3Place): Words | undefined {
  const facts = asSdkError(error);
  const right = facts.Region ?? facts.$response?.headers?.['x-amz-bucket-region'];
  const redirected = status === 301 || status === 307 || code === 'PermanentRedirect' || code === 'InvalidRegionName';
  const refused = right !== undefined && right !== place.region && code === 'AuthorizationHeaderMalformed';
  if (!redirected && !refused && code !== 'IllegalLocationConstraintException') return undefined;
  return {
    code: 'ERR_STORAGE',
    what: `the bucket is not in region ${place.region}${right === undefined ? '' : ` but in ${right}`}`,
    hint: `Write ?region=${right ?? '…'} in the destination${right === undefined ? ', and its endpoint' : ''}.`,
  };
}

const AUTH_WORDS: Record<string, string> = {
  SignatureDoesNotMatch: 'the secret access key is wrong',
  InvalidAccessKeyId: 'the access key id is unknown there',
  // versitygw's word for the same.
  XAdminUserNotFound: 'the access key id is unknown there',
  ExpiredToken: 'the session token has expired',
  TokenRefreshRequired: 'the session token has expired',
  InvalidToken: 'the session token is not valid',
  CredentialsProviderError: 'no credentials were found',
  AuthorizationHeaderMalformed: 'the credentials are not of the form that the provider expects',
  InvalidSecurity: 'the credentials are not valid',
  Unauthorized: 'the credentials are not valid',
};

function accessWords(
  code: string,
  status: number | undefined,
  operation: S3Operation,
  place: S3Place,
): Words | undefined {
  const auth = AUTH_WORDS[code] ?? (status === 401 ? 'the credentials are not valid' : undefined);
  if (auth !== undefined) {
    return {
      code: 'ERR_STORAGE_AUTH',
      what: auth,
      hint: 'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (or the names behind ?credentials=) in the step’s `env:`.',
    };
  }
  if (status !== 403 && code !== 'AccessDenied' && code !== 'AllAccessDisabled') return undefined;
  const resource = `arn:aws:s3:::${place.bucket}${operation.key === undefined ? '' : `/${place.root}*`}`;
  return {
    code: 'ERR_STORAGE_DENIED',
    what: `${operation.permission} on ${resource} is not allowed for these credentials`,
    hint: `Allow ${operation.permission} on ${resource} in the role’s or the bucket’s policy.`,
  };
}

function stateWords(code: string, status: number | undefined, operation: S3Operation): Words | undefined {
  if (code === 'NoSuchBucket') {
    const hint = 'Create the bucket, or correct its name, the region and the endpoint in `storage`.';
    return { code: 'ERR_STORAGE_MISSING', what: 'there is no such bucket', hint };
  }
  if (code === 'NoSuchUpload') {
    const hint = 'A lifecycle rule or another tool aborted it: let rules wait at least two days, then run again.';
    return { code: 'ERR_STORAGE', what: 'the unfinished upload is gone', hint };
  }
  if (code === 'NoSuchKey' || status === 404) {
    const hint = 'List the destination to see what is there (`aws s3 ls`).';
    return { code: 'ERR_STORAGE_MISSING', what: `there is no object ${operation.key ?? ''}`.trimEnd(), hint };
  }
  if (code === 'PreconditionFailed' || status === 412) {
    const hint = 'Run again: a new run chooses a new name.';
    return { code: 'ERR_STORAGE_EXISTS', what: 'it exists already and backups are never overwritten', hint };
  }
  if (code === 'EntityTooLarge' || status === 413) {
    const hint = 'Set ?part-size-mib= and ?max-parts= to what the provider allows.';
    return { code: 'ERR_STORAGE_TOO_LARGE', what: 'it is larger than the provider allows', hint };
  }
  if (status === 507 || /quota|storagefull|insufficientstorage/i.test(code)) {
    const hint = 'Free or buy space at the provider, or prune old backups.';
    return { code: 'ERR_STORAGE_FULL', what: `the provider has no room left (${code})`, hint };
  }
  return undefined;
}

function networkWords(error: unknown, code: string): Words | undefined {
  if (code === 'TimeoutError' || code === 'ETIMEDOUT') {
    const hint = 'Check the way to the endpoint (firewall, proxy, the provider’s status page), then run again.';
    return { code: 'ERR_STORAGE_STALLED', what: 'the connection stood still, and did so again at every retry', hint };
  }
  const { code: errno = '' } = asSdkError(error);
  if (errno === 'ENOTFOUND') {
    const hint = 'Correct endpoint and region; a self-hosted server may need ?force-path-style=true.';
    return { code: 'ERR_STORAGE', what: 'the endpoint’s host name does not exist', hint };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|EPROTO/.test(errno)) {
    const hint = 'Use the endpoint’s real name with https://; for a private authority set NODE_EXTRA_CA_CERTS.';
    return { code: 'ERR_STORAGE', what: `the TLS connection failed (${errno})`, hint };
  }
  if (['BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch'].includes(code)) {
    const hint = 'Something between here and the provider changes data: use https:// and check proxies.';
    return { code: 'ERR_STORAGE', what: `the bytes arrived damaged at every try (${code})`, hint };
  }
  if (isNetworkError(error)) {
    const hint = 'Check the endpoint and the way to it, then run again.';
    return { code: 'ERR_STORAGE', what: `the connection failed at every try (${errno})`, hint };
  }
  return undefined;
}

/** Only the text: the SDK's error objects carry the answer, with key ids and the string that was signed. */
function plainCause(error: unknown): Error {
  const facts = asSdkError(error);
  const text = error instanceof Error ? error.message : String(error);
  const clean = text.replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '***').replace(/https?:\/\/\S+\?\S+/g, '***');
  const request = facts.$metadata?.requestId === undefined ? '' : ` (request ${facts.$metadata.requestId})`;
  return new Error(`${errorCodeOf(error)}: ${clean}${request}`);
}
