/** What S3 and the network answer: codes, and whether trying again may help. Words are in `error-words.ts`. */
import { BackupError } from '../../domain/errors.ts';

/** One request, as an error message names it. */
export interface S3Operation {
  /** Follows "Could not": `upload shop/…/database.backup.age`. */
  words: string;
  /** The right it needs: `s3:PutObject`. */
  permission: string;
  /** Relative to the destination; absent for operations on the bucket. */
  key?: string;
  /** The number of the part that is sent. */
  part?: number;
}

/** The parts of an SDK error that matter. All are optional: proxies and networks answer anything. */
export interface SdkError {
  name?: string;
  Code?: string;
  code?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { headers?: Record<string, string> };
}

/** Answers to credentials that were valid once. */
export const EXPIRED_CODES: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
]);

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

export function isNetworkError(error: unknown): boolean {
  const { code } = asSdkError(error);
  return code !== undefined && (NETWORK_CODES.has(code) || code.startsWith('HPE_'));
}

/** An answer that broke off or was damaged on the way and could not be parsed. */
function isGarbled(error: unknown): boolean {
  return error instanceof Error && /deserialization error/i.test(error.message);
}

export function asSdkError(error: unknown): SdkError {
  return typeof error === 'object' && error !== null ? (error as SdkError) : {};
}
