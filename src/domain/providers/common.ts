/** Words that several providers share. */
import type { PointInTime } from './provider.ts';

export const PUBLIC_AUTHORITY = 'Its certificates are signed by a public authority: write sslrootcert=system.';
export const NO_FIXED_ADDRESS =
  "GitHub-hosted runners have no fixed address: use a runner of your own, or the provider's API in a step before";
export const OFF_SITE = 'A copy outside of the provider, that any Postgres restores';
export const PUBLIC = 'demanded; a public authority (`sslrootcert=system`)';
export const NEON_POINT_IN_TIME: PointInTime = {
  offer: 'any moment of the restore window of the plan, in seconds',
  how: '`neon branches create --parent 2026-11-21T02:00:00Z`, or restore the branch itself in the console (Restore)',
};
/** docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html */
export const AMAZON_AUTHORITY =
  'Amazon signs with its own authorities: download https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem in a step before, and name the file in sslrootcert.';
export const AMAZON_ADMISSION = `On Amazon the instance must be publicly accessible and its security group must admit this runner. ${NO_FIXED_ADDRESS}.`;
