/** Which keys a destination accepts. The same rules for every kind, so that a set can move between them. */
import { BackupError } from '../domain/errors.ts';

/** Names of unfinished files in a local directory begin like this; no key may, and no listing shows them. */
export const UNFINISHED_PREFIX = '.unfinished-';

/** S3's limit of a whole key in bytes, the destination's prefix included; half of it is left to the prefix. */
const MAX_KEY_BYTES = 512;
/** NAME_MAX of the usual file systems. */
const MAX_SEGMENT_BYTES = 255;

/**
 * Throws `ERR_STORAGE` unless `key` is a plain relative name: no empty, `.` or `..` part, no backslash and no
 * control character. Keys that come from a manifest or a listing pass through here before they become a path.
 */
export function assertKey(key: string): void {
  if (key === '' || key.endsWith('/')) throw refuse(key, 'it is empty or ends in a slash');
  assertPrefix(key);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw refuse(key, `it is longer than ${MAX_KEY_BYTES} bytes`);
}

/** As {@link assertKey}, for the beginning of keys: may be empty, end in a slash or in mid-name. */
export function assertPrefix(prefix: string): void {
  if (prefix === '') return;
  if (/[\p{Cc}\\]/u.test(prefix)) throw refuse(prefix, 'it holds a backslash or a control character');
  const segments = prefix.split('/');
  if (segments.at(-1) === '') segments.pop();
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..')
      throw refuse(prefix, 'it has an empty, "." or ".." part');
    if (segment.startsWith(UNFINISHED_PREFIX)) throw refuse(prefix, `"${UNFINISHED_PREFIX}" marks unfinished files`);
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) throw refuse(prefix, 'one of its parts is too long');
  }
}

function refuse(key: string, reason: string): BackupError {
  return new BackupError('ERR_STORAGE', `${JSON.stringify(key)} cannot be the name of a stored object: ${reason}.`, {
    op: 'name an object',
    hint: 'Check the series name, the label and the listed backup: one of them does not come from this action.',
  });
}
