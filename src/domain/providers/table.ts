/** Everything that is known of hosted Postgres: one file a provider, and no other place. */
import { AIVEN } from './aiven.ts';
import { AURORA } from './aurora.ts';
import { AZURE } from './azure.ts';
import { CLOUD_SQL } from './cloud-sql.ts';
import { CRUNCHY_BRIDGE } from './crunchy-bridge.ts';
import { DIGITALOCEAN } from './digitalocean.ts';
import { FLY } from './fly.ts';
import { HEROKU } from './heroku.ts';
import { NEON } from './neon.ts';
import { PLANETSCALE } from './planetscale.ts';
import { PRISMA } from './prisma.ts';
import type { Provider, ProviderId } from './provider.ts';
import { RAILWAY } from './railway.ts';
import { RDS } from './rds.ts';
import { RENDER } from './render.ts';
import { SUPABASE } from './supabase.ts';
import { TIMESCALE } from './timescale.ts';
import { VERCEL } from './vercel.ts';

/**
 * In the order in which they are looked for: what is built upon another provider comes before it. Signs that hold for
 * Aurora, RDS, Cloud SQL and Azure are those that GitLab's `Gitlab::Database::Reflection#flavor` goes by.
 */
export const PROVIDERS: readonly Provider[] = [
  VERCEL,
  SUPABASE,
  NEON,
  HEROKU,
  RENDER,
  RAILWAY,
  DIGITALOCEAN,
  AZURE,
  CLOUD_SQL,
  AURORA,
  RDS,
  FLY,
  CRUNCHY_BRIDGE,
  AIVEN,
  TIMESCALE,
  PLANETSCALE,
  PRISMA,
];

export function providerOf(id: ProviderId): Provider | undefined {
  return PROVIDERS.find((provider) => provider.id === id);
}
