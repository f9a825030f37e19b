/** Cloud SQL. */
import { OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const CLOUD_SQL: Provider = {
  // Reached by address or through a connector, whose sockets are in /cloudsql.
  id: 'cloud-sql',
  name: 'Cloud SQL',
  host: /^\/cloudsql\/|\.sql\.goog$/,
  signs: { settings: ['cloudsql.iam_authentication'], roles: ['cloudsqlsuperuser'] },
  ownRoles: true,
  // cloud.google.com/sql/docs/postgres/configure-ssl-instance
  authority:
    'Cloud SQL signs with an authority of each instance: download server-ca.pem (Connections, Security), and name the file in sslrootcert.',
  admission: "On Cloud SQL authorise this runner's network, or run the Cloud SQL Auth Proxy in a step before.",
  managed: {
    // cloud.google.com/sql/docs/postgres/users
    roles: ['cloudsqlsuperuser', 'cloudsqladmin', 'cloudsqlagent', 'cloudsqlimportexport'],
    extensions: ['google_ml_integration', 'google_columnar_engine', 'google_vacuum_mgmt', 'google_insights'],
  },
  words: {
    direct: 'the address of the instance, or `/cloudsql/PROJECT:REGION:NAME` of a connector',
    pooled: 'managed pooling of Enterprise Plus, port 6432',
    tls: 'optional unless the instance demands it; an authority of each instance (`server-ca.pem`)',
    extensions: 'only those on the list in its documents, by a member of `cloudsqlsuperuser`',
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; the admin has `cloudsqlsuperuser`',
    pointInTime: {
      offer: 'any moment of the kept logs, up to 7 days (Enterprise Plus: 35), where it is switched on',
      how: '`gcloud sql instances clone SOURCE NEW --point-in-time 2026-11-21T02:00:00Z`',
    },
    adds: `${OFF_SITE}; Google's own backups go with the instance unless they are retained`,
    source: 'https://cloud.google.com/sql/docs/postgres/backup-recovery/pitr',
  },
};
