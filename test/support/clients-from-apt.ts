/**
 * Client tools from other suites of the distribution that this machine runs, through a scratch apt root of our own:
 * needs no root rights and installs nothing. With an empty list of installed packages apt fetches the whole closure,
 * C library included; the tools are then patched to use those libraries by path.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseOsRelease } from '../../src/domain/apt.ts';
import { runTool } from './run-tool.ts';

/** The suite that carries each major; the last one named is the one to take it from. */
const SUITES: Record<string, Record<number, string[]>> = {
  debian: { 13: ['bullseye'], 15: ['bookworm'], 17: ['trixie'], 18: ['sid'], 19: ['sid', 'experimental'] },
  ubuntu: { 14: ['jammy'], 16: ['noble'], 18: ['resolute'] },
};
const COMPONENTS: Record<string, string> = { debian: 'main', ubuntu: 'main universe' };
const TRIPLETS: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
const LOADERS: Record<string, string> = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' };
/** Not needed by the tools themselves, only by Debian's wrapper scripts. */
const LEFT_OUT = /^(perl|libperl|netbase|postgresql-client-common|sensible-utils|readline-common|libdb5|libgdbm)/;

export async function fetchFromApt(major: number, folder: string, finalFolder: string): Promise<void> {
  const triplet = TRIPLETS[process.arch];
  const loader = LOADERS[process.arch];
  const distribution = await distributionName();
  const suites = SUITES[distribution]?.[major];
  if (suites === undefined || triplet === undefined || loader === undefined) {
    throw new Error(`no suite of ${distribution || process.platform} carries postgresql-client-${major}`);
  }
  const debs = await downloadDebs(path.join(folder, 'apt'), distribution, suites, [
    `postgresql-client-${major}`,
    'patchelf',
  ]);
  const tree = path.join(folder, 'tree');
  for (const deb of debs) await runTool('dpkg-deb', ['-x', deb, tree]);
  const bin = path.join(folder, 'bin');
  await cp(path.join(tree, 'usr/lib/postgresql', String(major), 'bin'), bin, { recursive: true });
  await patch(bin, tree, path.join(finalFolder, 'tree'), triplet, loader);
  for (const unneeded of ['etc', 'var', 'usr/share', 'usr/lib/postgresql', 'usr/bin']) {
    await rm(path.join(tree, unneeded), { recursive: true, force: true });
  }
  await rm(path.join(folder, 'apt'), { recursive: true });
}

async function distributionName(): Promise<string> {
  if (!existsSync('/etc/os-release')) return '';
  return /^ID="?([a-z]+)"?$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? '';
}

/** The release that this machine runs, as a name and a line of sources.list; throws where it is neither Debian nor Ubuntu. */
export async function machineRelease(): Promise<{ codename: string; source: string }> {
  const distribution = await distributionName();
  const { codename } = parseOsRelease(existsSync('/etc/os-release') ? await readFile('/etc/os-release', 'utf8') : '');
  const components = COMPONENTS[distribution];
  if (components === undefined || codename === undefined) {
    throw new Error(`${distribution || process.platform} is neither Debian nor Ubuntu`);
  }
  const { mirror, options } = await machineMirror(distribution);
  return { codename, source: `deb ${options} ${mirror} ${codename} ${components}` };
}

async function downloadDebs(root: string, distribution: string, suites: string[], packages: string[]) {
  const { mirror, options } = await machineMirror(distribution);
  await mkdir(path.join(root, 'lists/partial'), { recursive: true });
  await mkdir(path.join(root, 'cache/archives/partial'), { recursive: true });
  await writeFile(path.join(root, 'status'), '');
  const sources = suites.map((suite) => `deb ${options} ${mirror} ${suite} ${COMPONENTS[distribution]}`);
  await writeFile(path.join(root, 'sources.list'), `${sources.join('\n')}\n`);
  await writeFile(path.join(root, 'apt.conf'), aptConf(root));
  const env = { APT_CONFIG: path.join(root, 'apt.conf'), DEBIAN_FRONTEND: 'noninteractive' };
  await runTool('apt-get', ['-q', 'update'], env);
  const target = suites.length > 1 ? ['-t', suites.at(-1) as string] : [];
  await runTool('apt-get', ['-q', '-y', '--download-only', ...target, 'install', ...packages], env);
  const archives = path.join(root, 'cache/archives');
  return (await readdir(archives))
    .filter((name) => name.endsWith('.deb') && !LEFT_OUT.test(name))
    .map((name) => path.join(archives, name));
}

function aptConf(root: string): string {
  return `Dir::Etc::sourcelist "${root}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State::lists "${root}/lists";
Dir::State::status "${root}/status";
Dir::Cache "${root}/cache";
APT::Install-Recommends "0";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Check-Valid-Until "false";
Acquire::Retries "1";
Acquire::http::Timeout "20";
DPkg::Post-Invoke { };
`;
}

/** The mirror that the machine's own sources name for its distribution, with the key that they trust it by. */
async function machineMirror(distribution: string): Promise<{ mirror: string; options: string }> {
  const uri = new RegExp(`https?://[^\\s]+/${distribution}(-ports)?/?(?=\\s|$)`, 'm');
  for (const file of await sourceFiles()) {
    for (const stanza of (await readFile(file, 'utf8')).split(/\n\s*\n/)) {
      const text = stanza.replaceAll(/^\s*#.*$/gm, '');
      const mirror = uri.exec(text)?.[0];
      if (mirror === undefined) continue;
      const key = /signed-by\s*[:=]\s*(\/[^\s\]]+)/i.exec(text)?.[1];
      return { mirror, options: key === undefined ? '' : `[signed-by=${key}]` };
    }
  }
  throw new Error(`the machine's apt sources name no mirror of ${distribution}`);
}

async function sourceFiles(): Promise<string[]> {
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? (await readdir(parts)).sort() : [];
  return ['/etc/apt/sources.list', ...names.map((name) => path.join(parts, name))].filter(
    (file) => /\.(list|sources)$/.test(file) && existsSync(file),
  );
}

/** `--force-rpath`: unlike RUNPATH it also serves the libraries that the libraries need. */
async function patch(bin: string, tree: string, finalTree: string, triplet: string, loader: string): Promise<void> {
  const folders = [`usr/lib/${triplet}`, `lib/${triplet}`];
  const loaderFolder = folders.find((folder) => existsSync(path.join(tree, folder, loader)));
  if (loaderFolder === undefined) throw new Error(`the packages hold no ${loader}`);
  const libraryPath = folders.map((folder) => path.join(tree, folder)).join(':');
  const finalPath = folders.map((folder) => path.join(finalTree, folder)).join(':');
  for (const name of await readdir(bin)) {
    const file = path.join(bin, name);
    if (!(await isElf(file))) continue;
    await runTool(path.join(tree, loaderFolder, loader), [
      ...['--library-path', libraryPath, path.join(tree, 'usr/bin/patchelf')],
      ...['--set-interpreter', path.join(finalTree, loaderFolder, loader)],
      ...['--force-rpath', '--set-rpath', finalPath, file],
    ]);
  }
}

async function isElf(file: string): Promise<boolean> {
  return (await readFile(file)).subarray(1, 4).toString('latin1') === 'ELF';
}
