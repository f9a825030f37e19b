/** From a parsed destination to a working storage. The only place that knows all kinds. */
import { resolve } from 'node:path';
import type { Destination, Environment } from '../domain/destination.ts';
import type { Clock, Log, Storage } from '../ports.ts';
import { DirectoryStorage } from './directory/storage.ts';
import type { S3Tuning } from './s3/client.ts';
import { openS3 } from './s3/storage.ts';

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

/**
 * Opens without I/O. Throws `ERR_INPUT` when credentials that the destination names are not in `env`;
 * everything else shows at the first operation. Credentials are masked in the log before they are used.
 */
export function openStorage(destination: Destination, context: StorageContext): Storage {
  if (destination.kind === 'directory') {
    return new DirectoryStorage(resolve(destination.path), context);
  }
  return openS3(destination, context);
}
