/**
 * Encryption in the age format: the header by the `age-encryption` library, the payload by {@link PayloadSealer}.
 * The stock `age` tool decrypts what this writes.
 */
import { randomBytes } from 'node:crypto';
import { Encrypter, type Recipient } from 'age-encryption';
import { BackupError } from '../domain/errors.ts';
import type { Cipher, EncryptionStream } from '../ports.ts';
import { parseRecipients } from './keys.ts';
import { checkPassphrase, passphraseRecipient } from './passphrase.ts';
import { PAYLOAD_NONCE_BYTES, PayloadSealer } from './payload.ts';

export { isPostQuantum, parseIdentities, parseRecipient, parseRecipients } from './keys.ts';
export { checkPassphrase } from './passphrase.ts';

/** Nonce and tag of the empty payload that the library writes after its header. */
const EMPTY_PAYLOAD_BYTES = 32;

/** How the objects of a set are encrypted. */
export type EncryptionSettings =
  | { method: 'age'; recipients: readonly string[] }
  | { method: 'age-passphrase'; passphrase: string }
  | { method: 'none' };

/** Throws `ERR_INPUT` for a bad recipient or a weak passphrase. No I/O. */
export function openCipher(settings: EncryptionSettings): Cipher {
  if (settings.method === 'age') return recipientsCipher(settings.recipients);
  return settings.method === 'none' ? noCipher : passphraseCipher(settings.passphrase);
}

/**
 * Encrypts to each of `recipients`: any one of their secret keys decrypts. Throws `ERR_INPUT` for a bad recipient.
 * Every object gets a file key of its own.
 */
export function recipientsCipher(recipients: readonly string[]): Cipher {
  const parsed = parseRecipients(recipients);
  return {
    suffix: '.age',
    open: () =>
      openAge((encrypter) => {
        for (const recipient of parsed) encrypter.addRecipient(recipient);
      }),
  };
}

/**
 * Encrypts under a passphrase. Throws `ERR_INPUT` for one that is too weak. Opening an object takes about a second
 * and, for that time, 256 MiB, which is what makes guessing dear; so objects are opened one after the other.
 */
export function passphraseCipher(passphrase: string): Cipher {
  const checked = checkPassphrase(passphrase);
  let queue: Promise<unknown> = Promise.resolve();
  const open = (): Promise<EncryptionStream> =>
    openAge((encrypter) => encrypter.addRecipient(passphraseRecipient(checked)));
  return {
    suffix: '.age',
    open() {
      const opened = queue.then(open, open);
      queue = opened;
      return opened;
    },
  };
}

/** Stores bytes as they are. */
export const noCipher: Cipher = {
  suffix: '',
  open: () => Promise.resolve({ update: (chunk) => [chunk], final: () => [] }),
};

async function openAge(addRecipients: (encrypter: Encrypter) => void): Promise<EncryptionStream> {
  try {
    let fileKey: Uint8Array | undefined;
    const recorder: Recipient = {
      wrapFileKey(key) {
        fileKey = Uint8Array.from(key);
        return [];
      },
    };
    const encrypter = new Encrypter();
    encrypter.addRecipient(recorder);
    addRecipients(encrypter);
    const emptyFile = await encrypter.encrypt(new Uint8Array());
    if (fileKey === undefined) throw new Error('the age library did not ask for the file key');
    return new AgeEncryption(emptyFile.subarray(0, -EMPTY_PAYLOAD_BYTES), fileKey);
  } catch (error) {
    throw new BackupError('ERR_ENCRYPT', 'The encryption of an object could not be set up', {
      op: 'encrypt',
      hint: 'Check that `age-recipients` holds keys that age-keygen printed. Nothing was made visible.',
      cause: error,
    });
  }
}

class AgeEncryption implements EncryptionStream {
  readonly #sealer: PayloadSealer;
  #head: Uint8Array[];

  constructor(header: Uint8Array, fileKey: Uint8Array) {
    const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
    this.#head = [header, nonce];
    this.#sealer = new PayloadSealer(fileKey, nonce);
    fileKey.fill(0);
  }

  update(chunk: Uint8Array): Uint8Array[] {
    return this.#withHead(this.#sealer.update(chunk));
  }

  final(): Uint8Array[] {
    return this.#withHead(this.#sealer.final());
  }

  #withHead(sealed: Uint8Array[]): Uint8Array[] {
    const head = this.#head;
    this.#head = [];
    return [...head, ...sealed];
  }
}
