/** What the file system says, in the project's words. */
import { BackupError, type ErrorCode } from '../../domain/errors.ts';

/** The errno name of a system error: `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const WORDS: Record<string, { code: ErrorCode; what: string; hint: string }> = {
  ENOSPC: {
    code: 'ERR_STORAGE_FULL',
    what: 'the disk is full',
    hint: 'Free space (`df -h` shows it), prune old backups, or store to a bucket. Nothing of this object was kept.',
  },
  EDQUOT: {
    code: 'ERR_STORAGE_FULL',
    what: 'the disk quota is used up',
    hint: 'Raise the quota or free space. Nothing of this object was kept.',
  },
  EFBIG: {
    code: 'ERR_STORAGE_TOO_LARGE',
    what: 'the file system or `ulimit -f` does not allow a file this large',
    hint: 'Store to another file system or to a bucket.',
  },
  EACCES: {
    code: 'ERR_STORAGE_DENIED',
    what: 'permission was denied',
    hint: 'Let the job’s user write there (`ls -ld`).',
  },
  EPERM: { code: 'ERR_STORAGE_DENIED', what: 'the operation is not permitted', hint: 'Check owner and mount options.' },
  EROFS: {
    code: 'ERR_STORAGE_DENIED',
    what: 'the file system is read-only',
    hint: 'Choose a directory that is writable.',
  },
  ENOENT: {
    code: 'ERR_STORAGE_MISSING',
    what: 'there is no such object',
    hint: 'List the directory to see what is there.',
  },
  EISDIR: {
    code: 'ERR_STORAGE_MISSING',
    what: 'a directory stands in its place',
    hint: 'List the directory to see what is there.',
  },
  EEXIST: {
    code: 'ERR_STORAGE_EXISTS',
    what: 'it exists already and backups are never overwritten',
    hint: 'Run again: a new run chooses a new name.',
  },
  ENOTDIR: {
    code: 'ERR_STORAGE',
    what: 'a file stands where a directory is needed',
    hint: 'Move the file away or choose another directory.',
  },
};

/** Turns a thrown system error into a {@link BackupError} about `path`; passes a BackupError on. */
export function fileError(error: unknown, op: string, path: string): BackupError {
  if (error instanceof BackupError) return error;
  const errno = errnoOf(error);
  const words = errno === undefined ? undefined : WORDS[errno];
  const what = words?.what ?? `the file system answered ${errno ?? 'with an unknown error'}`;
  return new BackupError(words?.code ?? 'ERR_STORAGE', `Could not ${op} ${path}: ${what}.`, {
    op,
    hint: words?.hint ?? 'Check the disk and the mount (`dmesg`, `df -h`), then run again.',
    cause: error,
  });
}
