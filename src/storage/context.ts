/** What every storage is given. */
import type { Environment } from '../domain/destination.ts';
import type { Clock, Log } from '../ports.ts';
import type { S3Tuning } from './s3/tuning.ts';

export interface StorageContext {
  /** Where credentials, region and endpoint are looked up. The SDK's own default chain reads the process. */
  env: Environment;
  log: Log;
  clock: Clock;
  /** Ends every operation but `abort` and `close`. */
  signal: AbortSignal;
  /** A socket on which nothing moves is given up after this time, where that is sooner than S3's default. */
  stallTimeoutSeconds?: number;
  /** Times and tries of S3; absent fields keep their defaults. */
  s3?: Partial<S3Tuning>;
}
