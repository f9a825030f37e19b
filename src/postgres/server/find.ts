/** Finds initdb and postgres of one major, and fetches them when they are missing. */
import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { type ClientPlaces, type ClientSource, clientFolders, toolCacheFolder } from '../../domain/client-version.ts';
import { type Account, SERVER_PROGRAMS, serverError } from '../../domain/ephemeral-server.ts';
import { type InstallContext, installPackages } from '../apt-install.ts';
import { inspectPrograms } from '../program-folder.ts';
import { isReachable } from './home.ts';

/** Where servers may be found or fetched from: whatever finds client tools knows it. */
export interface ServerSearch extends ClientPlaces, Omit<InstallContext, 'signal' | 'log' | 'workDir'> {}

export interface ServerPrograms {
  major: number;
  /** As printed: `17.11`, `19rc1`. */
  version: string;
  /** The folder of `initdb` and `postgres`. */
  binFolder: string;
  source: ClientSource;
  env: Readonly<Record<string, string>>;
}

type FindContext = ServerSearch &
  InstallContext & {
    /** Whom they will run as, when that is somebody else. */
    account?: Account;
  };

/**
 * Server programs that run here and are of exactly this major. What is fetched is put into `context.workDir`.
 * Throws `ERR_DRILL_SERVER` with every place that was looked at, and also when a repository serves what its key has
 * not signed; the signal's reason when that aborts.
 */
export async function findServerPrograms(major: number, context: FindContext): Promise<ServerPrograms> {
  const reasons: string[] = [];
  const places = clientFolders(major, context, await cachedVersions(context.toolCache), 'postgresql-server');
  for (const { folder, source } of places) {
    const inspection = await inspect(major, folder, source, context);
    if ('found' in inspection) return inspection.found;
    reasons.push(...inspection.reasons);
  }
  if (context.platform === 'linux') {
    const fetched = await fetchServer(major, context);
    if ('found' in fetched) return fetched.found;
    reasons.push(...fetched.reasons);
  } else {
    reasons.push(`nothing is fetched by itself on ${context.platform}`);
  }
  const seen = reasons.map((reason) => `\n- ${reason}`).join('');
  throw serverError(
    major,
    `A local server of Postgres ${major} is not to be had on this machine: neither initdb nor postgres of that major. Looked at:${seen}`,
  );
}

async function inspect(
  major: number,
  folder: string,
  source: ClientSource,
  context: FindContext,
): Promise<{ found: ServerPrograms } | { reasons: string[] }> {
  const inspection = await inspectPrograms(SERVER_PROGRAMS, { major, folder, source }, context);
  if ('reasons' in inspection) return inspection;
  const { account } = context;
  // What is fetched is handed over to it.
  const ways = account === undefined || source === 'fetched' ? [] : [folder, await realpath(folder)];
  const reachable = await Promise.all(ways.map(isReachable));
  if (reachable.includes(false)) {
    return {
      reasons: [`${folder}: not every folder on the way may be entered by ${account?.name}, whom it would run as`],
    };
  }
  const { version, env } = inspection;
  return { found: { major, version, binFolder: folder, source, env } };
}

/**
 * A server finds what it shares by the place of its program: the way from `lib/postgresql/17/bin` to
 * `share/postgresql/17` must be the one that it was built with (measured with Debian's and PGDG's packages).
 */
async function fetchServer(major: number, context: FindContext) {
  const target = path.join(context.workDir, 'programs');
  const server = `lib/postgresql/${major}`;
  return await installPackages<ServerPrograms>(
    {
      major,
      name: `a server of Postgres ${major}`,
      // The server's own come first; the others are what it depends on in the same repository.
      packages: [
        `postgresql-${major}`,
        `postgresql-client-${major}`,
        'postgresql-common',
        'postgresql-client-common',
        'libpq5',
      ],
      taken: [server, `share/postgresql/${major}`].map((folder) => ({ from: `usr/${folder}`, to: folder })),
      target,
      libraries: `${server}/lib`,
      inspect: () => inspect(major, path.join(target, server, 'bin'), 'fetched', context),
      untrusted: { code: 'ERR_DRILL_SERVER', op: 'fetch a local server' },
    },
    context,
  );
}

async function cachedVersions(toolCache: string | undefined): Promise<string[]> {
  if (toolCache === undefined) return [];
  const folder = toolCacheFolder(toolCache, 'postgresql-server');
  return existsSync(folder) ? await readdir(folder) : [];
}
