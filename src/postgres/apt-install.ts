/**
 * Brings programs of Postgres with apt: from the PostgreSQL project's repository (PGDG) or a mirror of it and, if that
 * cannot be reached, from the machine's own sources.
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
import { BackupError, type ErrorCode } from '../domain/errors.ts';
import type { Log } from '../ports.ts';
import { type AptContext, AptRoot } from './apt-root.ts';
import { type Taken, type UnpackFolders, unpackLibraries, unpackPackages } from './package-unpack.ts';
import type { FolderContext } from './program-folder.ts';

export interface InstallContext extends AptContext, FolderContext {
  /** PGDG, or a mirror of it. */
  repository: AptRepository;
  /** Private to this run; everything that is brought lies in it. */
  workDir: string;
  log: Log;
}

/** What is to be brought, and how it is known to work. */
export interface Wanted<T> {
  major: number;
  /** For words: `pg_dump 17`. */
  name: string;
  /** The first is the one that a source must have. */
  packages: readonly [string, ...string[]];
  /** Folders of the packages that are kept, in `target`. */
  taken: readonly Taken[];
  target: string;
  /** Where in `target` libraries go. */
  libraries: string;
  /** Runs what has been unpacked. */
  inspect: () => Promise<{ found: T } | { reasons: string[] }>;
  /** Of the error that ends the search when a source serves what its key has not signed. */
  untrusted: { code: ErrorCode; op: string };
}

export type InstallOutcome<T> =
  | { found: T; from: 'pgdg' }
  /** `missed` says why it does not come from the repository. */
  | { found: T; from: 'own-sources'; missed: string }
  | {
      /** apt was there, and still it did not come to be. */
      attempted: boolean;
      reasons: string[];
      /** The newest major that the sources have, where the repository answered and has not the one that is wanted. */
      newest?: number;
    };

type FromSource<T> = { found: T } | { reason: string; newest?: number | undefined };

/** `/etc/os-release`, os-release(5). */
export const OS_RELEASE = '/etc/os-release';

/**
 * What did not go well is in the reasons, but for what makes going on unsafe: throws `untrusted` when a repository or
 * a package is not what its key signed, and the signal's reason when that aborts.
 */
export async function installPackages<T>(wanted: Wanted<T>, context: InstallContext): Promise<InstallOutcome<T>> {
  const architecture = await debianArchitecture(context);
  if (architecture === undefined) {
    return { attempted: false, reasons: ['apt-get: is not on this machine, so nothing could be fetched'] };
  }
  const { uri } = context.repository;
  context.log.info(`Fetching ${wanted.name} from ${uri} …`);
  try {
    await mkdir(scratch(context));
    const pgdg = await fromPgdg(wanted, architecture, context);
    if ('found' in pgdg) return { ...pgdg, from: 'pgdg' };
    const missed = `${uri}: ${pgdg.reason}`;
    context.log.info(`${missed}. Trying the machine's own apt sources …`);
    const own = await fromOwnSources(wanted, context);
    if ('found' in own) return { ...own, from: 'own-sources', missed };
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

async function fromPgdg<T>(wanted: Wanted<T>, architecture: string, context: InstallContext): Promise<FromSource<T>> {
  const { repository } = context;
  const { major } = wanted;
  const { codename } = parseOsRelease(existsSync(OS_RELEASE) ? await readFile(OS_RELEASE, 'utf8') : '');
  if (codename === undefined)
    return { reason: `it is not known which release of Debian or Ubuntu this is: ${OS_RELEASE} names none` };
  const keyFile = path.join(scratch(context), 'key.asc');
  await writeFile(keyFile, repository.key);
  const source = pgdgSource(repository, { major, codename, architecture, keyFile });
  const apt = await AptRoot.open(path.join(scratch(context), 'pgdg'), context, source);
  const trouble = await apt.update();
  if (trouble !== undefined) return { reason: told(trouble, repository.uri, wanted) };
  const lacking = await lacks(apt, wanted);
  if (lacking !== undefined) return lacking;
  const fetched = await apt.download(wanted.packages);
  if ('trouble' in fetched) return { reason: told(fetched.trouble, repository.uri, wanted) };
  return await fromPackages(wanted, fetched.debs, context, async () => {
    context.log.info('It needs libraries that this machine does not have; fetching them from its own apt sources …');
    const own = await AptRoot.open(path.join(scratch(context), 'libraries'), context);
    await own.update();
    return own;
  });
}

async function fromOwnSources<T>(wanted: Wanted<T>, context: InstallContext): Promise<FromSource<T>> {
  const apt = await AptRoot.open(path.join(scratch(context), 'own'), context);
  // One source that is down does not matter when another one has the package.
  const warned = await apt.update();
  const lacking = await lacks(apt, wanted);
  if (lacking !== undefined) {
    return warned === undefined ? lacking : { ...lacking, reason: `${lacking.reason} (${warned.words})` };
  }
  const fetched = await apt.download(wanted.packages);
  if ('trouble' in fetched) return { reason: told(fetched.trouble, OWN_SOURCES, wanted) };
  return await fromPackages(wanted, fetched.debs, context, () => Promise.resolve(apt));
}

/**
 * Unpacks and tries them. Small images lack libraries that they need (LDAP, Kerberos): those come from
 * `distribution`, which is asked for only then.
 */
async function fromPackages<T>(
  wanted: Wanted<T>,
  debs: readonly string[],
  context: InstallContext,
  distribution: () => Promise<AptRoot>,
): Promise<FromSource<T>> {
  const { target } = wanted;
  const folders = {
    tree: path.join(scratch(context), 'unpacked'),
    target,
    libraries: path.join(target, wanted.libraries),
  };
  const problem = await unpackPackages(debs, wanted.taken, folders, context);
  if (problem !== undefined) return { reason: problem };
  const first = await inspect(wanted);
  if ('found' in first || !/error while loading shared libraries/.test(first.reason)) return first;
  const lacking = await addLibraries(await distribution(), wanted, debs, folders, context);
  if (lacking !== undefined) return { reason: `${first.reason}; and its libraries cannot be had: ${lacking}` };
  return await inspect(wanted);
}

async function inspect<T>(wanted: Wanted<T>): Promise<{ found: T } | { reason: string }> {
  const inspection = await wanted.inspect();
  if ('found' in inspection) return inspection;
  return { reason: `what it has does not run here: ${inspection.reasons.join('; ')}` };
}

async function lacks(
  apt: AptRoot,
  { packages: [main] }: Wanted<unknown>,
): Promise<{ reason: string; newest?: number | undefined } | undefined> {
  const names = await apt.names(main.replace(/\d+$/, ''));
  if (names.split('\n').includes(main)) return undefined;
  return { reason: `there is no package ${main}`, newest: newestClient(names) };
}

const OWN_SOURCES = "the machine's own apt sources";

/** What is untrusted ends the search: an older client from elsewhere would hide an attack, or a broken mirror. */
function told({ untrusted, words }: AptTrouble, source: string, wanted: Wanted<unknown>): string {
  if (!untrusted) return words;
  throw new BackupError(
    wanted.untrusted.code,
    `What ${source} serves is not what its key has signed, so nothing of it was used: ${words}`,
    {
      op: wanted.untrusted.op,
      hint: 'Run it again later: a mirror that is just being updated looks like this for a few minutes. A mirror that signs with a key of its own needs that key in `postgres-apt-key`. A proxy that changes downloads must let this address through.',
    },
  );
}

/** Brings whatever the packages need and the machine has not. */
async function addLibraries(
  apt: AptRoot,
  wanted: Wanted<unknown>,
  debs: readonly string[],
  folders: UnpackFolders,
  context: InstallContext,
): Promise<string | undefined> {
  const simulated = await apt.simulateInstall(debs);
  if (simulated.exitCode !== 0) return aptTrouble(simulated)?.words;
  const libraries = missingLibraries(simulated.stdout).filter((name) => !wanted.packages.includes(name));
  if (libraries.length === 0) return undefined;
  const fetched = await apt.download(libraries);
  if ('trouble' in fetched) return told(fetched.trouble, OWN_SOURCES, wanted);
  const added = fetched.debs.filter((deb) => !debs.includes(deb));
  return await unpackLibraries(added, folders, context);
}
