/** Which client restores an archive, and whether the target's major will do. */
import type { Finding } from './findings.ts';

/**
 * Of at least the archive's major, because an older pg_restore cannot read it; of at least the target's, because that
 * is the only one that is tested with such a server.
 */
export function restoreClientMajor(archiveMajor: number, targetMajor: number): number {
  return Math.max(archiveMajor, targetMajor);
}

/**
 * Postgres promises nothing for a restore into an older server: an error without `allow-older-major`, a warning with
 * it. `undefined` for servers that are not older.
 */
export function assessOlderTarget(archiveMajor: number, targetMajor: number, allowed: boolean): Finding | undefined {
  if (targetMajor >= archiveMajor) return undefined;
  const seen = `The backup was taken from Postgres ${archiveMajor}, and the target is Postgres ${targetMajor}`;
  if (!allowed) {
    return {
      code: 'older-target',
      severity: 'error',
      seen: `${seen}, which is older: what ${archiveMajor} brought along may not exist there`,
      action: `Restore into Postgres ${archiveMajor} or newer; or set \`allow-older-major: true\`, and every statement that the older server refuses is listed.`,
    };
  }
  return {
    code: 'older-target',
    severity: 'warning',
    seen: `${seen}, which is older, as \`allow-older-major\` allows`,
    action: 'Look through the messages of pg_restore; the proof compares rows and definitions all the same.',
  };
}
