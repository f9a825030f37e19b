/** Decryption by the machine's own `gpg`: with its keyring, or with a passphrase. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CommandContext } from '../command.ts';
import type { DecryptionKeys } from '../crypto/decryption.ts';
import { BackupError } from '../domain/errors.ts';
import { type ProcessEnd, startProcess } from '../runner/process.ts';

export type GpgParts = Pick<CommandContext, 'workDir' | 'signal' | 'env'>;

/** What gpg needs to find itself, its keyring and its agent. */
const PASSED_ON = ['PATH', 'HOME', 'GNUPGHOME', 'XDG_RUNTIME_DIR'];

/**
 * The plain bytes of an OpenPGP message. They may be believed only at the end, when gpg has ended well. Throws
 * `ERR_DECRYPT` when there is no gpg or no key that fits, and what `source` throws.
 */
export async function* decryptWithGpg(
  source: AsyncIterable<Uint8Array>,
  name: string,
  keys: DecryptionKeys | undefined,
  parts: GpgParts,
): AsyncGenerator<Uint8Array> {
  const passphrase = keys !== undefined && 'passphrase' in keys ? await passphraseFile(keys.passphrase, parts) : null;
  // Nobody is there to answer: what would ask must fail instead of waiting.
  const unlock =
    passphrase === null
      ? ['--pinentry-mode', 'error']
      : ['--pinentry-mode', 'loopback', '--passphrase-file', passphrase];
  const env = Object.fromEntries(PASSED_ON.flatMap((each) => (parts.env[each] ? [[each, parts.env[each]]] : [])));
  const gpg = startProcess('gpg', ['--batch', '--no-tty', '--quiet', ...unlock, '--decrypt'], {
    env,
    signal: parts.signal,
    stdin: 'pipe',
    stdout: 'pipe',
  });
  let fault: unknown;
  const feeding = pipeline(Readable.from(watched(source, (error) => (fault = error))), gpg.stdin as Writable).catch(
    // That gpg closes its input early is told by how it ends.
    () => undefined,
  );
  try {
    yield* gpg.stdout as AsyncIterable<Uint8Array>;
    const end = await gpg.ended.catch((error: unknown) => {
      throw notHere(name, error);
    });
    await feeding;
    if (fault !== undefined) throw fault;
    if (end.code !== 0) throw refused(name, end, passphrase !== null);
  } finally {
    gpg.kill();
    if (passphrase !== null) await rm(passphrase, { force: true });
  }
}

async function* watched(source: AsyncIterable<Uint8Array>, onFault: (error: unknown) => void) {
  try {
    yield* source;
  } catch (error) {
    onFault(error);
    throw error;
  }
}

/** Never an argument: those are for everyone to see. */
async function passphraseFile(passphrase: string, { workDir }: GpgParts): Promise<string> {
  const file = join(workDir, 'gpg', 'passphrase');
  await mkdir(join(workDir, 'gpg'), { recursive: true, mode: 0o700 });
  await writeFile(file, passphrase, { mode: 0o600 });
  return file;
}

function notHere(name: string, cause: unknown): BackupError {
  return new BackupError('ERR_DECRYPT', `${name} is encrypted with OpenPGP, and gpg could not be started`, {
    op: 'decrypt',
    hint: 'Install gpg on the runner (apt-get install gnupg), or decrypt the dump by hand and give the result.',
    cause,
  });
}

function refused(name: string, { code, signal, stderr }: ProcessEnd, byPassphrase: boolean): BackupError {
  const said = stderr.split('\n').slice(-3).join('; ') || `it ended with ${code ?? signal}`;
  return new BackupError('ERR_DECRYPT', `gpg could not decrypt ${name}: ${said}`, {
    op: 'decrypt',
    hint: byPassphrase
      ? 'Check the passphrase.'
      : 'Import the secret key into the keyring of the job’s user in a step before (gpg --batch --import), or give `age-passphrase` if it was encrypted with a passphrase.',
  });
}
