/** Which bytes a backup is, for the fingerprint of a plan. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { FoundBackup } from './find.ts';
import type { LocalArchive } from './local-archive.ts';
import type { Settled } from './settle.ts';

/**
 * SHA-256, hex: of a set that of its archive as it is stored, by its manifest; of a dump made by other means that of what
 * was fetched, which is read once more.
 */
export async function archiveDigest(
  { selected }: Pick<FoundBackup, 'selected'>,
  { fetched }: Pick<Settled, 'fetched'>,
): Promise<string> {
  if (selected.kind === 'foreign') {
    if (fetched === undefined) throw new Error('a dump made by other means is fetched before it is planned');
    return await digestOf(fetched.archive);
  }
  const archives = selected.manifest.objects.filter(({ role }) => role === 'archive');
  return archives.map(({ sha256 }) => sha256).join(' ');
}

async function digestOf(archive: LocalArchive): Promise<string> {
  if (archive.kind === 'stream') return await digestOfStream(await archive.open());
  if (archive.format !== 'directory') return await digestOfStream(createReadStream(archive.path));
  const whole = createHash('sha256');
  for (const name of (await readdir(archive.path)).sort()) {
    whole.update(`${name}\0${await digestOfStream(createReadStream(path.join(archive.path, name)))}\n`);
  }
  return whole.digest('hex');
}

async function digestOfStream(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}
