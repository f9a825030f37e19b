/** From Debian packages to a folder that works wherever it lies: `bin` with the tools, `lib` with what they are linked to. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { AptContext } from './apt-root.ts';

export interface UnpackFolders {
  /** Where packages are unpacked to before anything is taken from them. */
  tree: string;
  /** Gets `bin` and `lib`. */
  target: string;
}

/** Replaces what is in the target. What went wrong is told. */
export async function unpackTools(
  major: number,
  debs: readonly string[],
  folders: UnpackFolders,
  context: AptContext,
): Promise<string | undefined> {
  const { tree, target } = folders;
  for (const old of [tree, target]) await rm(old, { recursive: true, force: true });
  const problem = await unpackLibraries(debs, folders, context);
  if (problem !== undefined) return problem;
  const bin = path.join(tree, 'usr/lib/postgresql', String(major), 'bin');
  if (!existsSync(bin)) return `its package postgresql-client-${major} holds no /usr/lib/postgresql/${major}/bin`;
  await rename(bin, path.join(target, 'bin'));
  return undefined;
}

/** Adds the libraries of these packages to the target. What went wrong is told. */
export async function unpackLibraries(
  debs: readonly string[],
  { tree, target }: UnpackFolders,
  { exec, env, signal }: AptContext,
): Promise<string | undefined> {
  for (const deb of debs) {
    const { exitCode, stderr } = await exec('dpkg-deb', ['--extract', deb, tree], { env, signal });
    if (exitCode !== 0) return `${path.basename(deb)} cannot be unpacked: ${stderr.trim()}`;
  }
  await mkdir(path.join(target, 'lib'), { recursive: true });
  for (const root of ['usr/lib', 'lib']) await gatherLibraries(path.join(tree, root), path.join(target, 'lib'));
  return undefined;
}

/** Debian keeps them in folders such as x86_64-linux-gnu; packages of this machine hold only its own. */
async function gatherLibraries(root: string, target: string): Promise<void> {
  const triplets = existsSync(root) ? (await readdir(root)).filter((name) => name.endsWith('-linux-gnu')) : [];
  for (const triplet of triplets) {
    const from = path.join(root, triplet);
    for (const name of (await readdir(from)).filter((each) => each.includes('.so'))) {
      await cp(path.join(from, name), path.join(target, name), { verbatimSymlinks: true, recursive: true });
    }
  }
}
