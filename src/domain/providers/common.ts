/** Words that several providers share. */
import type { PointInTime } from './provider.ts';

export const PUBLIC_AUTHORITY = 'Its certificates are signed by a public authority: write sslrootcert=system.';
export const NO_FIXED_ADDRESS =
  "GitHub-hosted runners have no fixed address: use a runner of your own, or the provider's API in a step before";
export const OFF_SITE = 'A copy outside of the provider, that any Postgres restores';
export const LISTED_EXTENSIONS = 'only those on the list in its documents';
export const PUBLIC = 'demanded; a public authority (`sslrootcert=system`)';
export const NEON_POINT_IN_TIME: PointInTime = {
  offer: 'any moment of the restore window of the plan, in seconds',
  how: '`neon branches create --parent 2026-11-21T02:00:00Z`, or restore the branch itself in the console (Restore)',
};
/** docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html */
export const AMAZON_AUTHORITY =
  'Amazon signs with its own authorities: download https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem in a step before, and name the file in sslrootcert.';
/** docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.FeatureSupport.Extensions.html */
export const AMAZON_EXTENSIONS =
  'only those of `SHOW rds.extensions`, fewer where somebody set `rds.allowed_extensions`';
/** docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html */
export const AMAZON_ROLES: readonly string[] = [
  'rdsadmin',
  'rds_superuser',
  'rds_replication',
  'rds_password',
  'rds_iam',
];
export const AMAZON_ADMISSION = `On Amazon the instance must be publicly accessible and its security group must admit this runner. ${NO_FIXED_ADDRESS}.`;
