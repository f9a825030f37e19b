/**
 * Transaction poolers, by address and by behaviour. Through one, session settings reach another server session under
 * load (measured: 29 of 60 dumps held silently wrong data with exit code 0), so they are refused.
 */
import type { Finding } from './findings.ts';

export interface ServerAddress {
  host: string;
  port: number;
  user: string;
  database: string;
}

/**
 * What two sessions saw. `direct`: the server process that answered is the one that greeted. `session`: something
 * stands between, but each session kept its own server process. `transaction`: a server process was shared.
 */
export interface PoolerEvidence {
  kind: 'direct' | 'session' | 'transaction';
  /** One sentence for people. */
  how: string;
}

interface PoolerPattern {
  provider: string;
  host?: RegExp;
  port?: number;
  /** The address alone settles it; otherwise a session that proves to be direct is let through. */
  certain: boolean;
  /** The URL to use instead, in the imperative, without user and password. */
  useInstead(address: ServerAddress): string;
}

/**
 * In order of how much they know. Hosts are matched in lower case. Sources: supabase.com/docs/guides/database/connecting-to-postgres,
 * neon.com/docs/manage/backup-pg-dump, learn.microsoft.com/azure/postgresql/flexible-server/concepts-pgbouncer (same host,
 * 6432; 8432 for the workers of an elastic cluster), planetscale.com/docs/postgres/connecting/psbouncer,
 * prisma.io/docs/postgres/database/connecting-to-your-database, fly.io/docs/mpg/client-configuration. The pools of
 * Aiven, Heroku and Railway have no address of their own: they are found by how they behave, or by a usual port.
 */
const POOLERS: readonly PoolerPattern[] = [
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
  {
    provider: "Neon's pooler",
    // Vercel's databases are Neon's, under a name of its own.
    host: /^[^.]+-pooler\..*(?:neon\.(?:tech|build)|\.vercel-storage\.com)$/,
    certain: true,
    useInstead: ({ host, port }) =>
      `Use the direct host: the same URL without \`-pooler\` (${host.replace('-pooler.', '.')}:${port}).`,
  },
  {
    provider: 'a pooler',
    host: /^[^.]+-pooler\./,
    certain: true,
    useInstead: ({ host, port }) =>
      `Use the direct host, most likely the same URL without \`-pooler\` (${host.replace('-pooler.', '.')}:${port}).`,
  },
  {
    provider: 'an RDS Proxy',
    host: /\.proxy-[a-z0-9-]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?$/,
    certain: true,
    useInstead: () => 'Use the endpoint of the instance or cluster itself, as the RDS console shows it.',
  },
  {
    provider: "DigitalOcean's connection pool",
    host: /\.db\.ondigitalocean\.com$/,
    port: 25061,
    certain: true,
    useInstead: ({ host }) =>
      `Use the cluster's own port ${host}:25060, with the database's name in place of the pool's.`,
  },
  ...[6432, 8432].map((port) => ({
    provider: "Azure's built-in PgBouncer",
    host: /\.(?:postgres\.database|postgres\.cosmos)\.azure\.com$/,
    port,
    certain: true,
    useInstead: ({ host }: ServerAddress) => `Use the server itself: the same URL with port 5432 (${host}:5432).`,
  })),
  {
    provider: "PlanetScale's pooler",
    host: /\.psdb\.cloud$/,
    port: 6432,
    certain: true,
    useInstead: ({ host }) => `Use the server itself: the same URL with port 5432 (${host}:5432).`,
  },
  {
    provider: "Prisma's pooler",
    host: /^pooled\.db\.prisma\.io$/,
    certain: true,
    useInstead: ({ port }) => `Use the direct URL: the same one with the host db.prisma.io (db.prisma.io:${port}).`,
  },
  {
    provider: "Fly's pooler",
    host: /^pgbouncer\..*\.flympg\.net$/,
    certain: true,
    useInstead: ({ host, port }) => `Use the direct host (${host.replace(/^pgbouncer\./, 'direct.')}:${port}).`,
  },
  {
    provider: 'a pooler on port 25061',
    port: 25061,
    certain: false,
    useInstead: ({ host }) => `Use the database's own port (${host}:25060).`,
  },
  {
    provider: 'PgBouncer on its usual port 6432',
    port: 6432,
    certain: false,
    useInstead: ({ host }) => `Use the database's own port (${host}:5432).`,
  },
  {
    provider: 'a transaction pooler on port 6543',
    port: 6543,
    certain: false,
    useInstead: ({ host }) => `Use the database's own port, or a pooler in session mode (${host}:5432).`,
  },
];

function patternFor(address: ServerAddress): PoolerPattern | undefined {
  const host = address.host.toLowerCase().replace(/\.$/, '');
  return POOLERS.find(
    (pattern) =>
      (pattern.host === undefined || pattern.host.test(host)) &&
      (pattern.port === undefined || pattern.port === address.port),
  );
}

/** True when the address alone is enough to refuse it, before anything is connected. */
export function isCertainPooler(address: ServerAddress): boolean {
  return patternFor(address)?.certain ?? false;
}

/** An error finding when this address must not be dumped through; names the URL to use instead, without any secret. */
export function assessPooler(address: ServerAddress, evidence?: PoolerEvidence): Finding | undefined {
  const pattern = patternFor(address);
  const where = `${address.host}:${address.port}`;
  if (pattern !== undefined && (pattern.certain || evidence?.kind !== 'direct')) {
    return finding(`${where} is ${pattern.provider}`, pattern.useInstead(address));
  }
  if (evidence?.kind === 'transaction') {
    return finding(
      `${where} is a transaction pooler: ${evidence.how}`,
      'Use the direct URL of the database, or a pooler in session mode: the setting is `pool_mode = session` in PgBouncer.',
    );
  }
  return undefined;
}

function finding(seen: string, action: string): Finding {
  return {
    code: 'transaction-pooler',
    severity: 'error',
    seen: `${seen}. Through a pooler in transaction mode a dump can hold wrong data without any error`,
    action,
  };
}
