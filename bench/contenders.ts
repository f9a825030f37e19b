/** What is measured side by side: each contender is one command line that ends when its backup is stored. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clients } from '../test/support/clients.ts';
import type { S3Server } from '../test/support/s3-servers.ts';
import { type Measured, measure } from './measure.ts';

/** Where the database is reached: directly, or through a proxy that limits its rate. */
export interface Source {
  host: string;
  port: number;
  database: string;
  user: string;
}

export interface Bench {
  clients: Clients;
  s3: S3Server;
  bucket: string;
  /** The built action. */
  entry: string;
  node: string;
  /** RUNNER_TOOL_CACHE with the same client as the other contenders'. */
  toolCache: string;
  /** A recipient whose identity nobody needs here. */
  recipient: string;
  /** Path of the AWS command line, where it could be had. */
  aws?: string;
}

export interface Contender {
  name: string;
  run: (bench: Bench, source: Source) => Promise<Measured>;
}

const BASE_ENV = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LC_ALL: 'C' };

export function libpqEnv(source: Source): Record<string, string> {
  return {
    ...BASE_ENV,
    PGHOST: source.host,
    PGPORT: String(source.port),
    PGDATABASE: source.database,
    PGUSER: source.user,
  };
}

/** `pg_dump` with our options to nowhere: nothing that stores a dump can be faster. */
export function floor(compression: string): Contender {
  return {
    name: `floor: pg_dump -Fc ${compression} > /dev/null`,
    run: (bench, source) =>
      measure(
        'sh',
        ['-c', `exec "$0" --format=custom --compress=${compression} > /dev/null`, bench.clients.pgDump],
        libpqEnv(source),
      ),
  };
}

/** What most workflows have today. */
export const recipe: Contender = {
  name: 'recipe: pg_dump | gzip | aws s3 cp -',
  run: (bench, source) =>
    measure(
      'bash',
      [
        '-o',
        'pipefail',
        '-c',
        `"$0" | gzip | "$1" s3 cp - "s3://$2/recipe.sql.gz" --endpoint-url "$3"`,
        bench.clients.pgDump,
        bench.aws ?? 'aws',
        bench.bucket,
        bench.s3.endpoint,
      ],
      { ...libpqEnv(source), ...bench.s3.env },
    ),
};

/** The built action, as a runner starts it, from its first instruction to its last. */
export async function runBuilt(
  bench: Pick<Bench, 'node' | 'entry' | 's3' | 'toolCache'>,
  inputs: Readonly<Record<string, string>>,
): Promise<Measured> {
  const temp = await mkdtemp(join(tmpdir(), 'bench-'));
  const entries = Object.entries(inputs).map(([key, value]) => [`INPUT_${key.toUpperCase()}`, value]);
  try {
    return await measure(bench.node, [bench.entry], {
      ...BASE_ENV,
      ...bench.s3.env,
      RUNNER_TEMP: temp,
      RUNNER_TOOL_CACHE: bench.toolCache,
      ...Object.fromEntries(entries),
    });
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** A backup by the built action. */
export function ours(name: string, inputs: (bench: Bench) => Record<string, string>): Contender {
  return {
    name,
    run: (bench, source) =>
      runBuilt(bench, {
        'database-url': databaseUrl(source),
        // As against Amazon; the recipe's client sends a CRC as well.
        storage: bench.s3.storageUri(bench.bucket, 'ours', { checksum: 'crc32' }),
        'accept-new-source': 'true',
        globals: 'false',
        ...inputs(bench),
      }),
  };
}

export function databaseUrl({ user, host, port, database }: Source): string {
  return `postgresql://${user}@${host}:${port}/${database}`;
}

export const proven = ours('ours: proof + upload', () => ({ encryption: 'none' }));
/** As against providers that may not know CRC32: MD5 costs more, here and at the server. */
export const provenByMd5 = ours('ours: proof + upload, parts checked by MD5', (bench) => ({
  encryption: 'none',
  storage: bench.s3.storageUri(bench.bucket, 'ours', { checksum: 'md5' }),
}));
export const provenAndEncrypted = ours('ours: proof + encryption + upload', (bench) => ({
  'age-recipients': bench.recipient,
}));
export const provenTwice = ours('ours: proof + encryption + verify: source', (bench) => ({
  'age-recipients': bench.recipient,
  verify: 'archive\nsource',
}));
