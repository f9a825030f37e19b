/** Supabase. */
import { OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const SUPABASE: Provider = {
  id: 'supabase',
  name: 'Supabase',
  host: /(?:^db\.[a-z0-9]+|\.pooler)\.supabase\.[a-z]+$/,
  signs: { roles: ['supabase_admin'] },
  ownRoles: true,
  // supabase.com/docs/guides/platform/backups: files of Storage are not in the database.
  // supabase/cli, pkg/migration/dump.go: schemas that the platform makes by itself.
  advice: {
    seen: 'Supabase: the schemas of the platform (auth, storage, realtime, vault and others) are in this backup, and every new project has them already; files of Storage are not in the database at all',
    action:
      'Into a project restore your own schemas (`schemas: public`): this action never writes the rows of auth (your users) and storage there. To have those back restore everything into a plain Postgres, and copy by hand what you need. Back up the files of Storage by themselves.',
  },
  // supabase.com/docs/guides/platform/ssl-enforcement
  authority:
    'Supabase signs with an authority of its own: download its certificate in the dashboard (Database Settings, SSL Configuration), and name the file in sslrootcert.',
  // supabase.com/docs/guides/database/connecting-to-postgres
  poolers: [
    {
      provider: "Supabase's transaction pooler",
      host: /\.pooler\.supabase\.[a-z]+$/,
      port: 6543,
      certain: true,
      useInstead: ({ host }) => `Use the session pooler: the same URL with port 5432 (${host}:5432).`,
    },
    {
      provider: "Supabase's dedicated pooler",
      host: /^db\.[a-z0-9]+\.supabase\.[a-z]+$/,
      port: 6543,
      certain: true,
      useInstead: ({ host }) =>
        `Use the direct connection ${host}:5432 (IPv6), or from GitHub's runners the session pooler: copy "Session pooler" from the dashboard's Connect dialog.`,
    },
  ],
  managed: {
    // supabase/cli, pkg/migration/dump.go (2026-06): schemas that its own dumps leave to the platform.
    // supabase_migrations is the history of the user's own migrations, and so not among them.
    schemas: [
      ...['auth', 'storage', 'realtime', '_realtime', '_analytics', '_supavisor', 'supabase_functions', 'vault'],
      ...['graphql', 'graphql_public', 'pgsodium', 'pgsodium_masks', 'pgbouncer', 'extensions', 'net', 'pgtle', 'etl'],
    ],
    publications: ['supabase_realtime', 'supabase_realtime_messages_publication'],
    // supabase.com/docs/guides/database/postgres/roles
    roles: [
      ...['supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin', 'dashboard_user'],
      ...['authenticator', 'anon', 'authenticated', 'service_role'],
    ],
    owners: /^(?:supabase_\w+|pgbouncer|dashboard_user)$/,
    extensions: ['supabase_vault', 'pg_graphql', 'pg_net', 'pgsodium', 'pgjwt', 'wrappers', 'supabase-dbdev', 'pg_tle'],
  },
  words: {
    direct: '`db.REF.supabase.co:5432` (IPv6), or the session pooler `….pooler.supabase.com:5432`',
    pooled: 'port 6543 of either',
    tls: "optional unless enforced; Supabase's own authority, whose certificate the dashboard offers",
    extensions: 'those that the platform brings (Database, Extensions)',
    restore: 'into a project only your own schemas (`schemas: public`): the platform keeps the others',
    pointInTime: {
      offer: 'any moment of 7, 14 or 28 days, as an add-on; daily backups otherwise',
      how: 'Database, Backups, Point in Time: it replaces the project, which is down meanwhile',
    },
    adds: `${OFF_SITE}, and outlives the project; what is restored stands beside the database`,
    source: 'https://supabase.com/docs/guides/platform/backups',
  },
};
