import { BackupError } from '../../domain/errors.ts';

/** The archive, or what `pg_restore` made of it, is not what an archive must be. `offset` counts bytes of plain SQL. */
export function notProven(what: string, offset: number): BackupError {
  return new BackupError('ERR_NOT_PROVEN', `${what} (byte ${offset} of the archive's SQL)`, {
    op: 'read the archive back',
    hint: 'Nothing in this archive counts as proven. Run the backup again; if it fails at the same place, report the message with the versions of server and client.',
  });
}
