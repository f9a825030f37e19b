/** Prisma Postgres. */
import type { Provider } from './provider.ts';

export const PRISMA: Provider = {
  id: 'prisma',
  name: 'Prisma Postgres',
  host: /^(?:pooled\.)?db\.prisma\.io$/,
  signs: {},
  ownRoles: false,
  // prisma.io/docs/postgres/database/connecting-to-your-database
  poolers: [
    {
      provider: "Prisma's pooler",
      host: /^pooled\.db\.prisma\.io$/,
      certain: true,
      useInstead: ({ port }) => `Use the direct URL: the same one with the host db.prisma.io (db.prisma.io:${port}).`,
    },
  ],
};
