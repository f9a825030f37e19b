/** How long S3 is waited for, and how often it is asked again. */
import { DEFAULT_RETRY, type RetryPolicy } from '../retry.ts';
import { AMAZON } from './region.ts';

export interface S3Tuning {
  connectTimeoutMs: number;
  /** A socket on which nothing moves for this long, in either direction, is an error. */
  stallTimeoutMs: number;
  /** The same while a multipart upload is being completed: the server may have gigabytes to put together. */
  completeTimeoutMs: number;
  /** For discarding an upload after a cancelled run: the runner kills the process after about 7 s. */
  abortTimeoutMs: number;
  retry: RetryPolicy;
  /** Uniform in [0, 1); for the jitter. */
  random: () => number;
  /** Who is asked for the region of a bucket when nobody named one. */
  regionEndpoint: string;
}

export const DEFAULT_TUNING: S3Tuning = {
  connectTimeoutMs: 10_000,
  stallTimeoutMs: 30_000,
  completeTimeoutMs: 300_000,
  abortTimeoutMs: 5_000,
  retry: DEFAULT_RETRY,
  random: Math.random,
  regionEndpoint: AMAZON,
};
