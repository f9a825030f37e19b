/**
 * Ceph RGW, which takes a cluster and 600 MB, so that it is never started here: one that runs on this machine (Debian's
 * `radosgw`) is used when the environment names its port and keys.
 */
import { describeServer, type S3ServerKind } from './s3-servers.ts';

export function rgwKind(): S3ServerKind {
  const { RGW_PORT, RGW_ACCESS_KEY_ID: accessKeyId, RGW_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (!RGW_PORT || !accessKeyId || !secretAccessKey) {
    const reason = 'none that runs here is named by RGW_PORT, RGW_ACCESS_KEY_ID and RGW_SECRET_ACCESS_KEY';
    return { name: 'Ceph RGW', available: false, reason };
  }
  const facts = { name: 'Ceph RGW', port: Number(RGW_PORT), accessKeyId, secretAccessKey, region: 'default' };
  return { name: 'Ceph RGW', available: true, start: async () => describeServer(facts, async () => undefined) };
}
