/** What decrypts, read from where the inputs say it is. */
import { open } from 'node:fs/promises';
import { parseIdentities } from '../crypto/age.ts';
import type { DecryptionKeys } from '../crypto/decryption.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import { goingOn } from '../domain/words.ts';
import type { KeySources } from '../inputs/types.ts';

/** Room for thousands of keys: what is larger is another file. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The keys as they are and those of the files, each once; `undefined` when none is given. Throws `ERR_INPUT` that names
 * the file which cannot be read or holds no keys. The caller masks {@link secretsOf} what comes out before anything
 * else is done with it.
 */
export async function readKeys(sources: KeySources): Promise<DecryptionKeys | undefined> {
  const { identities, identityFiles, passphrase } = sources;
  if (passphrase !== undefined) {
    if (identities.length + identityFiles.length === 0) return { passphrase };
    throw wrong('both age-passphrase and age-identity are given. A backup has one or the other: remove one of them');
  }
  const fromFiles: string[] = [];
  for (const file of identityFiles) fromFiles.push(...(await readIdentities(file)));
  const all = [...new Set([...identities, ...fromFiles])];
  return all.length === 0 ? undefined : { identities: all };
}

/** What must never be printed of `keys`. */
export function secretsOf(keys: DecryptionKeys | undefined): string[] {
  if (keys === undefined) return [];
  return 'passphrase' in keys ? [keys.passphrase] : [...keys.identities];
}

async function readIdentities(file: string): Promise<string[]> {
  const text = await readText(file);
  try {
    return parseIdentities(text);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw wrong(`the file of keys ${file} cannot be used: ${goingOn(error.message)}`, error);
  }
}

async function readText(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r');
    if ((await handle.stat()).isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    // Not by its size: what a shell hands over with <(…) is a pipe, and has none.
    const { buffer, bytesRead } = await readUpTo(handle, MAX_FILE_BYTES + 1);
    if (bytesRead > MAX_FILE_BYTES) throw wrong(`${file} is too large for a file of keys`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw wrong(`the file of keys ${file} cannot be read: ${reasonOf(error)}`, error);
  }
}

async function readUpTo(
  handle: Awaited<ReturnType<typeof open>>,
  most: number,
): Promise<{ buffer: Buffer; bytesRead: number }> {
  const buffer = Buffer.alloc(most);
  let filled = 0;
  while (filled < most) {
    const { bytesRead } = await handle.read(buffer, filled, most - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return { buffer, bytesRead: filled };
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file. Relative paths begin in the workspace of the job';
  if (code === 'EACCES' || code === 'EPERM') return 'the job’s user may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return code ?? messageOf(error);
}

function wrong(message: string, cause?: unknown): BackupError {
  return new BackupError('ERR_INPUT', `${message}.`, {
    op: 'read age-identity',
    hint: 'Correct `age-identity`: the text of a secret key, or the path of a file that age-keygen wrote.',
    ...(cause === undefined ? {} : { cause }),
  });
}
