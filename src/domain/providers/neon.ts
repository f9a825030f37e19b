/** Neon. */
import { LISTED_EXTENSIONS, NEON_POINT_IN_TIME, OFF_SITE, PUBLIC, PUBLIC_AUTHORITY } from './common.ts';
import type { Provider } from './provider.ts';

export const NEON: Provider = {
  id: 'neon',
  name: 'Neon',
  host: /\.neon\.(?:tech|build)$/,
  signs: { settings: ['neon.project_id'], roles: ['neon_superuser'] },
  ownRoles: true,
  // neon.com/docs/introduction/scale-to-zero
  advice: {
    seen: 'Neon: a suspended compute wakes up when the backup connects, which `connect-window-seconds` waits for; it runs, and is billed, while the backup lasts',
    action: '',
  },
  // neon.com/docs/connect/connect-securely
  authority: PUBLIC_AUTHORITY,
  // neon.com/docs/manage/backup-pg-dump
  poolers: [
    {
      provider: "Neon's pooler",
      // Vercel's databases are Neon's, under a name of its own.
      host: /^[^.]+-pooler\..*(?:neon\.(?:tech|build)|\.vercel-storage\.com)$/,
      certain: true,
      useInstead: ({ host, port }) =>
        `Use the direct host: the same URL without \`-pooler\` (${host.replace('-pooler.', '.')}:${port}).`,
    },
  ],
  managed: {
    // neon.com/docs/manage/roles
    roles: ['neon_superuser', 'cloud_admin'],
    extensions: ['neon', 'neon_utils', 'neon_test_utils'],
  },
  words: {
    direct: '`ep-NAME-ID.REGION.aws.neon.tech:5432`',
    pooled: 'the same name with `-pooler`',
    tls: PUBLIC,
    extensions: LISTED_EXTENSIONS,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; `neon_superuser` belongs to Neon',
    pointInTime: NEON_POINT_IN_TIME,
    adds: `${OFF_SITE}; branches go with the project`,
    source: 'https://neon.com/docs/guides/branch-restore',
  },
};
