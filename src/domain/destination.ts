/** One line of `storage`, parsed. Nothing here does I/O; opening is `storage/open.ts`. */
import { wrongDestination } from './destination-error.ts';
import { parseS3, type S3Destination } from './s3-destination.ts';

export type { Environment } from './environment.ts';
export type { ChecksumKind, S3Destination } from './s3-destination.ts';
export { type ResolvedS3, resolveS3, type StaticCredentials } from './s3-settings.ts';

export interface DirectoryDestination {
  kind: 'directory';
  /** As written; relative paths are resolved when it is opened. */
  path: string;
}

export type Destination = DirectoryDestination | S3Destination;

/**
 * Parses `s3://bucket/prefix?region=…&endpoint=…` (all options: {@link parseS3}) or a directory path. Throws `ERR_INPUT`; the message never repeats a value that may be a secret.
 */
export function parseDestination(line: string): Destination {
  const text = line.trim();
  if (text === '') throw wrongDestination('a destination is empty', 'Write s3://bucket/prefix or a directory.');
  if (/\p{Cc}/u.test(text))
    throw wrongDestination('a destination holds a control character', 'Write one destination a line.');
  if (/^s3:/i.test(text)) return parseS3(text);
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1];
  if (scheme !== undefined) {
    throw wrongDestination(
      `"${scheme}://" is not a kind of storage`,
      'Write s3://bucket/prefix?endpoint=https://… or a directory.',
    );
  }
  if (text.startsWith('~')) {
    throw wrongDestination(
      'a directory begins with "~", which only a shell expands',
      'Write an absolute or relative path.',
    );
  }
  if (/\$\{?[a-z_]/i.test(text)) {
    throw wrongDestination(
      'a directory holds a variable, "$…", which only a shell expands',
      'Write the path itself, or an expression of the workflow.',
    );
  }
  if (/\?[a-z-]+=/i.test(text)) {
    throw wrongDestination(
      'a destination has options but does not begin with "s3://"',
      'Write s3://bucket/prefix?region=….',
    );
  }
  return { kind: 'directory', path: text };
}

/** Safe to print: `s3://bucket/prefix` or the path. */
export function describeDestination(destination: Destination): string {
  if (destination.kind === 'directory') return destination.path;
  return `s3://${destination.bucket}${destination.prefix === '' ? '' : `/${destination.prefix}`}`;
}

/** The destinations with `role` in those that use it: every bucket without `credentials=NAME`, which goes first. */
export function withRole<T extends Destination>(destination: T, role: string | undefined): T {
  return role !== undefined && usesRole(destination) ? { ...destination, role } : destination;
}

export function usesRole(destination: Destination): boolean {
  return destination.kind === 's3' && destination.credentials === undefined;
}
