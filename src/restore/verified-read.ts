/** The plain bytes of one object of a set, held against everything that is recorded of it. */
import { createHash } from 'node:crypto';
import { type DecryptionKeys, openDecryption } from '../crypto/decryption.ts';
import { BackupError } from '../domain/errors.ts';
import type { Manifest, ManifestObject } from '../domain/manifest.ts';
import { countOf, formatCount } from '../domain/words.ts';
import type { SetCopy } from './selected.ts';
import { type ReadParts, readStored, type Waiting } from './stored-bytes.ts';

/** Of the bytes before encryption, as contents.json has it. */
export interface PlainFacts {
  sizeBytes: number;
  /** Hex. */
  sha256: string;
}

export interface ObjectRequest {
  copy: SetCopy;
  object: ManifestObject;
  keys: DecryptionKeys | undefined;
  /** Absent for contents.json, of which nothing else is recorded. */
  plain?: PlainFacts;
}

/**
 * Gives bytes as they come, and nothing may be believed before the end: then size and SHA-256 of the stored bytes are
 * those of the manifest, the decryption is complete, and size and SHA-256 of the plain bytes are those of contents.json.
 * Throws `ERR_STORED_DIFFERS` when they are not, `ERR_DECRYPT` when no key fits or none is given, and what the storage
 * throws.
 */
export async function* readVerified(
  { copy, object, keys, plain }: ObjectRequest,
  parts: ReadParts,
  waiting?: Waiting,
): AsyncGenerator<Uint8Array> {
  const { storage } = copy.target;
  const key = `${copy.folder}/${object.name}`;
  const decryption = isEncrypted(object) ? openDecryption(keysFor(copy.manifest, keys), optionsOf(copy, object)) : null;
  const stored = new Measure();
  const decrypted = decryption === null ? stored : new Measure();
  let locked: BackupError | undefined;
  for await (const chunk of readStored(storage, key, parts, waiting)) {
    stored.add(chunk);
    if (stored.sizeBytes > object.sizeBytes) throw differs(storage.uri(key), 'it has more bytes', object.sizeBytes);
    if (locked !== undefined) continue;
    try {
      for (const piece of decryption === null ? [chunk] : await decryption.update(chunk)) {
        if (decryption !== null) decrypted.add(piece);
        yield piece;
      }
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'ERR_DECRYPT') throw error;
      // Damage in the header looks like a key that does not fit: the hash of the whole tells them apart.
      locked = error;
    }
  }
  stored.compare(object, storage.uri(key), 'metadata.json');
  if (locked !== undefined) throw locked;
  for (const piece of decryption === null ? [] : await decryption.final()) {
    decrypted.add(piece);
    yield piece;
  }
  if (plain !== undefined) decrypted.compare(plain, `${storage.uri(key)}, decrypted,`, 'contents.json');
}

/** All objects but the guide and the manifest are encrypted, or none is; the name says so. */
export function isEncrypted(object: Pick<ManifestObject, 'name'>): boolean {
  return object.name.endsWith('.age');
}

/** The one object of a role. Throws `ERR_STORED_DIFFERS`, as for any other damage of this copy. */
export function objectOf(copy: SetCopy, role: ManifestObject['role']): ManifestObject {
  const object = copy.manifest.objects.find((each) => each.role === role);
  if (object !== undefined) return object;
  throw differs(`${copy.uri}/metadata.json`, `it names no object with the role ${role}`);
}

/** A count and a hash of bytes on their way; to be compared when all have passed. */
export class Measure {
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  #sha256: string | undefined;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.byteLength;
    this.#hash.update(bytes);
  }

  equals({ sizeBytes, sha256 }: PlainFacts): boolean {
    return this.#sizeBytes === sizeBytes && this.#digest() === sha256;
  }

  /** Throws `ERR_STORED_DIFFERS` that says which of both differs. */
  compare(expected: PlainFacts, what: string, source: string): void {
    if (this.#sizeBytes !== expected.sizeBytes) {
      const words = `${countOf(this.#sizeBytes, 'byte')} instead of the ${formatCount(expected.sizeBytes)} in ${source}`;
      throw differs(what, `it has ${words}`);
    }
    if (this.#digest() !== expected.sha256) {
      throw differs(what, `its SHA-256 is not the one in ${source}: its bytes were changed`);
    }
  }

  #digest(): string {
    this.#sha256 ??= this.#hash.digest('hex');
    return this.#sha256;
  }
}

function differs(what: string, how: string, expectedBytes?: number): BackupError {
  const than = expectedBytes === undefined ? '' : ` than the ${formatCount(expectedBytes)} in metadata.json`;
  return new BackupError('ERR_STORED_DIFFERS', `${what} is not what was stored: ${how}${than}`, {
    op: 'check a stored object',
    hint: 'Take another backup of the series. Nothing was restored from this copy.',
  });
}

function optionsOf(copy: SetCopy, object: ManifestObject) {
  const { encryption } = copy.manifest;
  return {
    name: `${copy.uri}/${object.name}`,
    ...(encryption.method === 'age' ? { recordedRecipients: encryption.recipients } : {}),
  };
}

/** Throws `ERR_DECRYPT` that says what to give when there is nothing to decrypt with. */
function keysFor({ id, encryption }: Manifest, keys: DecryptionKeys | undefined): DecryptionKeys {
  if (keys !== undefined) return keys;
  const byPassphrase = encryption.method === 'age-passphrase';
  const how =
    encryption.method === 'age' ? ` to ${encryption.recipients.join(', ')}` : byPassphrase ? ' with a passphrase' : '';
  throw new BackupError('ERR_DECRYPT', `${id} is encrypted${how}, and nothing to decrypt it with was given`, {
    op: 'decrypt',
    hint: byPassphrase
      ? 'Give the passphrase in `age-passphrase`, from a secret.'
      : 'Give the secret key of one of these recipients in `age-identity`, from a secret, or the path of the file that age-keygen wrote.',
  });
}
