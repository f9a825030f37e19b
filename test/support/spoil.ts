/** Ways in which objects of a set go bad in storage. */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import type { Manifest } from '../../src/domain/manifest.ts';

/** Inverts the lowest bit of the byte in the middle, or of the one at `at`. */
export async function flipByte(file: string, at?: number): Promise<void> {
  const bytes = await readFile(file);
  const position = at ?? bytes.length >> 1;
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** Leaves so many bytes out at the end. */
export async function cutShort(file: string, bytes: number): Promise<void> {
  const { length } = await readFile(file);
  await truncate(file, Math.max(0, length - bytes));
}

/** Rewrites a metadata.json, without any check of what comes out. */
export async function changeManifest(
  file: string,
  change: (manifest: Manifest) => Partial<Record<keyof Manifest, unknown>>,
): Promise<void> {
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  await writeFile(file, JSON.stringify({ ...manifest, ...change(manifest) }));
}
