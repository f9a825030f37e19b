/** Vercel Postgres (Neon). */
import { NEON_POINT_IN_TIME, OFF_SITE, PUBLIC, PUBLIC_AUTHORITY } from './common.ts';
import type { Provider } from './provider.ts';

export const VERCEL: Provider = {
  // vercel.com/docs/postgres: moved to Neon in 2024; old hosts stay.
  id: 'vercel',
  name: 'Vercel Postgres (Neon)',
  host: /\.postgres\.vercel-storage\.com$/,
  signs: {},
  ownRoles: true,
  authority: PUBLIC_AUTHORITY,
  words: {
    direct: '`POSTGRES_URL_NON_POOLING`',
    pooled: '`POSTGRES_URL`: the same name with `-pooler`',
    tls: PUBLIC,
    extensions: 'as Neon',
    restore: 'as Neon, which it is',
    pointInTime: NEON_POINT_IN_TIME,
    adds: OFF_SITE,
    source: 'https://vercel.com/docs/postgres',
  },
};
