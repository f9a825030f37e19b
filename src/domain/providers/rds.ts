/** Amazon RDS. */
import { AMAZON_ADMISSION, AMAZON_AUTHORITY, AMAZON_EXTENSIONS, AMAZON_ROLES, OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const RDS: Provider = {
  id: 'rds',
  name: 'Amazon RDS',
  host: /\.rds\.amazonaws\.com(?:\.cn)?$/,
  signs: { settings: ['rds.extensions'], roles: ['rdsadmin'] },
  ownRoles: true,
  authority: AMAZON_AUTHORITY,
  admission: AMAZON_ADMISSION,
  poolers: [
    {
      provider: 'an RDS Proxy',
      host: /\.proxy-[a-z0-9-]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?$/,
      certain: true,
      useInstead: () => 'Use the endpoint of the instance or cluster itself, as the RDS console shows it.',
    },
  ],
  managed: {
    roles: AMAZON_ROLES,
    extensions: ['aws_commons', 'aws_s3', 'aws_lambda', 'rds_tools', 'log_fdw', 'flow_control'],
  },
  words: {
    direct: '`NAME.….REGION.rds.amazonaws.com:5432`',
    pooled: 'RDS Proxy: `….proxy-….REGION.rds.amazonaws.com`',
    tls: "demanded from 15 on by `rds.force_ssl`; Amazon's own authorities (`global-bundle.pem`)",
    extensions: AMAZON_EXTENSIONS,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere; `rdsadmin` belongs to Amazon',
    pointInTime: {
      offer: 'any second of the backup retention, 1 to 35 days; the last five minutes are missing',
      how: '`aws rds restore-db-instance-to-point-in-time`, which makes a new instance',
    },
    adds: `${OFF_SITE}, and outlives the account`,
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html',
  },
};
