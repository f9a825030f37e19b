/**
 * Brings client tools with apt: from the PostgreSQL project's repository (PGDG) or a mirror of it and, if that cannot
 * be reached, from the machine's own sources.
 *
 * The packages are not installed. They are fetched and verified by an apt with a root of its own and unpacked into a
 * folder of this run. That one way serves root, sudo and neither; it waits for no other apt, leaves the machine as it
 * was, and what comes of it can be cached as it is.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type AptRepository,
  type AptTrouble,
  aptTrouble,
  missingLibraries,
  newestClient,
  parseOsRelease,
  pgdgSource,
} from '../domain/apt.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { Log } from '../ports.ts';
import { type AptContext, AptRoot } from './apt-root.ts';
import { type ClientTools, type FolderContext, inspectFolder } from './client-folder.ts';
import { type UnpackFolders, unpackLibraries, unpackTools } from './client-unpack.ts';

export interface InstallContext extends AptContext, FolderContext {
  /** PGDG, or a mirror of it. */
  repository: AptRepository;
  /** Private to this run; everything that is brought lies in it. */
  workDir: string;
  log: Log;
}

export type InstallOutcome =
  | { tools: ClientTools; from: 'pgdg' | 'own-sources'; findings: Finding[] }
  | {
      /** apt was there, and still it did not come to be. */
      attempted: boolean;
      reasons: string[];
      /** The newest major that the sources have, where the repository answered and has not the one that is wanted. */
      newest?: number;
    };

type FromSource = { tools: ClientTools } | { reason: string; newest?: number | undefined };

/** `/etc/os-release`, os-release(5). */
export const OS_RELEASE = '/etc/os-release';

/** Where the tools of an installation lie: `bin`, and `lib` beside it. */
export function installedFolder(workDir: string): string {
  return path.join(workDir, 'client-tools');
}

/**
 * What did not go well is in the reasons, but for what makes going on unsafe: throws `ERR_CLIENT_INSTALL` when a
 * repository or a package is not what its key signed, and the signal's reason when that aborts.
 */
export async function installClient(major: number, context: InstallContext): Promise<InstallOutcome> {
  const architecture = await debianArchitecture(context);
  if (architecture === undefined) {
    return { attempted: false, reasons: ['apt-get: is not on this machine, so nothing could be fetched'] };
  }
  const { uri } = context.repository;
  context.log.info(`Fetching pg_dump ${major} from ${uri} …`);
  try {
    await mkdir(scratch(context));
    const pgdg = await fromPgdg(major, architecture, context);
    if ('tools' in pgdg) return { ...pgdg, from: 'pgdg', findings: [] };
    const missed = `${uri}: ${pgdg.reason}`;
    context.log.info(`${missed}. Trying the machine's own apt sources …`);
    const own = await fromOwnSources(major, context);
    if ('tools' in own) return { ...own, from: 'own-sources', findings: [otherSource(own.tools, missed)] };
    return {
      attempted: true,
      reasons: [missed, `the machine's own apt sources: ${own.reason}`],
      ...(pgdg.newest === undefined ? {} : { newest: Math.max(pgdg.newest, own.newest ?? 0) }),
    };
  } finally {
    // Lists of packages are up to a hundred megabytes, and the run may last for hours.
    await rm(scratch(context), { recursive: true, force: true, maxRetries: 2 });
  }
}

/** Lists, packages, and what is unpacked of them, while they are needed. */
function scratch({ workDir }: InstallContext): string {
  return path.join(workDir, 'apt');
}

/** `amd64`; undefined where there is no apt with dpkg. */
async function debianArchitecture({ exec, env, signal }: AptContext): Promise<string | undefined> {
  try {
    await exec('apt-get', ['--version'], { env, signal });
    const { exitCode, stdout } = await exec('dpkg', ['--print-architecture'], { env, signal });
    return exitCode === 0 ? stdout.trim() : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function fromPgdg(major: number, architecture: string, context: InstallContext): Promise<FromSource> {
  const { repository } = context;
  const { codename } = parseOsRelease(existsSync(OS_RELEASE) ? await readFile(OS_RELEASE, 'utf8') : '');
  if (codename === undefined)
    return { reason: `it is not known which release of Debian or Ubuntu this is: ${OS_RELEASE} names none` };
  const keyFile = path.join(scratch(context), 'key.asc');
  await writeFile(keyFile, repository.key);
  const source = pgdgSource(repository, { major, codename, architecture, keyFile });
  const apt = await AptRoot.open(path.join(scratch(context), 'pgdg'), context, source);
  const trouble = await apt.update();
  if (trouble !== undefined) return { reason: told(trouble, repository.uri) };
  const lacking = await lacks(apt, major);
  if (lacking !== undefined) return lacking;
  const fetched = await apt.download(packagesOf(major));
  if ('trouble' in fetched) return { reason: told(fetched.trouble, repository.uri) };
  return await fromPackages(major, fetched.debs, context, async () => {
    context.log.info('It needs libraries that this machine does not have; fetching them from its own apt sources …');
    const own = await AptRoot.open(path.join(scratch(context), 'libraries'), context);
    await own.update();
    return own;
  });
}

async function fromOwnSources(major: number, context: InstallContext): Promise<FromSource> {
  const apt = await AptRoot.open(path.join(scratch(context), 'own'), context);
  // One source that is down does not matter when another one has the package.
  const warned = await apt.update();
  const lacking = await lacks(apt, major);
  if (lacking !== undefined) {
    return warned === undefined ? lacking : { ...lacking, reason: `${lacking.reason} (${warned.words})` };
  }
  const fetched = await apt.download(packagesOf(major));
  if ('trouble' in fetched) return { reason: told(fetched.trouble, "the machine's own apt sources") };
  return await fromPackages(major, fetched.debs, context, () => Promise.resolve(apt));
}

/**
 * Unpacks and tries the tools. Small images lack libraries that they need (LDAP, Kerberos): those come from
 * `distribution`, which is asked for only then.
 */
async function fromPackages(
  major: number,
  debs: readonly string[],
  context: InstallContext,
  distribution: () => Promise<AptRoot>,
): Promise<FromSource> {
  const folders = { tree: path.join(scratch(context), 'unpacked'), target: installedFolder(context.workDir) };
  const problem = await unpackTools(major, debs, folders, context);
  if (problem !== undefined) return { reason: problem };
  const first = await inspect(major, context);
  if ('tools' in first || !/error while loading shared libraries/.test(first.reason)) return first;
  const lacking = await addLibraries(await distribution(), major, debs, folders, context);
  if (lacking !== undefined) return { reason: `${first.reason}; and its libraries cannot be had: ${lacking}` };
  return await inspect(major, context);
}

function packagesOf(major: number): string[] {
  return [`postgresql-client-${major}`, 'libpq5'];
}

async function lacks(
  apt: AptRoot,
  major: number,
): Promise<{ reason: string; newest?: number | undefined } | undefined> {
  const names = await apt.names('postgresql-client-');
  if (names.split('\n').includes(`postgresql-client-${major}`)) return undefined;
  return { reason: `there is no package postgresql-client-${major}`, newest: newestClient(names) };
}

/** What is untrusted ends the search: an older client from elsewhere would hide an attack, or a broken mirror. */
function told({ untrusted, words }: AptTrouble, source: string): string {
  if (!untrusted) return words;
  throw new BackupError(
    'ERR_CLIENT_INSTALL',
    `What ${source} serves is not what its key has signed, so nothing of it was used: ${words}`,
    {
      op: 'fetch client tools',
      hint: 'Run it again later: a mirror that is just being updated looks like this for a few minutes. A mirror that signs with a key of its own needs that key in `postgres-apt-key`. A proxy that changes downloads must let this address through.',
    },
  );
}

/** Brings whatever the packages need and the machine has not. */
async function addLibraries(
  apt: AptRoot,
  major: number,
  debs: readonly string[],
  folders: UnpackFolders,
  context: InstallContext,
): Promise<string | undefined> {
  const simulated = await apt.simulateInstall(debs);
  if (simulated.exitCode !== 0) return aptTrouble(simulated)?.words;
  const libraries = missingLibraries(simulated.stdout).filter((name) => !packagesOf(major).includes(name));
  if (libraries.length === 0) return undefined;
  const fetched = await apt.download(libraries);
  if ('trouble' in fetched) return told(fetched.trouble, "the machine's own apt sources");
  const added = fetched.debs.filter((deb) => !debs.includes(deb));
  return await unpackLibraries(added, folders, context);
}

async function inspect(major: number, context: InstallContext): Promise<{ tools: ClientTools } | { reason: string }> {
  const inspection = await inspectFolder(major, path.join(installedFolder(context.workDir), 'bin'), 'fetched', context);
  return 'tools' in inspection
    ? inspection
    : { reason: `what it has does not run here: ${inspection.reasons.join('; ')}` };
}

function otherSource({ version, major }: ClientTools, missed: string): Finding {
  return {
    code: 'client-from-own-sources',
    severity: 'warning',
    seen: `pg_dump ${version} comes from the machine's own apt sources, whose minor release may be older, because the PostgreSQL repository did not serve it: ${missed}`,
    action: `Let the runner reach that address, name a mirror in \`postgres-apt-mirror\`, or have postgresql-client-${major} on the runner.`,
  };
}
