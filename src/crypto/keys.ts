/** age keys as people paste them: public recipients and secret identities. Offline; nothing secret is ever repeated. */
import { BackupError } from '../domain/errors.ts';
import { goingOn } from '../domain/words.ts';
import { decodeBech32 } from './bech32.ts';

const X25519_KEY_BYTES = 32;
/** ML-KEM-768 (1,184) and X25519 (32). */
const POST_QUANTUM_KEY_BYTES = 1216;
/** The seed from which the hybrid key pair is made. */
const POST_QUANTUM_SEED_BYTES = 32;

const MAKE_A_KEY = 'Make a key pair with `age-keygen -o key.txt` and give the public key that it prints (age1…).';

/**
 * One line of `age-recipients`, without blanks around it; `undefined` for an empty line or a `#` comment.
 * Takes X25519 (`age1…`) and hybrid post-quantum (`age1pq1…`) recipients.
 * Throws `ERR_INPUT` for anything else, with words that never repeat the line: it may be a secret key.
 */
export function parseRecipient(line: string): string | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  if (/age-secret-key-/i.test(text)) {
    throw refuse(
      'this is a SECRET key (AGE-SECRET-KEY-…), and whoever holds it can read every backup. ' +
        'Remove it, make a new key pair, and give only the public key, which begins with age1',
    );
  }
  if (/BEGIN [A-Z ]*PRIVATE KEY/.test(text)) throw refuse(`this is a SECRET key. Remove it. ${MAKE_A_KEY}`);
  if (/^(ssh-|ecdsa-|sk-)/.test(text)) throw refuse(`SSH keys are not supported. ${MAKE_A_KEY}`);
  if (!/^age1/i.test(text)) throw refuse(`this is not an age recipient, which begins with age1. ${MAKE_A_KEY}`);
  return checkRecipient(text);
}

/**
 * All recipients of a backup, each once. Throws `ERR_INPUT` when there is none, or when post-quantum and classic
 * ones are mixed: whoever breaks the classic one reads the file, so `age` itself refuses that too.
 */
export function parseRecipients(lines: readonly string[]): string[] {
  const recipients = [...new Set(lines.map(parseRecipient).filter((line) => line !== undefined))];
  if (recipients.length === 0) throw refuse(`no recipient is given. ${MAKE_A_KEY}`);
  const postQuantum = recipients.filter(isPostQuantum);
  if (postQuantum.length > 0 && postQuantum.length < recipients.length) {
    throw refuse(
      'post-quantum recipients (age1pq1…) and classic ones (age1…) are mixed, which leaves the backup only as safe ' +
        'as the classic ones. Give one kind: `age-keygen -pq` makes post-quantum keys',
    );
  }
  return recipients;
}

/** True for a hybrid recipient, which the `age` tool reads from version 1.3.0 on. */
export function isPostQuantum(recipient: string): boolean {
  return recipient.startsWith('age1pq1');
}

/**
 * The secret keys of an identity file, one a line; `age-keygen` also writes `#` comments.
 * Throws `ERR_INPUT` when there is none or one is damaged, and never repeats any of it.
 */
export function parseIdentities(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#')).map(checkIdentity);
  if (identities.length > 0) return [...new Set(identities)];
  throw refuse('no secret key is given. Give the contents of the file that `age-keygen` wrote');
}

function checkRecipient(text: string): string {
  const shaped = decodeBech32(text);
  if (text !== text.toLowerCase()) throw refuse('a recipient is written in small letters; copy it again');
  if (shaped === undefined) {
    throw refuse('a recipient is mistyped or cut short: its checksum does not fit. Copy the whole line again');
  }
  const { prefix, bytes } = shaped;
  if (prefix === 'age' && bytes.length === X25519_KEY_BYTES) return text;
  if (prefix === 'age1pq' && bytes.length === POST_QUANTUM_KEY_BYTES) return text;
  throw refuse(`recipients of plugins and hardware keys are not supported. ${MAKE_A_KEY}`);
}

function checkIdentity(line: string): string {
  if (/^age1/.test(line)) {
    throw refuse('this is a public key (age1…), with which nothing can be decrypted. Give AGE-SECRET-KEY-…');
  }
  if (/BEGIN AGE ENCRYPTED FILE|^age-encryption\.org/.test(line)) {
    throw refuse('the file of keys is itself encrypted. Decrypt it with `age -d` and give what it prints');
  }
  if (!/^AGE-SECRET-KEY-/.test(line)) {
    throw refuse('this is not an age secret key, which begins with AGE-SECRET-KEY-. SSH keys are not supported');
  }
  const shaped = decodeBech32(line);
  if (shaped === undefined) {
    throw refuse('a secret key is mistyped or cut short: its checksum does not fit. Copy the whole line again');
  }
  const { prefix, bytes } = shaped;
  if (prefix === 'age-secret-key-' && bytes.length === X25519_KEY_BYTES) return line;
  if (prefix === 'age-secret-key-pq-' && bytes.length === POST_QUANTUM_SEED_BYTES) return line;
  throw refuse('a secret key is of a kind that is not supported');
}

function refuse(message: string): BackupError {
  return new BackupError('ERR_INPUT', `${goingOn(message)}.`, {
    op: 'read age keys',
    hint: 'Correct the keys of the step. Nothing was read from the database and nothing was written.',
  });
}
