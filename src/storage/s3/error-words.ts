/** What S3 and the network say, in the project's words. The SDK's text is kept as the cause only. */
import { BackupError, type ErrorCode, messageOf } from '../../domain/errors.ts';
import { asSdkError, EXPIRED_CODES, errorCodeOf, isNetworkError, type S3Operation, statusOf } from './errors.ts';

export interface S3Place {
  bucket: string;
  /** The destination's prefix with its slash, or empty. */
  root: string;
  region: string;
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
    keyWords(error, code) ??
    roomWords(code, status) ??
    accessWords(code, status, operation, place) ??
    refusedOptionWords(code, status, operation) ??
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
  const expected = /expecting ['"]([a-z0-9-]+)['"]/.exec(messageOf(error))?.[1];
  const right = facts.Region ?? facts.$response?.headers?.['x-amz-bucket-region'] ?? expected;
  const redirected = status === 301 || status === 307 || code === 'PermanentRedirect' || code === 'InvalidRegionName';
  const refused = right !== undefined && right !== place.region && code === 'AuthorizationHeaderMalformed';
  if (!redirected && !refused && code !== 'IllegalLocationConstraintException') return undefined;
  return {
    code: 'ERR_STORAGE',
    what: `the bucket is not in region ${place.region}${right === undefined ? '' : ` but in ${right}`}`,
    hint: `Write ?region=${right ?? '…'} in the destination${right === undefined ? ', and its endpoint' : ''}. Nothing was written there.`,
  };
}

/** The key of SSE-KMS: a fault of its own, though S3 answers it as a denied request. */
function keyWords(error: unknown, code: string): Words | undefined {
  const right = /\bkms:[A-Za-z]+/.exec(messageOf(error))?.[0];
  if (code === 'AccessDenied' && right !== undefined) {
    return {
      code: 'ERR_STORAGE_DENIED',
      what: `${right} on the bucket's KMS key is not allowed for these credentials`,
      hint: 'Allow kms:GenerateDataKey and kms:Decrypt (a multipart upload needs both) on the key, in its key policy and in the role’s policy.',
    };
  }
  if (!/^KMS/.test(code)) return undefined;
  return {
    code: 'ERR_STORAGE_DENIED',
    what: `the KMS key cannot be used (${code})`,
    hint: 'The key must exist in the bucket’s region, be enabled and be symmetric: correct ?kms-key-id=, or the bucket’s own default key.',
  };
}

/** Options of the destination that the provider does not take. */
function refusedOptionWords(code: string, status: number | undefined, operation: S3Operation): Words | undefined {
  if (code === 'InvalidStorageClass') {
    const hint = 'Correct or remove ?storage-class=; each provider has classes of its own.';
    return { code: 'ERR_STORAGE', what: 'the provider does not know the storage class', hint };
  }
  if (/^(InvalidEncryptionAlgorithm|InvalidEncryptionMethod|ServerSideEncryption)/.test(code)) {
    const hint = 'Correct or remove ?sse= and ?kms-key-id=.';
    return { code: 'ERR_STORAGE', what: `the provider does not encrypt in this way (${code})`, hint };
  }
  const tooMany =
    status === 400 && (operation.part ?? 0) > FEWEST_PARTS && /^Invalid(Argument|Part|Request)/.test(code);
  if (tooMany) {
    const hint = `Set ?max-parts=${FEWEST_PARTS} in the destination: parts become larger then, and fewer.`;
    return { code: 'ERR_STORAGE_TOO_LARGE', what: `the provider allows fewer parts in one upload (${code})`, hint };
  }
  return undefined;
}

/** Before what is denied: a quota that is used up is answered with 403 by some (Ceph RGW: QuotaExceeded). */
function roomWords(code: string, status: number | undefined): Words | undefined {
  if (status !== 507 && !/quota|storagefull|insufficientstorage/i.test(code)) return undefined;
  const hint = 'Free or buy space at the provider, or prune old backups.';
  return { code: 'ERR_STORAGE_FULL', what: `the provider has no room left (${code})`, hint };
}

/** No provider is known that allows fewer parts than this. */
const FEWEST_PARTS = 1_000;

const AUTH_WORDS: Record<string, string> = {
  SignatureDoesNotMatch: 'the secret access key is wrong',
  InvalidAccessKeyId: 'the access key id is unknown there',
  // versitygw's word for the same.
  XAdminUserNotFound: 'the access key id is unknown there',
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
  if (EXPIRED_CODES.has(code)) {
    return {
      code: 'ERR_CREDENTIALS_EXPIRED',
      what: 'the session token has expired',
      hint: 'Let the action assume the role itself with `aws-role-to-assume`: it renews its credentials while it runs. Or ask for a longer session.',
    };
  }
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
  return undefined;
}

const UNTRUSTED = 'the endpoint’s certificate comes from an authority that this machine does not trust';
const TLS_WORDS: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the endpoint’s certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'the endpoint’s certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the endpoint’s certificate is for another name',
  EPROTO: 'the endpoint does not speak TLS',
};

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
    const hint =
      'Name the authority’s certificate with ?ca-file=/path/ca.pem (or AWS_CA_BUNDLE), and use the endpoint’s real name with https://. Nothing was sent.';
    return { code: 'ERR_STORAGE', what: `${TLS_WORDS[errno] ?? 'the TLS connection failed'} (${errno})`, hint };
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
  const clean = messageOf(error)
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '***')
    .replace(/https?:\/\/\S+\?\S+/g, '***');
  const request = facts.$metadata?.requestId === undefined ? '' : ` (request ${facts.$metadata.requestId})`;
  return new Error(`${errorCodeOf(error)}: ${clean}${request}`);
}
