/** Whole small objects through the streaming interface. */
import type { Storage, StoredObject, WriteOptions } from '../ports.ts';

/** Writes `bytes` as one object. When anything fails, nothing is left behind and the first error is thrown. */
export async function writeBytes(
  storage: Storage,
  key: string,
  bytes: Uint8Array,
  options: WriteOptions = {},
): Promise<StoredObject> {
  const writer = await storage.create(key, { ...options, expectedBytes: bytes.byteLength });
  try {
    await writer.write(bytes);
    return await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The whole object in memory, for manifests and the like. Throws what {@link Storage.get} throws. */
export async function readBytes(storage: Storage, key: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await storage.get(key)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
