/** What was thrown but never meant to be, as the one error type. */
import { BackupError, messageOf } from './errors.ts';

export function unexpectedError(error: unknown): BackupError {
  const name = error instanceof Error ? error.name : typeof error;
  return new BackupError('ERR_INTERNAL', `Something unexpected happened: ${name}: ${messageOf(error)}`, {
    op: 'run',
    hint: 'This is a defect of the action. Run again with debug logging, and report it with the log.',
    cause: error,
  });
}
