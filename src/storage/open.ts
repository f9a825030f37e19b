/** From a parsed destination to a working storage. The only place that knows all kinds. */
import { resolve } from 'node:path';
import type { Destination } from '../domain/destination.ts';
import type { Storage } from '../ports.ts';
import type { StorageContext } from './context.ts';
import { DirectoryStorage } from './directory/storage.ts';
import { openS3 } from './s3/storage.ts';

/**
 * Opens without reaching out. Throws `ERR_INPUT` when credentials that the destination names are not in `env`, or its
 * `ca-file` cannot be read; everything else shows at the first operation. Credentials are masked before they are used.
 */
export function openStorage(destination: Destination, context: StorageContext): Storage {
  if (destination.kind === 'directory') {
    return new DirectoryStorage(resolve(destination.path), context);
  }
  return openS3(destination, context);
}
