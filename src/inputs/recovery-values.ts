/** Parsers of the values that only restore and drill know: which backup, and with which keys. */
import { parseIdentities } from '../crypto/age.ts';
import { type BackupSelector, parseSelector } from '../domain/selector.ts';
import type { KeySources } from './types.ts';
import { lines, type Parse, rejected } from './values.ts';

export const backupSelector: Parse<BackupSelector> = (text) => parseSelector(text);

/** A path has a slash or is short; so long a word of letters and digits is a key, or a part of one. */
const LOOKS_LIKE_KEY = /SECRET-KEY|^(?=[^/]*$).*[A-Z0-9]{40,}/i;

/**
 * One a line: a secret key of age, or the path of a file that holds such keys; `#` begins a comment, as in the files
 * that age-keygen writes. Throws `ERR_INPUT`; no message repeats anything that may be a key.
 */
export const identitySources: Parse<Pick<KeySources, 'identities' | 'identityFiles'>> = (text, env) => {
  if (/-----BEGIN/.test(text)) {
    throw rejected(
      'it holds a block "-----BEGIN …". Keys of SSH and OpenPGP are not supported, and a file of keys that is itself encrypted must be decrypted first (age -d). Give AGE-SECRET-KEY-… or the path of a file.',
    );
  }
  const withoutComments = text.replaceAll(/^[^\S\r\n]*#.*$/gm, '');
  const given = lines(parseLine)(withoutComments, env);
  return {
    identities: given.flatMap((each) => ('identity' in each ? [each.identity] : [])),
    identityFiles: given.flatMap((each) => ('file' in each ? [each.file] : [])),
  };
};

function parseLine(line: string): { identity: string } | { file: string } {
  if (/^age1/i.test(line)) {
    throw rejected(
      'it holds a public key (age1…), which only encrypts. Give the secret key that belongs to it: the line AGE-SECRET-KEY-… in the file that age-keygen wrote.',
    );
  }
  if (/^(ssh-|ecdsa-|sk-)/.test(line)) throw rejected('keys of SSH are not supported. Give AGE-SECRET-KEY-….');
  if (/^AGE-SECRET-KEY-/.test(line)) {
    const [identity = ''] = parseIdentities(line);
    return { identity };
  }
  if (LOOKS_LIKE_KEY.test(line)) {
    throw rejected(
      'a line looks like a secret key, but is not a whole one, which begins with AGE-SECRET-KEY- in capitals. Copy the line from the file of keys again; the path of a file can be written ./name.',
    );
  }
  if (line.startsWith('~')) throw rejected('a path begins with "~", which only a shell expands. Write it whole.');
  if (/\p{Cc}/u.test(line)) throw rejected('a path holds a control character.');
  return { file: line };
}
