/** Azure Database for PostgreSQL. */
import { NO_FIXED_ADDRESS, OFF_SITE, PUBLIC_AUTHORITY } from './common.ts';
import type { Provider, ServerAddress } from './provider.ts';

export const AZURE: Provider = {
  id: 'azure',
  name: 'Azure Database for PostgreSQL',
  host: /\.postgres\.(?:database|cosmos)\.azure\.com$/,
  signs: { settings: ['azure.extensions'], roles: ['azure_pg_admin'] },
  ownRoles: true,
  // learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-ssl-tls
  authority: PUBLIC_AUTHORITY,
  admission: `On Azure a firewall rule of the server must admit this runner. ${NO_FIXED_ADDRESS}.`,
  // learn.microsoft.com/azure/postgresql/flexible-server/concepts-pgbouncer: same host, 6432; 8432 for the workers of an elastic cluster
  poolers: [6432, 8432].map((port) => ({
    provider: "Azure's built-in PgBouncer",
    host: /\.(?:postgres\.database|postgres\.cosmos)\.azure\.com$/,
    port,
    certain: true,
    useInstead: ({ host }: ServerAddress) => `Use the server itself: the same URL with port 5432 (${host}:5432).`,
  })),
  managed: {
    // learn.microsoft.com/azure/postgresql/flexible-server/security-access-control
    roles: ['azure_pg_admin', 'azuresu'],
    extensions: ['azure', 'azure_storage', 'azure_ai', 'azure_local_ai', 'pgaadauth'],
  },
  words: {
    direct: '`NAME.postgres.database.azure.com:5432`',
    pooled: 'the same host, port 6432',
    tls: 'demanded unless `require_secure_transport` is off; a public authority',
    extensions: 'only those of the list in its documents that `azure.extensions` allows',
    restore:
      'no superuser: `owner: drop`, `privileges: drop` from elsewhere; extensions must be allowed in `azure.extensions`',
    pointInTime: {
      offer: 'any moment of the backup retention, 7 to 35 days',
      how: '`az postgres flexible-server restore --restore-time …`, which makes a new server',
    },
    adds: `${OFF_SITE}, and outlives the subscription`,
    source: 'https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-backup-restore',
  },
};
