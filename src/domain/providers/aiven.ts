/** Aiven. */
import { LISTED_EXTENSIONS, OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const AIVEN: Provider = {
  // aiven.io/docs/products/postgresql
  id: 'aiven',
  name: 'Aiven',
  host: /\.aivencloud\.com$/,
  signs: { roles: ['avnadmin'] },
  ownRoles: true,
  authority:
    'Aiven signs with an authority of each project: download its CA certificate (Overview, Connection information), and name the file in sslrootcert.',
  managed: { roles: ['avnadmin'] },
  words: {
    direct: '`SERVICE-PROJECT.….aivencloud.com`, the port of the service URI',
    pooled: 'the same host, another port; the name of the pool in place of the database',
    tls: "demanded; the project's own authority, whose certificate the console offers",
    extensions: LISTED_EXTENSIONS,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; the admin is `avnadmin`',
    pointInTime: {
      offer: 'any moment of the backup window of the plan',
      how: 'fork the service from a point in time (Backups, Fork & restore): it becomes a new service',
    },
    adds: OFF_SITE,
    source: 'https://aiven.io/docs/products/postgresql/concepts/pg-backups',
  },
};
