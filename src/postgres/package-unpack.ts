/** From Debian packages to folders that work wherever they lie: programs, and a `lib` with what they are linked to. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { AptContext } from './apt-root.ts';

export interface UnpackFolders {
  /** Where packages are unpacked to before anything is taken from them; on the file system of `target`. */
  tree: string;
  /** Gets what {@link Taken} says. */
  target: string;
  /** Below the target: gets the libraries. */
  libraries: string;
}

/** A folder of the packages that is needed. */
export interface Taken {
  /** In the tree of the packages: `usr/lib/postgresql/17/bin`. */
  from: string;
  /** Relative to the target. */
  to: string;
}

/** Replaces what is in the target. What went wrong is told. */
export async function unpackPackages(
  debs: readonly string[],
  taken: readonly Taken[],
  folders: UnpackFolders,
  context: AptContext,
): Promise<string | undefined> {
  const { tree, target } = folders;
  for (const old of [tree, target]) await rm(old, { recursive: true, force: true });
  const problem = await extract(debs, tree, context);
  if (problem !== undefined) return problem;
  for (const { from, to } of taken) {
    if (!existsSync(path.join(tree, from))) return `${namesOf(debs)} hold no /${from}`;
    const place = path.join(target, to);
    await mkdir(path.dirname(place), { recursive: true });
    await rename(path.join(tree, from), place);
  }
  await gatherLibraries(folders);
  return undefined;
}

/** Adds the libraries of these packages to the target. What went wrong is told. */
export async function unpackLibraries(
  debs: readonly string[],
  folders: UnpackFolders,
  context: AptContext,
): Promise<string | undefined> {
  const problem = await extract(debs, folders.tree, context);
  if (problem === undefined) await gatherLibraries(folders);
  return problem;
}

async function extract(
  debs: readonly string[],
  tree: string,
  { exec, env, signal }: AptContext,
): Promise<string | undefined> {
  for (const deb of debs) {
    const { exitCode, stderr } = await exec('dpkg-deb', ['--extract', deb, tree], { env, signal });
    if (exitCode !== 0) return `${path.basename(deb)} cannot be unpacked: ${stderr.trim()}`;
  }
  return undefined;
}

function namesOf(debs: readonly string[]): string {
  return debs.map((deb) => path.basename(deb)).join(', ');
}

async function gatherLibraries({ tree, libraries }: UnpackFolders): Promise<void> {
  await mkdir(libraries, { recursive: true });
  for (const root of ['usr/lib', 'lib']) await gatherFrom(path.join(tree, root), libraries);
}

/** Debian keeps them in folders such as x86_64-linux-gnu; packages of this machine hold only its own. */
async function gatherFrom(root: string, target: string): Promise<void> {
  const triplets = existsSync(root) ? (await readdir(root)).filter((name) => name.endsWith('-linux-gnu')) : [];
  for (const triplet of triplets) {
    const from = path.join(root, triplet);
    for (const name of (await readdir(from)).filter((each) => each.includes('.so'))) {
      await cp(path.join(from, name), path.join(target, name), { verbatimSymlinks: true, recursive: true });
    }
  }
}
