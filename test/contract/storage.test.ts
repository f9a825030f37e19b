import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { availableS3Servers, type S3Server } from '../support/s3-servers.ts';
import { describeStorage, type StorageHome } from './storage.ts';

describeStorage('a local directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storage-'));
  return {
    env: {},
    place: (name) => join(folder, name),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

async function s3Home(start: () => Promise<S3Server>, checksum: string): Promise<StorageHome> {
  const server = await start();
  await server.createBucket('backups');
  return {
    env: server.env,
    place: (name) => server.storageUri('backups', name, { 'part-size-mib': '5', checksum }),
    close: () => server.stop(),
  };
}

for (const kind of await availableS3Servers()) {
  if (kind.available) {
    describeStorage(`${kind.name}, checked by MD5`, () => s3Home(kind.start, 'md5'));
    describeStorage(`${kind.name}, checked by CRC32`, () => s3Home(kind.start, 'crc32'));
  } else {
    describe.skip(`${kind.name} (skipped: ${kind.reason})`, () => {
      it('keeps the contract', () => undefined);
    });
  }
}
