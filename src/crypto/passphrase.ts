/** Passphrases: which are good enough, and the scrypt stanza that age makes of them (age-encryption.org/v1). */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { type Identity, type Recipient, Stanza } from 'age-encryption';
import { BackupError } from '../domain/errors.ts';

/** Offline guessing is the danger; the age library asks for "at least 8-10 random alphanumeric characters". */
export const MIN_PASSPHRASE_CHARACTERS = 10;
/** log2 of scrypt's N, the value that the `age` tool uses: 256 MiB and about a second. */
const WORK_FACTOR = 18;
/** The highest that is read: 1 GiB of memory. */
const HIGHEST_WORK_FACTOR = 20;
const SCRYPT_LABEL = 'age-encryption.org/v1/scrypt';
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const FILE_KEY_BYTES = 16;
const ZERO_NONCE = Buffer.alloc(12);

/**
 * Returns the passphrase. Throws `ERR_INPUT` when it is shorter than {@link MIN_PASSPHRASE_CHARACTERS}, or cannot be
 * typed at the prompt of `age`. The message never holds it.
 */
export function checkPassphrase(passphrase: string): string {
  if (/\p{Cc}/u.test(passphrase)) {
    throw refuse('the passphrase holds a line break or another control character, which nobody can type at a prompt');
  }
  if (passphrase.trim() !== passphrase)
    throw refuse('the passphrase begins or ends with a blank, which is easily lost');
  if ([...passphrase].length < MIN_PASSPHRASE_CHARACTERS) {
    throw refuse(
      `the passphrase has fewer than ${MIN_PASSPHRASE_CHARACTERS} characters and can be guessed; use five random words`,
    );
  }
  return passphrase;
}

/** Wraps file keys under a passphrase; native scrypt, off the main thread. */
export function passphraseRecipient(passphrase: string): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(SALT_BYTES);
      const key = await wrappingKey(passphrase, salt, WORK_FACTOR);
      const cipher = createCipheriv('chacha20-poly1305', key, ZERO_NONCE, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza(['scrypt', base64(salt), String(WORK_FACTOR)], body)];
    },
  };
}

/** Unwraps what {@link passphraseRecipient} or the `age` tool wrapped. */
export function passphraseIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas.find(({ args }) => args[0] === 'scrypt');
      if (stanza === undefined) return null;
      const [, saltText = '', factorText = ''] = stanza.args;
      const salt = Buffer.from(saltText, 'base64');
      const factor = /^[1-9]\d?$/.test(factorText) ? Number(factorText) : Number.NaN;
      const shaped = stanza.args.length === 3 && salt.length === SALT_BYTES && base64(salt) === saltText;
      if (stanzas.length !== 1 || !shaped || stanza.body.length !== FILE_KEY_BYTES + TAG_BYTES || !(factor > 0)) {
        throw new Error('the scrypt stanza of the header is malformed');
      }
      if (factor > HIGHEST_WORK_FACTOR) throw new Error(`the work factor ${factor} of its passphrase is too high`);
      return unwrap(stanza.body, await wrappingKey(passphrase, salt, factor));
    },
  };
}

/** `null` when the key is another one. */
function unwrap(body: Uint8Array, key: Buffer): Uint8Array | null {
  const decipher = createDecipheriv('chacha20-poly1305', key, ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(body.subarray(FILE_KEY_BYTES));
  const fileKey = decipher.update(body.subarray(0, FILE_KEY_BYTES));
  try {
    decipher.final();
  } catch {
    // The tag does not fit, and this is all that it says.
    return null;
  }
  return fileKey;
}

function wrappingKey(passphrase: string, salt: Buffer, factor: number): Promise<Buffer> {
  const N = 2 ** factor;
  const labelled = Buffer.concat([Buffer.from(SCRYPT_LABEL), salt]);
  // OpenSSL counts a little more than the 128 × N × r bytes of the table.
  const options = { N, r: 8, p: 1, maxmem: 128 * N * 8 + 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, labelled, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

function refuse(message: string): BackupError {
  return new BackupError('ERR_INPUT', `${message}.`, {
    op: 'read age-passphrase',
    hint: 'Store a longer passphrase as a secret of the repository, and keep a copy where a restore will look for it.',
  });
}
