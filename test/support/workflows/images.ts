/**
 * Images for the container engine, made of what this machine can have without a registry of images: a small system of
 * the machine's own release by mmdebstrap, kept in `.cache/workflows/`; Node and Postgres servers as npm brought them.
 */
import { existsSync } from 'node:fs';
import { cp, link, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Availability, programAvailable } from '../availability.ts';
import { machineRelease } from '../clients-from-apt.ts';
import { postgresBinaries } from '../postgres-binaries.ts';
import { runTool } from '../run-tool.ts';
import type { Engine } from './engine.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/workflows', import.meta.url));
const NODE = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));
const ENTRYPOINT = fileURLToPath(new URL('postgres-entrypoint.sh', import.meta.url));
/** What GitHub's Ubuntu images have of what the templates use, the client tools of one major among it. */
const PACKAGES = ['ca-certificates', 'curl', 'git', 'gpgv', 'jq', 'postgresql-client', 'sudo', 'zstd'];
/** Documents and translations: a third of its size. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];

export const RUNNER_IMAGE = 'db-backup-action/runner';
const BASE_IMAGE = 'db-backup-action/base';

/** What the base system is made with; one that was made before needs nothing. */
export async function imagesAvailable(): Promise<Availability> {
  const file = await baseFile().catch((error: Error) => ({ skipped: error.message }));
  if (typeof file !== 'string') return file;
  return existsSync(file) || programAvailable('mmdebstrap', ['--version'], 'apt-get install mmdebstrap');
}

export interface Images {
  runner: string;
  /** Major of the only client tools on the runner: the distribution's own. */
  clientMajor: number;
}

/** The runner's image, and one named like the stock `postgres:NN` for each of `majors` and for the runner's own. */
export async function makeImages(engine: Engine, majors: readonly number[]): Promise<Images> {
  await engine.docker('import', await baseSystem(), BASE_IMAGE);
  await build(engine, RUNNER_IMAGE, ['COPY node /usr/local/bin/node'], async (folder) => {
    await link(await realpath(NODE), path.join(folder, 'node')).catch(() => cp(NODE, path.join(folder, 'node')));
  });
  const version = await engine.docker('run', '--rm', '--network=none', RUNNER_IMAGE, 'pg_dump', '--version');
  const clientMajor = Number(/\(PostgreSQL\) (\d+)/.exec(version)?.[1]);
  for (const major of new Set([clientMajor, ...majors])) await makePostgres(engine, major);
  return { runner: RUNNER_IMAGE, clientMajor };
}

/** An image of the stock one's shape: its variables, its port, its user and its tools. */
async function makePostgres(engine: Engine, major: number): Promise<void> {
  const lines = [
    'RUN useradd --system --home-dir /var/lib/postgresql --create-home postgres',
    'COPY native /opt/postgres',
    'COPY entrypoint /usr/local/bin/entrypoint',
    'ENV PATH=/opt/postgres/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'EXPOSE 5432',
    'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
    'STOPSIGNAL SIGINT',
  ];
  await build(engine, `postgres:${major}`, lines, async (folder) => {
    const { bin } = await postgresBinaries(major, undefined);
    await cp(path.dirname(bin), path.join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
    await cp(ENTRYPOINT, path.join(folder, 'entrypoint'));
  });
}

async function build(
  engine: Engine,
  name: string,
  lines: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'image-'));
  try {
    await fill(folder);
    await writeFile(path.join(folder, 'Dockerfile'), `FROM ${BASE_IMAGE}\n${lines.join('\n')}\n`);
    await engine.docker('build', '--network=none', '--quiet', '--tag', name, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** About 20 s where it was not made before. */
async function baseSystem(): Promise<string> {
  const file = await baseFile();
  if (existsSync(file)) return file;
  await mkdir(CACHE, { recursive: true });
  const { codename, source } = await machineRelease();
  const building = path.join(CACHE, `building-${process.pid}.tar`);
  try {
    const leftOut = LEFT_OUT.map((each) => `--dpkgopt=path-exclude=${each}`);
    const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, ...leftOut, codename, building, source];
    await runTool('mmdebstrap', args);
    await rename(building, file);
    return file;
  } catch (error) {
    throw new Error(`no small ${codename} can be made here: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(building, { force: true });
  }
}

/** Another release or other packages are another file. */
async function baseFile(): Promise<string> {
  const { codename } = await machineRelease();
  return path.join(CACHE, `${codename}-${process.arch}-${PACKAGES.join('-')}.tar`);
}
