/** Crunchy Bridge. */
import { LISTED_EXTENSIONS, OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const CRUNCHY_BRIDGE: Provider = {
  // docs.crunchybridge.com/how-to/connect
  id: 'crunchy-bridge',
  name: 'Crunchy Bridge',
  host: /\.postgresbridge\.com$/,
  signs: {},
  ownRoles: false,
  // docs.crunchybridge.com/how-to/pgbouncer
  poolers: [
    {
      provider: "Crunchy Bridge's PgBouncer",
      host: /\.postgresbridge\.com$/,
      port: 5431,
      certain: false,
      useInstead: ({ host }) => `Use the server itself: the same URL with port 5432 (${host}:5432).`,
    },
  ],
  managed: { roles: ['application', 'crunchy_pooler'] },
  words: {
    direct: '`p.ID.db.postgresbridge.com:5432`',
    pooled: 'PgBouncer on the same host, where the extension `crunchy_pooler` is on: port 5431',
    tls: "demanded; an authority of the team's own, whose certificate the dashboard offers",
    extensions: LISTED_EXTENSIONS,
    restore: 'a superuser of your own: nothing special',
    pointInTime: {
      offer: 'any minute of the last 10 days, on every plan',
      how: 'fork the cluster from a point in time (Cluster actions, Fork): it becomes a new cluster',
    },
    adds: OFF_SITE,
    source: 'https://docs.crunchybridge.com/how-to/point-in-time-recovery',
  },
};
