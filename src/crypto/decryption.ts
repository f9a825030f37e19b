/** Decryption of age files, pushed through in pieces of any size. */
import { Decrypter } from 'age-encryption';
import { BackupError } from '../domain/errors.ts';
import { countOf, formatCount } from '../domain/words.ts';
import { passphraseIdentity } from './passphrase.ts';
import { PAYLOAD_NONCE_BYTES, PayloadDamage, PayloadOpener } from './payload.ts';

/** A post-quantum stanza is about 1.7 KiB, so this is room for more than 500 recipients. */
const MAX_HEADER_BYTES = 1024 * 1024;
const MAC_LINE = Buffer.from('\n--- ');

/** Secret keys as `parseIdentities` returns them, or the passphrase. */
export type DecryptionKeys = { identities: readonly string[] } | { passphrase: string };

export interface DecryptionOptions {
  /** What is decrypted, for messages: `database.backup.age`. */
  name: string;
  /** The recipients that the backup's manifest names, for the message when no key fits. */
  recordedRecipients?: readonly string[];
}

/**
 * Plain bytes come out as soon as they are authentic, but only a `final` that resolves says that none is missing:
 * nothing may be believed before it. Rejects with `ERR_DECRYPT` when no key fits, and with `ERR_STORED_DIFFERS`
 * when the file is not one of age, was altered or is cut short.
 */
export interface DecryptionStream {
  update(chunk: Uint8Array): Promise<Uint8Array[]>;
  final(): Promise<Uint8Array[]>;
}

/** Begins to decrypt one object. The header is read with the first pieces that are pushed. */
export function openDecryption(keys: DecryptionKeys, options: DecryptionOptions): DecryptionStream {
  return new AgeDecryption(keys, options);
}

class AgeDecryption implements DecryptionStream {
  readonly #keys: DecryptionKeys;
  readonly #options: DecryptionOptions;
  #head: Buffer = Buffer.alloc(0);
  #opener: PayloadOpener | undefined;

  constructor(keys: DecryptionKeys, options: DecryptionOptions) {
    this.#keys = keys;
    this.#options = options;
  }

  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    if (this.#opener !== undefined) return this.#told(this.#opener, (opener) => opener.update(chunk));
    this.#head = Buffer.concat([this.#head, chunk]);
    const headerBytes = headerLength(this.#head);
    const nonceEnd = (headerBytes ?? 0) + PAYLOAD_NONCE_BYTES;
    if (headerBytes === undefined || this.#head.length < nonceEnd) {
      if (this.#head.length > MAX_HEADER_BYTES) throw notAge(this.#options, this.#head);
      return [];
    }
    const fileKey = await this.#fileKey(this.#head.subarray(0, headerBytes));
    const opener = new PayloadOpener(fileKey, this.#head.subarray(headerBytes, nonceEnd));
    const payload = this.#head.subarray(nonceEnd);
    this.#head = Buffer.alloc(0);
    this.#opener = opener;
    return this.#told(opener, () => opener.update(payload));
  }

  async final(): Promise<Uint8Array[]> {
    if (this.#opener === undefined) throw notAge(this.#options, this.#head);
    return this.#told(this.#opener, (opener) => opener.final());
  }

  async #fileKey(header: Buffer): Promise<Uint8Array> {
    const decrypter: Decrypter = new Decrypter();
    if ('passphrase' in this.#keys) decrypter.addIdentity(passphraseIdentity(this.#keys.passphrase));
    else for (const identity of this.#keys.identities) decrypter.addIdentity(identity);
    try {
      return await decrypter.decryptHeader(header);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('no identity matched')) {
        throw wrongKey(this.#keys, this.#options, header);
      }
      throw damaged(this.#options, 'Its header was altered or is malformed', error);
    }
  }

  #told(opener: PayloadOpener, body: (opener: PayloadOpener) => Uint8Array[]): Uint8Array[] {
    try {
      return body(opener);
    } catch (error) {
      if (!(error instanceof PayloadDamage)) throw error;
      throw damaged(
        this.#options,
        error.kind === 'truncated' ? 'It is cut short: its end is missing' : 'Its bytes were altered or are cut short',
        error,
      );
    }
  }
}

/** Bytes up to and with the line `--- MAC`; `undefined` while it is not there. */
function headerLength(head: Buffer): number | undefined {
  const macLine = head.indexOf(MAC_LINE);
  const lineEnd = macLine === -1 ? -1 : head.indexOf(0x0a, macLine + 1);
  return lineEnd === -1 ? undefined : lineEnd + 1;
}

function wrongKey(keys: DecryptionKeys, options: DecryptionOptions, header: Buffer): BackupError {
  const types = [...header.toString('latin1').matchAll(/^-> (\S+)/gm)].map((match) => match[1]);
  const byPassphrase = types.includes('scrypt');
  const recorded = options.recordedRecipients ?? [];
  const toWhom = recorded.length > 0 ? recorded.join(', ') : countOf(types.length, 'recipient');
  if ('passphrase' in keys) {
    return decryptError(
      byPassphrase
        ? `${options.name}: the passphrase is not the one it was encrypted with`
        : `${options.name} is encrypted to keys, not with a passphrase: ${toWhom}`,
      byPassphrase
        ? 'Look for the passphrase that was in use when this backup was made.'
        : 'Give the secret key (AGE-SECRET-KEY-…) of one of them.',
    );
  }
  const given = keys.identities.length;
  const misfit = given === 1 ? 'the secret key does not fit' : `none of the ${formatCount(given)} secret keys fits`;
  return decryptError(
    byPassphrase
      ? `${options.name} is encrypted with a passphrase, not to keys`
      : `${options.name}: ${misfit}; it is encrypted to ${toWhom}`,
    byPassphrase
      ? 'Give the passphrase.'
      : 'Give the secret key of one of these recipients; `age-keygen -y key.txt` prints the recipient of a key.',
  );
}

function decryptError(message: string, hint: string): BackupError {
  return new BackupError('ERR_DECRYPT', message, { op: 'decrypt', hint });
}

function notAge(options: DecryptionOptions, head: Buffer): BackupError {
  const start = head.toString('latin1', 0, 64);
  if (start.startsWith('-----BEGIN AGE')) {
    return decryptError(`${options.name} is armored`, 'Decrypt it with the `age` tool.');
  }
  const isAge = start.startsWith('age-encryption.org/v1\n');
  return damaged(options, isAge ? 'It ends inside its header' : 'It is not a file in the age format', undefined);
}

function damaged(options: DecryptionOptions, what: string, cause: unknown): BackupError {
  return new BackupError('ERR_STORED_DIFFERS', `${options.name} cannot be decrypted. ${what}`, {
    op: 'decrypt',
    hint: 'Compare its SHA-256 with the one in metadata.json, fetch it again, or take another backup of the series.',
    ...(cause === undefined ? {} : { cause }),
  });
}
