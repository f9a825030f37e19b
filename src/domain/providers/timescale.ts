/** Timescale (Tiger Cloud). */
import { LISTED_EXTENSIONS, OFF_SITE, PUBLIC, PUBLIC_AUTHORITY } from './common.ts';
import type { Provider } from './provider.ts';

export const TIMESCALE: Provider = {
  // docs.tigerdata.com
  id: 'timescale',
  name: 'Timescale (Tiger Cloud)',
  host: /\.tsdb\.cloud\.timescale\.com$/,
  signs: { roles: ['tsdbadmin'] },
  ownRoles: true,
  authority: PUBLIC_AUTHORITY,
  managed: { roles: ['tsdbadmin'] },
  words: {
    direct: '`ID.….tsdb.cloud.timescale.com`, the port of the service',
    pooled: 'a port of its own, where the pooler is on',
    tls: PUBLIC,
    extensions: LISTED_EXTENSIONS,
    restore:
      'hypertables need `timescaledb_pre_restore()` before and `timescaledb_post_restore()` after; the admin is `tsdbadmin`',
    pointInTime: {
      offer: 'any moment of the kept backups, by the plan',
      how: 'the service, Operations, Create PITR fork: it becomes a new service',
    },
    adds: OFF_SITE,
    source: 'https://docs.tigerdata.com/use-timescale/latest/backup-restore/',
  },
};
