/** Fly Managed Postgres. */
import { OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const FLY: Provider = {
  // fly.io/docs/mpg: managed Postgres is reachable inside the private network only.
  id: 'fly',
  name: 'Fly Managed Postgres',
  host: /\.flympg\.net$/,
  inside: {
    host: /\.(?:flympg\.net|flycast)$/,
    useInstead: 'On Fly the database answers inside the private network only: run `fly mpg proxy` in a step before.',
  },
  signs: {},
  ownRoles: false,
  // fly.io/docs/mpg/client-configuration
  poolers: [
    {
      provider: "Fly's pooler",
      host: /^pgbouncer\..*\.flympg\.net$/,
      certain: true,
      useInstead: ({ host, port }) => `Use the direct host (${host.replace(/^pgbouncer\./, 'direct.')}:${port}).`,
    },
  ],
  words: {
    direct: '`direct.ID.flympg.net:5432`, inside of the private network: `fly mpg proxy` in a step before',
    pooled: '`pgbouncer.ID.flympg.net`',
    tls: 'on without asking for it; the private network is encrypted besides',
    extensions: 'those of Postgres itself, `vector` and `postgis`, switched on in the dashboard (Extensions)',
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere',
    pointInTime: { offer: 'backups of the platform', how: '`fly mpg restore`, which makes a new cluster' },
    adds: OFF_SITE,
    source: 'https://fly.io/docs/mpg/client-configuration/',
  },
};
