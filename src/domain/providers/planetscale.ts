/** PlanetScale. */
import { PUBLIC_AUTHORITY } from './common.ts';
import type { Provider } from './provider.ts';

export const PLANETSCALE: Provider = {
  id: 'planetscale',
  name: 'PlanetScale',
  host: /\.psdb\.cloud$/,
  signs: {},
  ownRoles: false,
  // planetscale.com/docs/postgres/connecting: sslmode=verify-full sslrootcert=system
  authority: PUBLIC_AUTHORITY,
  // planetscale.com/docs/postgres/connecting/psbouncer
  poolers: [
    {
      provider: "PlanetScale's pooler",
      host: /\.psdb\.cloud$/,
      port: 6432,
      certain: true,
      useInstead: ({ host }) => `Use the server itself: the same URL with port 5432 (${host}:5432).`,
    },
  ],
};
