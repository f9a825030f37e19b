/** The error for a restore that cannot go on: what a run of pg_restore or psql ended with. */
import { BackupError } from './errors.ts';
import { type RestoreMessage, wordsOf } from './restore-messages.ts';

export interface RestoreEnd {
  /** The program, for words: `pg_restore`, `psql`. */
  program: string;
  code: number | null;
  signal: string | null;
  stderr: string;
}

const DISK_FULL = /: No space left on device$|could not extend file/m;
const CONNECTION_LOST =
  /server closed the connection|terminating connection|connection to server .*(?:failed|lost)|could not connect|no connection to the server|Connection refused|SSL SYSCALL|the database system is (?:shutting down|starting up|in recovery mode)|crash of another server process/;
/** What the leader of a parallel pg_restore says when one of its workers ended, for whatever reason that worker gave. */
const WORKER_ENDED = /a worker process died unexpectedly/;
const DAMAGED =
  /could not (?:un|de)compress|could not read from input file|unexpected end of file|corrupt|not a valid archive|found unexpected block|invalid (?:compression|block|distance|stored|code|literal)/;
const READ_ONLY = /cannot execute .* in a read-only transaction/;
const NO_RESTRICT = /invalid command \\restrict/;

/** Whether waiting for the end of the run helps nobody: everything after it would fail alike. */
export function isHopeless(message: RestoreMessage): boolean {
  const words = wordsOf(message);
  return DISK_FULL.test(words) || READ_ONLY.test(words);
}

/** `undefined` when the run came to its end and its messages say the rest. */
export function restoreFailure(end: RestoreEnd, messages: readonly RestoreMessage[]): BackupError | undefined {
  const errors = messages.filter(({ severity }) => severity === 'error');
  const find = (form: RegExp): string | undefined => {
    const found = errors.find((message) => form.test(wordsOf(message)));
    return found?.text.replaceAll(/\s+/g, ' ');
  };
  const full = find(DISK_FULL);
  if (full !== undefined) {
    return failure(
      `The target ran out of disk space in mid-restore: ${full}`,
      'Give the target more space, or restore a part with `schemas` or `tables`; then run it again.',
    );
  }
  const readOnly = find(READ_ONLY);
  if (readOnly !== undefined) {
    return failure(
      `The target takes no writes: ${readOnly}`,
      'Point `target-database-url` at the primary; a standby or a database with default_transaction_read_only cannot be restored into.',
    );
  }
  const lost = find(CONNECTION_LOST);
  if (lost !== undefined && end.code !== 0) {
    return failure(
      `The connection to the target was lost in mid-restore: ${lost}`,
      'The server was restarted, or the network failed. Run it again; if it happens at the same point each time, read the log of the target.',
      true,
    );
  }
  const damaged = find(DAMAGED);
  if (damaged !== undefined && end.code !== 0 && find(WORKER_ENDED) !== undefined) {
    return failure(
      `The archive cannot be read to its end: ${damaged}`,
      'It was damaged before it was stored. Restore another backup, best `backup: latest-proven`.',
    );
  }
  const ended = find(WORKER_ENDED);
  if (ended !== undefined && end.code !== 0) {
    return failure(
      `A connection of pg_restore ended in mid-restore: ${ended}`,
      'The messages above say why, if it could tell. Run it again, with `jobs: 1` if it recurs: then they are clearer.',
      true,
    );
  }
  if (NO_RESTRICT.test(end.stderr)) {
    return failure(
      'psql is too old to be kept from running commands that stand in a dump (CVE-2025-8714)',
      'Update the client tools: 13.22, 14.19, 15.14, 16.10, 17.6, or any of 18 and newer.',
    );
  }
  if (end.signal !== null) {
    return failure(
      `${end.program} was ended by ${end.signal}`,
      'Something outside ended it; on a runner this is most often the memory limit. Run it again, with fewer `jobs` if it recurs.',
      true,
    );
  }
  if (end.code !== 0 && messages.length === 0) {
    return failure(
      `${end.program} ended with exit code ${end.code}${end.stderr === '' ? ' and said nothing' : `: ${end.stderr.split('\n').at(-1)}`}`,
      'Run it again with debug logging.',
    );
  }
  return undefined;
}

/** No word about what was there before: that depends upon where it was restored, which the caller knows. */
function failure(message: string, hint: string, retryable = false): BackupError {
  return new BackupError('ERR_RESTORE_FAILED', message, { op: 'restore', hint, retryable });
}
