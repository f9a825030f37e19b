import { BackupError, type ErrorCode } from '../domain/errors.ts';

const CERTAIN: readonly ErrorCode[] = [
  'ERR_STORAGE_AUTH',
  'ERR_CREDENTIALS_EXPIRED',
  'ERR_STORAGE_DENIED',
  'ERR_STORAGE_EXISTS',
  'ERR_STORAGE_MISSING',
  'ERR_STORAGE_TOO_LARGE',
];

/** After such an error the provider has certainly not done what it was asked; after any other it may have. */
export function isCertainRefusal(error: unknown): boolean {
  return error instanceof BackupError && CERTAIN.includes(error.code);
}
