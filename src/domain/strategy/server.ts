/** Whether the server takes a restore at all, and what its version means for the backup's. */
import type { Finding } from '../findings.ts';
import { inTheWay } from './finding.ts';

/** A standby takes no writes, whatever the strategy. */
export function assessWritable({ isStandby }: { isStandby: boolean }): Finding[] {
  if (!isStandby) return [];
  return [
    inTheWay(
      'standby',
      'The target is a standby: it only repeats what its primary does, so nothing can be restored into it',
      'Name the primary in `target-database-url` (add `target_session_attrs=read-write` where the URL lists several hosts).',
    ),
  ];
}

/** `source` is the major that was dumped. */
export function assessMajors(source: number | undefined, target: number, allowOlder: boolean): Finding[] {
  if (source === undefined || source <= target) return [];
  const seen = `The backup is of Postgres ${source}, the target is Postgres ${target}: what ${source} knows and ${target} does not is lost or fails`;
  if (!allowOlder) {
    const action = `Restore into Postgres ${source} or newer; or set \`allow-older-major: true\`, and read every message of pg_restore.`;
    return [inTheWay('older-major', seen, action)];
  }
  return [{ code: 'older-major', severity: 'warning', seen, action: 'Read every message of pg_restore.' }];
}

/** Providers set this when a disk is full. */
export function assessReadOnly(readOnly: boolean, database: string): Finding[] {
  if (!readOnly) return [];
  return [
    inTheWay(
      'read-only',
      `New sessions in ${database} may only read: \`default_transaction_read_only\` is on`,
      'Find out why first: hosts switch it on when the disk is full. Then `ALTER DATABASE … RESET default_transaction_read_only`, or the same with ALTER ROLE.',
    ),
  ];
}
