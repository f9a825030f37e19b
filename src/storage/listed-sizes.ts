/** What a listing says of the objects of a set. */
import type { Storage } from '../ports.ts';

/** Sizes in bytes of all objects below `prefix`, by their keys. Throws what listing throws. */
export async function listedSizes(storage: Storage, prefix: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, sizeBytes } of storage.list(prefix)) sizes.set(key, sizeBytes);
  return sizes;
}
