import { BackupError } from './errors.ts';

/** `ERR_INPUT` about a line of `storage` or what it needs; `message` and `advice` never hold a value that may be secret. */
export function wrongDestination(message: string, advice: string): BackupError {
  const hint = 'Correct `storage` or the environment of the step. Nothing was read and nothing was written.';
  return new BackupError('ERR_INPUT', `${message}. ${advice}`, { op: 'read storage', hint });
}
