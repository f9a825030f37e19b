/**
 * What people need to know of a provider when they back up, restore, or want the state of an hour ago. Texts are for
 * people and become docs/providers.md; hosts that are recognised stand in `catalogue.ts`, what the platform keeps for
 * itself in `managed.ts`, transaction poolers in `poolers.ts`. What is not evidenced is left out.
 */
import type { ProviderId } from './catalogue.ts';

export interface ProviderKnowledge {
  id: ProviderId | 'own-server';
  name: string;
  /** The host and port that a backup connects to. */
  direct: string;
  /** What shares sessions: a backup refuses it, a check works through it. */
  pooled: string;
  /** Whether TLS is demanded, and which authority signs. */
  tls: string;
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

const OFF_SITE = 'A copy outside of the provider, that any Postgres restores';
const PUBLIC = 'demanded; a public authority (`sslrootcert=system`)';
const NEON_POINT_IN_TIME: PointInTime = {
  offer: 'any moment of the restore window of the plan, in seconds',
  how: '`neon branches create --parent 2026-11-21T02:00:00Z`, or restore the branch itself in the console (Restore)',
};

/** Alphabetical but for the last: a server of one's own. */
export const KNOWLEDGE: readonly ProviderKnowledge[] = [
  {
    id: 'aiven',
    name: 'Aiven',
    direct: '`SERVICE-PROJECT.….aivencloud.com`, the port of the service URI',
    pooled: 'the same host, another port; the name of the pool in place of the database',
    tls: "demanded; the project's own authority, whose certificate the console offers",
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; the admin is `avnadmin`',
    pointInTime: {
      offer: 'any moment of the backup window of the plan',
      how: 'fork the service from a point in time (Backups, Fork & restore): it becomes a new service',
    },
    adds: OFF_SITE,
    source: 'https://aiven.io/docs/products/postgresql/concepts/pg-backups',
  },
  {
    id: 'aurora',
    name: 'Amazon Aurora',
    direct: '`NAME.cluster-….REGION.rds.amazonaws.com:5432`, the writer',
    pooled: 'RDS Proxy: `….proxy-….REGION.rds.amazonaws.com`',
    tls: "demanded from 15 on by `rds.force_ssl`; Amazon's own authorities (`global-bundle.pem`)",
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; `rdsadmin` belongs to Amazon',
    pointInTime: {
      offer: 'any second of the backup retention, 1 to 35 days; the last five minutes are missing',
      how: '`aws rds restore-db-cluster-to-point-in-time`, which makes a new cluster',
    },
    adds: `${OFF_SITE}, and outlives the account`,
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-pitr.html',
  },
  {
    id: 'azure',
    name: 'Azure Database for PostgreSQL',
    direct: '`NAME.postgres.database.azure.com:5432`',
    pooled: 'the same host, port 6432',
    tls: 'demanded unless `require_secure_transport` is off; a public authority',
    restore:
      'no superuser: `owner: drop`, `privileges: drop` from elsewhere; extensions must be allowed in `azure.extensions`',
    pointInTime: {
      offer: 'any moment of the backup retention, 7 to 35 days',
      how: '`az postgres flexible-server restore --restore-time …`, which makes a new server',
    },
    adds: `${OFF_SITE}, and outlives the subscription`,
    source: 'https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-backup-restore',
  },
  {
    id: 'cloud-sql',
    name: 'Cloud SQL',
    direct: 'the address of the instance, or `/cloudsql/PROJECT:REGION:NAME` of a connector',
    pooled: 'managed pooling of Enterprise Plus, port 6432',
    tls: 'optional unless the instance demands it; an authority of each instance (`server-ca.pem`)',
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; the admin has `cloudsqlsuperuser`',
    pointInTime: {
      offer: 'any moment of the kept logs, up to 7 days (Enterprise Plus: 35), where it is switched on',
      how: '`gcloud sql instances clone SOURCE NEW --point-in-time 2026-11-21T02:00:00Z`',
    },
    adds: `${OFF_SITE}; Google's own backups go with the instance unless they are retained`,
    source: 'https://cloud.google.com/sql/docs/postgres/backup-recovery/pitr',
  },
  {
    id: 'crunchy-bridge',
    name: 'Crunchy Bridge',
    direct: '`p.ID.db.postgresbridge.com:5432`',
    pooled: 'PgBouncer on the same host, where the extension `crunchy_pooler` is on: port 5431',
    tls: "demanded; an authority of the team's own, whose certificate the dashboard offers",
    restore: 'a superuser of your own: nothing special',
    pointInTime: {
      offer: 'any minute of the last 10 days, on every plan',
      how: 'fork the cluster from a point in time (Cluster actions, Fork): it becomes a new cluster',
    },
    adds: OFF_SITE,
    source: 'https://docs.crunchybridge.com/how-to/point-in-time-recovery',
  },
  {
    id: 'digitalocean',
    name: 'DigitalOcean',
    direct: '`….db.ondigitalocean.com:25060`',
    pooled: 'the same host, port 25061; the name of the pool in place of the database',
    tls: 'demanded; an authority of each cluster, whose certificate the control panel offers',
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; the admin is `doadmin`',
    pointInTime: {
      offer: 'any moment of the last 7 days',
      how: 'Actions, Restore from backup, or `doctl databases fork … --restore-from-timestamp`: it becomes a new cluster',
    },
    adds: OFF_SITE,
    source: 'https://docs.digitalocean.com/products/databases/postgresql/how-to/restore-from-backups/',
  },
  {
    id: 'fly',
    name: 'Fly Managed Postgres',
    direct: '`direct.ID.flympg.net:5432`, inside of the private network: `fly mpg proxy` in a step before',
    pooled: '`pgbouncer.ID.flympg.net`',
    tls: 'on without asking for it; the private network is encrypted besides',
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere',
    pointInTime: { offer: 'backups of the platform', how: '`fly mpg restore`, which makes a new cluster' },
    adds: OFF_SITE,
    source: 'https://fly.io/docs/mpg/client-configuration/',
  },
  {
    id: 'heroku',
    name: 'Heroku Postgres',
    direct: '`heroku config:get DATABASE_URL`, at the start of each job: Heroku changes it',
    pooled: '`DATABASE_CONNECTION_POOL_URL`, where pooling is on',
    tls: 'demanded; certificates cannot be verified: `sslmode=require`',
    restore: 'extensions live in `heroku_ext`; no roles can be made: `owner: drop`, `privileges: drop`',
    pointInTime: {
      offer: 'any moment of the last days, by the plan (`heroku pg:info` says from when); none in the Essential tier',
      how: '`heroku addons:create heroku-postgresql:PLAN --rollback DATABASE_URL --to "2026-11-21 02:00 UTC"`',
    },
    adds: OFF_SITE,
    source: 'https://devcenter.heroku.com/articles/heroku-postgres-rollback',
  },
  {
    id: 'neon',
    name: 'Neon',
    direct: '`ep-NAME-ID.REGION.aws.neon.tech:5432`',
    pooled: 'the same name with `-pooler`',
    tls: PUBLIC,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; `neon_superuser` belongs to Neon',
    pointInTime: NEON_POINT_IN_TIME,
    adds: `${OFF_SITE}; branches go with the project`,
    source: 'https://neon.com/docs/guides/branch-restore',
  },
  {
    id: 'railway',
    name: 'Railway',
    direct: '`NAME.proxy.rlwy.net:PORT` (`DATABASE_PUBLIC_URL`)',
    pooled: 'none of its own',
    tls: 'optional; a certificate that is its own authority: `sslmode=require`',
    restore: 'a superuser of your own: nothing special',
    pointInTime: {
      offer:
        'any moment of about four weeks, where it is switched on (Backups, Enable PITR); else backups of the volume',
      how: 'the service, Backups, Point-in-time recovery: it becomes a new service',
    },
    adds: `${OFF_SITE}; backups of a volume go with it`,
    source: 'https://docs.railway.com/volumes/point-in-time-recovery',
  },
  {
    id: 'rds',
    name: 'Amazon RDS',
    direct: '`NAME.….REGION.rds.amazonaws.com:5432`',
    pooled: 'RDS Proxy: `….proxy-….REGION.rds.amazonaws.com`',
    tls: "demanded from 15 on by `rds.force_ssl`; Amazon's own authorities (`global-bundle.pem`)",
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; `rdsadmin` belongs to Amazon',
    pointInTime: {
      offer: 'any second of the backup retention, 1 to 35 days; the last five minutes are missing',
      how: '`aws rds restore-db-instance-to-point-in-time`, which makes a new instance',
    },
    adds: `${OFF_SITE}, and outlives the account`,
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html',
  },
  {
    id: 'render',
    name: 'Render',
    direct: '`dpg-….REGION-postgres.render.com:5432`, the External Database URL',
    pooled: 'none of its own',
    tls: 'demanded from outside; a public authority',
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere',
    pointInTime: {
      offer:
        'any moment of the last 3 or 7 days, by the plan of the workspace, but of the last ten minutes; none in the free plan',
      how: 'the database, Recovery, Restore Database: it becomes a new instance',
    },
    adds: OFF_SITE,
    source: 'https://render.com/docs/postgresql-backups',
  },
  {
    id: 'supabase',
    name: 'Supabase',
    direct: '`db.REF.supabase.co:5432` (IPv6), or the session pooler `….pooler.supabase.com:5432`',
    pooled: 'port 6543 of either',
    tls: "optional unless enforced; Supabase's own authority, whose certificate the dashboard offers",
    restore: 'into a project only your own schemas (`schemas: public`): the platform keeps the others',
    pointInTime: {
      offer: 'any moment of 7, 14 or 28 days, as an add-on; daily backups otherwise',
      how: 'Database, Backups, Point in Time: it replaces the project, which is down meanwhile',
    },
    adds: `${OFF_SITE}, and outlives the project; what is restored stands beside the database`,
    source: 'https://supabase.com/docs/guides/platform/backups',
  },
  {
    id: 'timescale',
    name: 'Timescale (Tiger Cloud)',
    direct: '`ID.….tsdb.cloud.timescale.com`, the port of the service',
    pooled: 'a port of its own, where the pooler is on',
    tls: PUBLIC,
    restore:
      'hypertables need `timescaledb_pre_restore()` before and `timescaledb_post_restore()` after; the admin is `tsdbadmin`',
    pointInTime: {
      offer: 'any moment of the kept backups, by the plan',
      how: 'the service, Operations, Create PITR fork: it becomes a new service',
    },
    adds: OFF_SITE,
    source: 'https://docs.tigerdata.com/use-timescale/latest/backup-restore/',
  },
  {
    id: 'vercel',
    name: 'Vercel Postgres (Neon)',
    direct: '`POSTGRES_URL_NON_POOLING`',
    pooled: '`POSTGRES_URL`: the same name with `-pooler`',
    tls: PUBLIC,
    restore: 'as Neon, which it is',
    pointInTime: NEON_POINT_IN_TIME,
    adds: OFF_SITE,
    source: 'https://vercel.com/docs/postgres',
  },
  {
    id: 'own-server',
    name: 'a server of your own',
    direct: 'its host, port 5432',
    pooled: 'PgBouncer, port 6432 mostly: in session mode it is let through',
    tls: 'as you set it up: `sslmode=verify-full` and the file of your authority',
    restore: 'as a superuser nothing special',
    pointInTime: {
      offer: 'none unless WAL is archived: pgBackRest, WAL-G or Barman do it',
      how: '`restore_command` and `recovery_target_time`, or the command of that tool',
    },
    adds: 'A copy that is proven, readable by any newer major, and restored table by table where that is enough',
    source: 'https://www.postgresql.org/docs/current/continuous-archiving.html',
  },
];

/** Of a recognised provider; of a server of nobody's in particular that of one's own. */
export function knowledgeOf(id: ProviderId | undefined): ProviderKnowledge | undefined {
  return KNOWLEDGE.find((each) => each.id === (id ?? 'own-server'));
}
