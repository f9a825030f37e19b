/** What is known of one provider: data alone, each claim with its source beside it; what is not evidenced is left out. */

export type ProviderId =
  | 'vercel'
  | 'supabase'
  | 'neon'
  | 'heroku'
  | 'render'
  | 'railway'
  | 'digitalocean'
  | 'azure'
  | 'cloud-sql'
  | 'aurora'
  | 'rds'
  | 'fly'
  | 'crunchy-bridge'
  | 'aiven'
  | 'timescale'
  | 'planetscale'
  | 'prisma';

/** What a server says of itself, by names alone. */
export interface ServerSigns {
  /** Settings that it knows, whatever their value. */
  settings: readonly string[];
  roles: readonly string[];
  schemas: readonly string[];
  /** Functions in pg_catalog. */
  functions: readonly string[];
}

/** What matters once; shown with the first backup of a series. */
export interface ProviderAdvice {
  /** One sentence. */
  seen: string;
  /** In the imperative; may be empty. */
  action: string;
}

export interface Provider {
  id: ProviderId;
  name: string;
  /** Matched in lower case. */
  host?: RegExp;
  /** Hosts that only answer inside the provider's own network, and what to use instead. */
  inside?: { host: RegExp; useInstead: string };
  signs: Partial<ServerSigns>;
  /** Roles own or grant what other servers do not know. */
  ownRoles: boolean;
  advice?: ProviderAdvice;
  /** Where the authority that signs its certificates is to be had. */
  authority?: string;
  /** What most often keeps a runner out. */
  admission?: string;
  /** Addresses of its own that share sessions; the more certain first. */
  poolers?: readonly PoolerPattern[];
  managed?: ManagedParts;
  /** Absent for one of which nobody needs to know more. */
  words?: ProviderWords;
}

/** What the platform keeps for itself inside a user's database, and extensions that only its servers have. */
export interface ManagedParts {
  /** Schemas that every database has from the beginning, and that the platform changes by itself. */
  schemas?: readonly string[];
  /** Publications that the platform makes by itself. */
  publications?: readonly string[];
  /** Roles of the platform: what they own outside any schema, the platform makes by itself. */
  owners?: RegExp;
  /** Roles that every server of it has from the beginning, by name. */
  roles?: readonly string[];
  /** Extensions that no public package repository has: another server cannot offer them. */
  extensions?: readonly string[];
}

/** For people, as docs/providers.md has it: what they need to know when they back up, restore, or want the state of an hour ago. */
export interface ProviderWords {
  /** The host and port that a backup connects to. */
  direct: string;
  /** What shares sessions: a backup refuses it, a check works through it. */
  pooled: string;
  /** Whether TLS is demanded, and which authority signs. */
  tls: string;
  /** Which extensions can be installed there. */
  extensions: string;
  /** What a dump or a restore needs that is not the same everywhere. */
  restore: string;
  pointInTime: PointInTime;
  /** What a backup of this action adds to the provider's own. */
  adds: string;
  /** Where it is from. */
  source: string;
}

export interface PointInTime {
  /** What there is, and how far back. */
  offer: string;
  /** How it is started. */
  how: string;
}

export interface ServerAddress {
  host: string;
  port: number;
  user: string;
  database: string;
}

export interface PoolerPattern {
  provider: string;
  host?: RegExp;
  port?: number;
  /** The address alone settles it; otherwise a session that proves to be direct is let through. */
  certain: boolean;
  /** The URL to use instead, in the imperative, without user and password. */
  useInstead(address: ServerAddress): string;
}
