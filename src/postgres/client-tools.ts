/**
 * Finds pg_dump, pg_restore and pg_dumpall of the server's own major, and fetches them when they are missing.
 * A newer client's archive cannot be read by the older tools that users have, an older client refuses the server.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseOsRelease } from '../domain/apt.ts';
import {
  type ClientPlaces,
  clientCacheKey,
  clientFolders,
  HOMEBREW_ROOTS,
  hasFixedHole,
  installCommands,
  parseClientVersion,
  SYSTEM_ROOT,
  toolCacheFolder,
} from '../domain/client-version.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type InstallContext, OS_RELEASE } from './apt-install.ts';
import type { ClientCache } from './client-cache.ts';
import { type ClientTools, inspectFolder } from './client-folder.ts';
import { installClient, installedFolder } from './client-install.ts';
import { systemExec, toolkitExec } from './short-command.ts';

export type { ClientTools } from './client-folder.ts';

/** Everything that the search depends on. */
export interface ClientSearch extends ClientPlaces, InstallContext {
  now: Date;
  /** Where fetched tools are kept between runs, if anywhere. */
  cache?: ClientCache;
}

/** What is the same for every search on this machine. */
export function thisMachine(
  env: Readonly<Record<string, string | undefined>>,
): Pick<ClientSearch, 'platform' | 'arch' | 'systemRoot' | 'homebrewRoots' | 'env' | 'exec' | 'ask'> {
  return {
    platform: process.platform,
    arch: process.arch,
    systemRoot: SYSTEM_ROOT,
    homebrewRoots: HOMEBREW_ROOTS,
    env,
    exec: systemExec,
    ask: toolkitExec,
  };
}

/** The tools, or one sentence for each place that was looked at. */
type Attempt =
  | { tools: ClientTools; findings?: Finding[] }
  | { reasons: string[]; installFailed?: boolean; newest?: number };

/** One way to come by the tools. A further one is one more entry in {@link PROVIDERS}. */
type Provider = (major: number, search: ClientSearch) => Promise<Attempt>;

/** In the order in which they are tried. */
const PROVIDERS: readonly Provider[] = [alreadyHere, cached, fetched];

/**
 * The client tools of exactly this major, and what there is to say about where they come from.
 * Throws `ERR_SERVER_TOO_NEW` when only older majors can be had, `ERR_CLIENT_INSTALL` when fetching was tried and
 * failed, `ERR_CLIENT_MISSING` when it was not possible, each with every place that was looked at; rejects with the
 * signal's reason when that aborts.
 */
export async function findClientTools(
  major: number,
  search: ClientSearch,
): Promise<{ tools: ClientTools; findings: Finding[] }> {
  const reasons: string[] = [];
  let installFailed = false;
  let newest: number | undefined;
  for (const provider of PROVIDERS) {
    search.signal.throwIfAborted();
    const attempt = await provider(major, search);
    if ('tools' in attempt) return { tools: attempt.tools, findings: attempt.findings ?? [] };
    reasons.push(...attempt.reasons);
    installFailed ||= attempt.installFailed === true;
    newest ??= attempt.newest;
  }
  const seen = reasons.map((reason) => `\n- ${reason}`).join('');
  const op = 'find client tools';
  if (newest !== undefined && newest < major) {
    throw new BackupError(
      'ERR_SERVER_TOO_NEW',
      `The server is Postgres ${major}, and the newest client that can be had here is pg_dump ${newest}, which cannot dump it. Looked at:${seen}`,
      {
        op,
        hint: `Use a runner whose release the PostgreSQL repository serves with postgresql-client-${major} (runs-on: ubuntu-latest), or, for a preview of Postgres, put its tools into the tool cache.`,
      },
    );
  }
  throw new BackupError(
    installFailed ? 'ERR_CLIENT_INSTALL' : 'ERR_CLIENT_MISSING',
    `The server is Postgres ${major}, and pg_dump ${major} is not to be had on this machine. Looked at:${seen}`,
    { op, hint: `Add a step before this one: ${installCommands(major, search.platform)}` },
  );
}

async function alreadyHere(major: number, search: ClientSearch): Promise<Attempt> {
  const reasons: string[] = [];
  for (const { folder, source } of clientFolders(major, search, await cachedVersions(search.toolCache))) {
    const attempt = await inspectFolder(major, folder, source, search);
    if ('tools' in attempt) return attempt;
    reasons.push(...attempt.reasons);
  }
  return { reasons };
}

/** What is restored must prove itself like anything else: it can be cut short, or come from another system. */
async function cached(major: number, search: ClientSearch): Promise<Attempt> {
  const { cache } = search;
  if (cache === undefined || search.platform !== 'linux') return { reasons: [] };
  const folder = installedFolder(search.workDir);
  const restored = await cache.restore(await cacheKey(major, search), folder);
  if (!restored) return { reasons: ["GitHub's cache: has no such client"] };
  const attempt = await inspectFolder(major, path.join(folder, 'bin'), 'cache', search);
  if ('reasons' in attempt) return passOver(`what it has does not run here: ${attempt.reasons.join('; ')}`, search);
  const version = parseClientVersion(`pg_dump (PostgreSQL) ${attempt.tools.version}`);
  if (version !== undefined && hasFixedHole(version))
    return passOver(`pg_dump ${version.text} has a known hole`, search);
  return attempt;
}

function passOver(reason: string, search: ClientSearch): Attempt {
  const words = `GitHub's cache: ${reason}`;
  search.log.warning(`${words}. It is fetched anew.`);
  return { reasons: [words] };
}

async function fetched(major: number, search: ClientSearch): Promise<Attempt> {
  if (search.platform !== 'linux') return { reasons: [`nothing is fetched by itself on ${search.platform}`] };
  const outcome = await installClient(major, search);
  if ('reasons' in outcome) {
    const { reasons, attempted, newest } = outcome;
    return { reasons, installFailed: attempted, ...(newest === undefined ? {} : { newest }) };
  }
  // What came from elsewhere is not kept: the next run shall look at the repository again.
  if (outcome.from === 'pgdg') {
    await search.cache?.save(await cacheKey(major, search), installedFolder(search.workDir));
  }
  return outcome;
}

async function cacheKey(major: number, search: ClientSearch): Promise<string> {
  const distribution = parseOsRelease(existsSync(OS_RELEASE) ? await readFile(OS_RELEASE, 'utf8') : '');
  return clientCacheKey(major, { ...search, distribution });
}

/** Names in the tool cache; none when there is no such folder. */
async function cachedVersions(toolCache: string | undefined): Promise<string[]> {
  if (toolCache === undefined || !existsSync(toolCacheFolder(toolCache))) return [];
  return await readdir(toolCacheFolder(toolCache));
}
