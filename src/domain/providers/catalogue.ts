/**
 * Hosted Postgres, as far as a backup has to know it. Every claim has its source beside it; what is not evidenced is
 * left out. Transaction poolers are in `poolers.ts`.
 */

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
}

const PUBLIC_AUTHORITY = 'Its certificates are signed by a public authority: write sslrootcert=system.';
const NO_FIXED_ADDRESS =
  "GitHub-hosted runners have no fixed address: use a runner of your own, or the provider's API in a step before";

/**
 * In the order in which they are looked for: what is built upon another provider comes before it. Signs that hold for
 * Aurora, RDS, Cloud SQL and Azure are those that GitLab's `Gitlab::Database::Reflection#flavor` goes by.
 */
export const PROVIDERS: readonly Provider[] = [
  {
    // vercel.com/docs/postgres: moved to Neon in 2024; old hosts stay.
    id: 'vercel',
    name: 'Vercel Postgres (Neon)',
    host: /\.postgres\.vercel-storage\.com$/,
    signs: {},
    ownRoles: true,
    authority: PUBLIC_AUTHORITY,
  },
  {
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
  },
  {
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
  },
  {
    id: 'heroku',
    name: 'Heroku Postgres',
    // Newer plans stand on Aurora, whose host names they have: the schema tells them apart.
    host: /^ec2-[0-9-]+\.(?:compute-1|[a-z0-9-]+\.compute)\.amazonaws\.com$/,
    signs: { schemas: ['_heroku', 'heroku_ext'] },
    ownRoles: false,
    // devcenter.heroku.com/articles/connecting-to-heroku-postgres-databases-from-outside-of-heroku
    advice: {
      seen: 'Heroku changes the URL of a database by itself: at failovers, at some maintenance, and when credentials rotate',
      action:
        'Fetch it at the start of the job (`heroku config:get DATABASE_URL --app APP`) instead of keeping a copy.',
    },
  },
  {
    id: 'render',
    name: 'Render',
    host: /-postgres\.render\.com$/,
    // render.com/docs/postgresql-creating-connecting: the internal URL has a bare name.
    inside: {
      host: /^dpg-[a-z0-9]+(?:-[a-z])?$/,
      useInstead:
        'This is Render\'s internal host. Use the "External Database URL" of the dashboard (dpg-….REGION-postgres.render.com).',
    },
    signs: {},
    ownRoles: false,
    // render.com/docs/free
    advice: {
      seen: 'Render: a database of the free plan expires 30 days after it was made',
      action: '',
    },
    admission: 'On Render the inbound IP rules of the database must admit this runner, and it must not be suspended.',
  },
  {
    id: 'railway',
    name: 'Railway',
    host: /\.(?:proxy\.rlwy\.net|railway\.app)$/,
    // docs.railway.com/networking/private-networking
    inside: {
      host: /\.railway\.internal$/,
      useInstead:
        "This is Railway's private host. Use the variable DATABASE_PUBLIC_URL of the Postgres service (….proxy.rlwy.net:PORT).",
    },
    signs: {},
    ownRoles: false,
  },
  {
    id: 'digitalocean',
    name: 'DigitalOcean',
    host: /\.db\.ondigitalocean\.com$/,
    signs: { roles: ['doadmin'] },
    ownRoles: true,
    // docs.digitalocean.com/products/databases/postgresql/how-to/{connect,secure}
    authority:
      'DigitalOcean signs with an authority of each cluster: download its CA certificate (Overview, Connection details), and name the file in sslrootcert.',
    admission: `On DigitalOcean the cluster's trusted sources must admit this runner. ${NO_FIXED_ADDRESS}.`,
  },
  {
    id: 'azure',
    name: 'Azure Database for PostgreSQL',
    host: /\.postgres\.(?:database|cosmos)\.azure\.com$/,
    signs: { settings: ['azure.extensions'], roles: ['azure_pg_admin'] },
    ownRoles: true,
    // learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-ssl-tls
    authority: PUBLIC_AUTHORITY,
    admission: `On Azure a firewall rule of the server must admit this runner. ${NO_FIXED_ADDRESS}.`,
  },
  {
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
  },
  {
    id: 'aurora',
    name: 'Amazon Aurora',
    host: /\.cluster-(?:ro-|custom-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?$/,
    signs: { functions: ['aurora_version'] },
    ownRoles: true,
    authority: amazonAuthority(),
    admission: amazonAdmission(),
  },
  {
    id: 'rds',
    name: 'Amazon RDS',
    host: /\.rds\.amazonaws\.com(?:\.cn)?$/,
    signs: { settings: ['rds.extensions'], roles: ['rdsadmin'] },
    ownRoles: true,
    authority: amazonAuthority(),
    admission: amazonAdmission(),
  },
  {
    // fly.io/docs/mpg: managed Postgres is reachable inside the private network only.
    id: 'fly',
    name: 'Fly Managed Postgres',
    host: /\.flympg\.net$/,
    inside: {
      host: /\.(?:flympg\.net|flycast)$/,
      useInstead: 'On Fly the database answers inside the private network only: run `fly mpg proxy` in a step before.',
    },
    signs: {},
    ownRoles: false,
  },
  {
    // docs.crunchybridge.com/how-to/connect
    id: 'crunchy-bridge',
    name: 'Crunchy Bridge',
    host: /\.postgresbridge\.com$/,
    signs: {},
    ownRoles: false,
  },
  {
    // aiven.io/docs/products/postgresql
    id: 'aiven',
    name: 'Aiven',
    host: /\.aivencloud\.com$/,
    signs: { roles: ['avnadmin'] },
    ownRoles: true,
    authority:
      'Aiven signs with an authority of each project: download its CA certificate (Overview, Connection information), and name the file in sslrootcert.',
  },
  {
    // docs.tigerdata.com
    id: 'timescale',
    name: 'Timescale (Tiger Cloud)',
    host: /\.tsdb\.cloud\.timescale\.com$/,
    signs: { roles: ['tsdbadmin'] },
    ownRoles: true,
    authority: PUBLIC_AUTHORITY,
  },
  {
    id: 'planetscale',
    name: 'PlanetScale',
    host: /\.psdb\.cloud$/,
    signs: {},
    ownRoles: false,
    // planetscale.com/docs/postgres/connecting: sslmode=verify-full sslrootcert=system
    authority: PUBLIC_AUTHORITY,
  },
  { id: 'prisma', name: 'Prisma Postgres', host: /^(?:pooled\.)?db\.prisma\.io$/, signs: {}, ownRoles: false },
];

/** docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html */
function amazonAuthority(): string {
  return 'Amazon signs with its own authorities: download https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem in a step before, and name the file in sslrootcert.';
}

function amazonAdmission(): string {
  return `On Amazon the instance must be publicly accessible and its security group must admit this runner. ${NO_FIXED_ADDRESS}.`;
}
