/** DigitalOcean. */
import { LISTED_EXTENSIONS, NO_FIXED_ADDRESS, OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const DIGITALOCEAN: Provider = {
  id: 'digitalocean',
  name: 'DigitalOcean',
  host: /\.db\.ondigitalocean\.com$/,
  signs: { roles: ['doadmin'] },
  ownRoles: true,
  // docs.digitalocean.com/products/databases/postgresql/how-to/{connect,secure}
  authority:
    'DigitalOcean signs with an authority of each cluster: download its CA certificate (Overview, Connection details), and name the file in sslrootcert.',
  admission: `On DigitalOcean the cluster's trusted sources must admit this runner. ${NO_FIXED_ADDRESS}.`,
  poolers: [
    {
      provider: "DigitalOcean's connection pool",
      host: /\.db\.ondigitalocean\.com$/,
      port: 25061,
      certain: true,
      useInstead: ({ host }) =>
        `Use the cluster's own port ${host}:25060, with the database's name in place of the pool's.`,
    },
  ],
  managed: { roles: ['doadmin'] },
  words: {
    direct: '`….db.ondigitalocean.com:25060`',
    pooled: 'the same host, port 25061; the name of the pool in place of the database',
    tls: 'demanded; an authority of each cluster, whose certificate the control panel offers',
    extensions: LISTED_EXTENSIONS,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; the admin is `doadmin`',
    pointInTime: {
      offer: 'any moment of the last 7 days',
      how: 'Actions, Restore from backup, or `doctl databases fork … --restore-from-timestamp`: it becomes a new cluster',
    },
    adds: OFF_SITE,
    source: 'https://docs.digitalocean.com/products/databases/postgresql/how-to/restore-from-backups/',
  },
};
