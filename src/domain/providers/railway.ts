/** Railway. */
import { OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const RAILWAY: Provider = {
  id: 'railway',
  name: 'Railway',
  host: /\.(?:proxy\.rlwy\.net|railway\.app)$/,
  // docs.railway.com/networking/private-networking
  inside: {
    host: /\.railway\.internal$/,
    useInstead:
      "This is Railway's private host. Use the variable DATABASE_PUBLIC_URL of the Postgres service (….proxy.rlwy.net:PORT).",
  },
  signs: {},
  ownRoles: false,
  words: {
    direct: '`NAME.proxy.rlwy.net:PORT` (`DATABASE_PUBLIC_URL`)',
    pooled: 'none of its own',
    tls: 'optional; a certificate that is its own authority: `sslmode=require`',
    extensions: 'those that its image brings; another image brings others',
    restore: 'a superuser of your own: nothing special',
    pointInTime: {
      offer:
        'any moment of about four weeks, where it is switched on (Backups, Enable PITR); else backups of the volume',
      how: 'the service, Backups, Point-in-time recovery: it becomes a new service',
    },
    adds: `${OFF_SITE}; backups of a volume go with it`,
    source: 'https://docs.railway.com/volumes/point-in-time-recovery',
  },
};
