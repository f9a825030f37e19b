/** Amazon Aurora. */
import { AMAZON_ADMISSION, AMAZON_AUTHORITY, AMAZON_EXTENSIONS, AMAZON_ROLES, OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const AURORA: Provider = {
  id: 'aurora',
  name: 'Amazon Aurora',
  host: /\.cluster-(?:ro-|custom-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?$/,
  signs: { functions: ['aurora_version'] },
  ownRoles: true,
  authority: AMAZON_AUTHORITY,
  admission: AMAZON_ADMISSION,
  managed: {
    roles: AMAZON_ROLES,
    extensions: ['aws_ml', 'apg_plan_mgmt', 'aurora_stat_utils'],
  },
  words: {
    direct: '`NAME.cluster-….REGION.rds.amazonaws.com:5432`, the writer',
    pooled: 'RDS Proxy: `….proxy-….REGION.rds.amazonaws.com`',
    tls: "demanded from 15 on by `rds.force_ssl`; Amazon's own authorities (`global-bundle.pem`)",
    extensions: AMAZON_EXTENSIONS,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; `rdsadmin` belongs to Amazon',
    pointInTime: {
      offer: 'any second of the backup retention, 1 to 35 days; the last five minutes are missing',
      how: '`aws rds restore-db-cluster-to-point-in-time`, which makes a new cluster',
    },
    adds: `${OFF_SITE}, and outlives the account`,
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-pitr.html',
  },
};
