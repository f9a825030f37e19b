/** Crunchy Bridge. */
import { OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const CRUNCHY_BRIDGE: Provider = {
  // docs.crunchybridge.com/how-to/connect
  id: 'crunchy-bridge',
  name: 'Crunchy Bridge',
  host: /\.postgresbridge\.com$/,
  signs: {},
  ownRoles: false,
  words: {
    direct: '`p.ID.db.postgresbridge.com:5432`',
    pooled: 'PgBouncer on the same host, where the extension `crunchy_pooler` is on: port 5431',
    tls: "demanded; an authority of the team's own, whose certificate the dashboard offers",
    restore: 'a superuser of your own: nothing special',
    pointInTime: {
      offer: 'any minute of the last 10 days, on every plan',
      how: 'fork the cluster from a point in time (Cluster actions, Fork): it becomes a new cluster',
    },
    adds: OFF_SITE,
    source: 'https://docs.crunchybridge.com/how-to/point-in-time-recovery',
  },
};
