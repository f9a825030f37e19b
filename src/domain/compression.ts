/** Compression inside the archive, by what the server's own major of pg_dump can do. */
import { BackupError } from './errors.ts';

/** `undefined` level lets the dump choose. */
export interface Compression {
  method: 'zstd' | 'lz4' | 'gzip' | 'none';
  level?: number;
}

/** zstd and lz4 came with pg_dump 16. */
const FIRST_MAJOR_WITH_METHODS = 16;
/** Tuned for speed: half of zstd:3's CPU time at about the same size (docs/performance.md). */
const FASTEST_LEVEL = 1;

/**
 * The compression that a dump of `major` uses. Throws `ERR_INPUT` when the wish needs a newer pg_dump.
 */
export function chooseCompression(major: number, wish?: Compression): Required<Compression> {
  const method = wish?.method ?? (major >= FIRST_MAJOR_WITH_METHODS ? 'zstd' : 'gzip');
  if (major < FIRST_MAJOR_WITH_METHODS && (method === 'zstd' || method === 'lz4')) {
    throw new BackupError(
      'ERR_INPUT',
      `compression: ${method} needs pg_dump ${FIRST_MAJOR_WITH_METHODS} or newer; this server is ${major}`,
      {
        op: 'choose the compression',
        hint: 'Remove `compression` or write `compression: gzip`.',
      },
    );
  }
  return { method, level: method === 'none' ? 0 : (wish?.level ?? FASTEST_LEVEL) };
}

/** As pg_dump's `--compress` takes it: a bare number below 16, `method:level` from 16 on. */
export function compressArgument(major: number, compression: Required<Compression>): string {
  if (major < FIRST_MAJOR_WITH_METHODS) return String(compression.level);
  return compression.method === 'none' ? 'none' : `${compression.method}:${compression.level}`;
}

/** For people and the manifest: `zstd:1`, `none`. */
export function describeCompression(compression: Required<Compression>): string {
  return compression.method === 'none' ? 'none' : `${compression.method}:${compression.level}`;
}
