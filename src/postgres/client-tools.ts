/**
 * Finds pg_dump, pg_restore and pg_dumpall of the server's own major, and installs them when they are missing.
 * A newer client's archive cannot be read by the older tools that users have, an older client refuses the server.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  CLIENT_TOOLS,
  type ClientPlaces,
  type ClientSource,
  type ClientVersion,
  clientFolders,
  HOMEBREW_ROOTS,
  installCommands,
  parseClientVersion,
  SYSTEM_ROOT,
  systemFolder,
  toolCacheFolder,
} from '../domain/client-version.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Log } from '../ports.ts';
import { installWithApt, PGDG_SCRIPT } from './client-install.ts';
import { actionsExec, type Exec } from './short-command.ts';

/** Absolute paths of tools that ran and said that they are of this major. */
export interface ClientTools {
  major: number;
  /** As printed: `17.11`, `19rc1`. */
  version: string;
  pgDump: string;
  pgRestore: string;
  pgDumpall: string;
  source: ClientSource;
}

/** Everything that the search depends on. */
export interface ClientSearch extends ClientPlaces {
  isRoot: boolean;
  /** The script that adds the PostgreSQL project's apt repository. */
  pgdgScript: string;
  /** Environment of the commands that are run; only what apt and the loader need is handed on. */
  env: Readonly<Record<string, string | undefined>>;
  exec: Exec;
  log: Log;
  signal: AbortSignal;
}

/** What is the same for every search on this machine. */
export function thisMachine(
  env: Readonly<Record<string, string | undefined>>,
): Omit<ClientSearch, 'log' | 'signal' | 'toolCache'> {
  return {
    platform: process.platform,
    arch: process.arch,
    systemRoot: SYSTEM_ROOT,
    homebrewRoots: HOMEBREW_ROOTS,
    isRoot: process.getuid?.() === 0,
    pgdgScript: PGDG_SCRIPT,
    env,
    exec: actionsExec,
  };
}

/** Either the tools, or one sentence for each place that was looked at. */
export type Attempt = { tools: ClientTools } | { reasons: string[]; installFailed?: boolean };

/** One way to come by the tools. A further one is one more entry in {@link PROVIDERS}. */
type Provider = (major: number, search: ClientSearch) => Promise<Attempt>;

/** In the order in which they are tried. */
const PROVIDERS: readonly Provider[] = [alreadyHere, installed];

/**
 * The client tools of exactly this major.
 * Throws `ERR_CLIENT_INSTALL` when an installation was tried and failed, `ERR_CLIENT_MISSING` when none was possible,
 * either with every place that was looked at; rejects with the signal's reason when that aborts. A package manager
 * that is at work then is left to finish, because a half-configured package is worse.
 */
export async function findClientTools(major: number, search: ClientSearch): Promise<ClientTools> {
  const reasons: string[] = [];
  let installFailed = false;
  for (const provider of PROVIDERS) {
    search.signal.throwIfAborted();
    const attempt = await provider(major, search);
    if ('tools' in attempt) return attempt.tools;
    reasons.push(...attempt.reasons);
    installFailed ||= attempt.installFailed === true;
  }
  const seen = reasons.map((reason) => `\n- ${reason}`).join('');
  throw new BackupError(
    installFailed ? 'ERR_CLIENT_INSTALL' : 'ERR_CLIENT_MISSING',
    `The server is Postgres ${major}, and pg_dump ${major} is not to be had on this machine. Looked at:${seen}`,
    { op: 'find client tools', hint: `Add a step before this one: ${installCommands(major, search.platform)}` },
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

async function installed(major: number, search: ClientSearch): Promise<Attempt> {
  if (search.platform !== 'linux') return { reasons: [`nothing is installed by itself on ${search.platform}`] };
  const outcome = await installWithApt(major, search);
  if (!outcome.done) return { reasons: outcome.reasons, installFailed: outcome.attempted };
  const attempt = await inspectFolder(major, systemFolder(major, search), 'installed', search);
  if ('tools' in attempt) return attempt;
  return { reasons: attempt.reasons.map((reason) => `after apt-get had installed it: ${reason}`), installFailed: true };
}

/** Names in the tool cache; none when there is no such folder. */
async function cachedVersions(toolCache: string | undefined): Promise<string[]> {
  if (toolCache === undefined || !existsSync(toolCacheFolder(toolCache))) return [];
  return await readdir(toolCacheFolder(toolCache));
}

/** Runs all three tools of a folder: each must start and be of the major, else the folder is not taken. */
async function inspectFolder(
  major: number,
  folder: string,
  source: ClientSource,
  search: ClientSearch,
): Promise<Attempt> {
  let version: ClientVersion | undefined;
  for (const tool of CLIENT_TOOLS) {
    const file = path.join(folder, tool);
    if (!existsSync(file)) return { reasons: [`${file}: not there`] };
    const printed = await printedVersion(file, search);
    if ('problem' in printed) return { reasons: [`${file}: ${printed.problem}`] };
    const { found } = printed;
    if (found.major !== major) return { reasons: [`${file}: is version ${found.text}, needed is ${major}`] };
    version ??= found;
    if (found.text !== version.text) {
      return { reasons: [`${file}: is version ${found.text}, but pg_dump beside it is ${version.text}`] };
    }
  }
  search.log.debug(`client tools ${version?.text} from ${folder}`);
  return {
    tools: {
      major,
      version: version?.text ?? '',
      pgDump: path.join(folder, 'pg_dump'),
      pgRestore: path.join(folder, 'pg_restore'),
      pgDumpall: path.join(folder, 'pg_dumpall'),
      source,
    },
  };
}

async function printedVersion(
  file: string,
  search: ClientSearch,
): Promise<{ found: ClientVersion } | { problem: string }> {
  try {
    const { exitCode, stdout, stderr } = await search.exec(file, ['--version'], search);
    if (exitCode !== 0) return { problem: `does not run (exit code ${exitCode}): ${stderr.trim()}` };
    const found = parseClientVersion(stdout);
    return found === undefined ? { problem: `says it is «${stdout.trim().slice(0, 100)}»` } : { found };
  } catch (error) {
    search.signal.throwIfAborted();
    return { problem: `cannot be started: ${messageOf(error)}` };
  }
}
