/** A set with an archive of any size that no server ever held: for tests of fetching, which does not look into it. */
import { createHash, randomBytes } from 'node:crypto';
import { recipientsCipher } from '../../src/crypto/age.ts';
import { type Contents, serializeContents } from '../../src/domain/contents.ts';
import { type ManifestObject, serializeManifest } from '../../src/domain/manifest.ts';
import { setFolder } from '../../src/domain/set-layout.ts';
import type { Cipher, Storage, StoredObject } from '../../src/ports.ts';
import { contents as contentsDocument, manifest, SET_ID } from './set-documents.ts';
import { MIB } from './storage-bench.ts';

export const LARGE_SET = setFolder('shop', SET_ID);

export interface LargeSet {
  contents: Contents;
  /** Of the plain archive. */
  sha256: string;
  sizeBytes: number;
}

/** Writes the same set into every storage, encrypted to `recipient`. Memory does not grow with its size. */
export async function writeLargeSet(
  storages: readonly Storage[],
  recipient: string,
  mebibytes: number,
): Promise<LargeSet> {
  const cipher = recipientsCipher([recipient]);
  const block = randomBytes(MIB);
  const archive = await seal(storages, cipher, 'database.backup.age', async function* () {
    for (let index = 0; index < mebibytes; index += 1) {
      block.writeUInt32BE(index);
      yield block;
    }
  });
  const plainObjects: Contents['plainObjects'] = [{ role: 'archive', name: 'database.backup.age', ...archive.plain }];
  const contents = contentsDocument({ plainObjects });
  const document = await seal(storages, cipher, 'contents.json.age', async function* () {
    yield Buffer.from(serializeContents(contents));
  });
  const objects: ManifestObject[] = [
    { role: 'archive', ...archive.stored },
    { role: 'contents', ...document.stored },
    { ...(manifest().objects[3] as ManifestObject), role: 'restore-guide' },
  ];
  const text = serializeManifest(manifest({ objects, encryption: { method: 'age', recipients: [recipient] } }));
  await seal(storages, undefined, 'metadata.json', async function* () {
    yield Buffer.from(text);
  });
  return { contents, ...archive.plain };
}

async function seal(
  storages: readonly Storage[],
  cipher: Cipher | undefined,
  name: string,
  bytes: () => AsyncIterable<Uint8Array>,
) {
  const writers = await Promise.all(storages.map((storage) => storage.create(`${LARGE_SET}/${name}`)));
  const encryption = (await cipher?.open()) ?? { update: (chunk: Uint8Array) => [chunk], final: () => [] };
  const plain = createHash('sha256');
  let sizeBytes = 0;
  const put = async (pieces: readonly Uint8Array[]): Promise<void> => {
    for (const piece of pieces) await Promise.all(writers.map((writer) => writer.write(piece)));
  };
  for await (const chunk of bytes()) {
    plain.update(chunk);
    sizeBytes += chunk.byteLength;
    await put(encryption.update(chunk));
  }
  await put(encryption.final());
  const [stored] = (await Promise.all(writers.map((writer) => writer.commit()))) as [StoredObject];
  const { sizeBytes: storedBytes, sha256, evidence } = stored;
  return {
    stored: { name, sizeBytes: storedBytes, sha256, evidence },
    plain: { sizeBytes, sha256: plain.digest('hex') },
  };
}
