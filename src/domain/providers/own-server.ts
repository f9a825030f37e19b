/** A server of nobody's in particular. */
import type { ProviderWords } from './provider.ts';

export const OWN_SERVER: ProviderWords = {
  direct: 'its host, port 5432',
  pooled:
    'use the server behind it; a pool in session mode is let through on any port but 6432, 6543 and 25061, where pools in transaction mode are usual',
  tls: 'as you set it up: `sslmode=verify-full` and the file of your authority',
  extensions: 'those whose files are on the server',
  restore: 'as a superuser nothing special',
  pointInTime: {
    offer: 'none unless WAL is archived: pgBackRest, WAL-G or Barman do it',
    how: '`restore_command` and `recovery_target_time`, or the command of that tool',
  },
  adds: 'A copy that is proven, readable by any newer major, and restored table by table where that is enough',
  source: 'https://www.postgresql.org/docs/current/continuous-archiving.html',
};
