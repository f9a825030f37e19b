import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { describeIf } from '../support/availability.ts';
import { type Judge, startGateway } from '../support/s3-gateway.ts';
import { motoKind } from '../support/s3-moto.ts';
import { b2, fewParts, lockedBucket, r2 } from '../support/s3-profiles.ts';
import { rgwKind } from '../support/s3-rgw.ts';
import {
  availabilityOf,
  availableS3Servers,
  type S3Server,
  startVersitygw,
  type VersitygwOptions,
} from '../support/s3-servers.ts';
import { describeStorage, type StorageHome } from './storage.ts';

describeStorage('a local directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storage-'));
  return {
    env: {},
    place: (name) => join(folder, name),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

async function bucketHome(server: S3Server, checksum: string): Promise<StorageHome> {
  const bucket = `contract-${randomUUID()}`;
  await server.createBucket(bucket);
  return {
    env: server.env,
    place: (name) => server.storageUri(bucket, name, { 'part-size-mib': '5', checksum }),
    close: async () => undefined,
  };
}

const servers = await availableS3Servers();
for (const kind of [...servers, await motoKind(), rgwKind()]) {
  describeIf(availabilityOf(kind), kind.name, () => {
    if (!kind.available) return;
    let server: S3Server;
    beforeAll(async () => {
      server = await kind.start();
    });
    afterAll(() => server?.stop());
    describeStorage('checked by MD5', () => bucketHome(server, 'md5'));
    describeStorage('checked by CRC32', () => bucketHome(server, 'crc32'));
  });
}

/** A real server behind a gateway that refuses what the provider refuses. No options but those that its users need. */
async function providerHome(
  judge: Judge,
  server: VersitygwOptions,
  options: Record<string, string>,
): Promise<StorageHome> {
  const behind = await startVersitygw(server);
  await behind.createBucket('backups');
  const gateway = await startGateway(behind, { judge });
  return {
    env: behind.env,
    place: (name) => behind.storageUri('backups', name, { ...options, endpoint: gateway.endpoint }),
    close: async () => {
      await gateway.close();
      await behind.stop();
    },
  };
}

describeIf(availabilityOf(servers[0]), 'a provider that refuses', () => {
  const small = { 'part-size-mib': '5' };
  const describeWrites = (title: string, start: () => Promise<StorageHome>) => describeStorage(title, start, 'writing');
  describeWrites('unequal parts, CRC64NVME, full-object CRC32 and any region but auto, as R2 does', () =>
    providerHome(r2(), { region: 'auto' }, { ...small, region: 'auto' }),
  );
  describeWrites('newer checksums and signed chunks, as B2 does', () => providerHome(b2, {}, small));
  describeWrites('more parts than a few, as Scaleway does', () =>
    providerHome(fewParts(5), {}, { ...small, 'max-parts': '5' }),
  );
  describeWrites('bodies without a digest, as buckets with Object Lock do', () =>
    providerHome(lockedBucket, {}, { ...small, checksum: 'crc32' }),
  );
});
