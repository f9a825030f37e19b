/**
 * The stock `age` tool: the machine's own, else out of Debian's package, else built by Go, kept in `.cache/age/`.
 * `node test/support/age-cli.ts` prints what can be had here.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from './run-tool.ts';

const CACHE = fileURLToPath(new URL('../../.cache/age', import.meta.url));
const GO_VERSION = '1.3.1';
/** The first that knows post-quantum recipients. */
const POST_QUANTUM_VERSION = [1, 3] as const;

export interface AgeCli {
  age: string;
  ageKeygen: string;
  /** As printed: `v1.3.1`, or `1.1.1` for Debian's. */
  version: string;
}

/** Why there is no such tool on this machine. */
export interface Skipped {
  skipped: string;
}

/** Never throws. Safe to call from several processes at once. */
export async function stockAge(needs: { postQuantum?: boolean } = {}): Promise<AgeCli | Skipped> {
  const ways = needs.postQuantum === true ? [fromGo, onPath, fromDebian] : [onPath, fromDebian, fromGo];
  const reasons: string[] = [];
  for (const way of ways) {
    try {
      const cli = await way();
      if (needs.postQuantum !== true || knowsPostQuantum(cli.version)) return cli;
      reasons.push(`age ${cli.version} is older than ${POST_QUANTUM_VERSION.join('.')}`);
    } catch (error) {
      reasons.push((error as Error).message.trim());
    }
  }
  return { skipped: `age: ${reasons.join('; ')}` };
}

async function onPath(): Promise<AgeCli> {
  return described('age', 'age-keygen');
}

async function fromDebian(): Promise<AgeCli> {
  const home = await cached('debian', async (folder) => {
    await runTool('apt-get', ['-q', 'download', 'age'], {}, folder);
    const deb = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new Error('apt-get downloaded no package');
    await runTool('dpkg', ['-x', path.join(folder, deb), folder]);
  });
  return described(path.join(home, 'usr/bin/age'), path.join(home, 'usr/bin/age-keygen'));
}

async function fromGo(): Promise<AgeCli> {
  const home = await cached(`go-${GO_VERSION}`, async (folder) => {
    const programs = ['age', 'age-keygen'].map((program) => `filippo.io/age/cmd/${program}@v${GO_VERSION}`);
    await runTool('go', ['install', ...programs], { GOBIN: folder });
  });
  return described(path.join(home, 'age'), path.join(home, 'age-keygen'));
}

async function described(age: string, ageKeygen: string): Promise<AgeCli> {
  await runTool(ageKeygen, ['--version']);
  return { age, ageKeygen, version: (await runTool(age, ['--version'])).trim() };
}

function knowsPostQuantum(version: string): boolean {
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  return major > POST_QUANTUM_VERSION[0] || (major === POST_QUANTUM_VERSION[0] && minor >= POST_QUANTUM_VERSION[1]);
}

/** Filled beside its place and then renamed: whoever comes second uses what the first one made. */
async function cached(name: string, fill: (folder: string) => Promise<unknown>): Promise<string> {
  const home = path.join(CACHE, name);
  if (existsSync(home)) return home;
  const building = `${home}.building-${process.pid}`;
  try {
    await mkdir(building, { recursive: true });
    await fill(building);
    await rename(building, home).catch((error: unknown) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return home;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const needs of [{}, { postQuantum: true }]) {
    const cli = await stockAge(needs);
    console.log('skipped' in cli ? `skipped: ${cli.skipped}` : `${cli.version}  ${cli.age}`);
  }
}
