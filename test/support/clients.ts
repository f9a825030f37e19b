/**
 * Real client tools (pg_dump, pg_restore, pg_dumpall, psql) of several majors side by side, without installing
 * anything: taken from the machine, or fetched once into `.cache/postgres-clients/NN/`.
 * `node test/support/clients.ts` prints what can be had here.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HOMEBREW_ROOTS, SYSTEM_ROOT } from '../../src/domain/client-version.ts';
import { fetchFromApt } from './clients-from-apt.ts';
import { fetchFromPypi } from './clients-from-pypi.ts';
import { runTool } from './run-tool.ts';

/** Laid out as Debian does it: `<root>/NN/bin/pg_dump`. */
export const CLIENTS_ROOT = fileURLToPath(new URL('../../.cache/postgres-clients', import.meta.url));
export const CLIENT_MAJORS = [13, 14, 15, 16, 17, 18, 19];
export const TOOL_NAMES = ['pg_dump', 'pg_restore', 'pg_dumpall', 'psql'] as const;

/** So that not every test file waits for the same dead mirror. */
const SKIP_REMEMBERED_MS = 15 * 60_000;
const LOCK_STALE_MS = 10 * 60_000;

export interface Clients {
  major: number;
  /** `17.11` */
  version: string;
  bin: string;
  pgDump: string;
  pgRestore: string;
  pgDumpall: string;
  psql: string;
}

/** Why there are no clients of this major on this machine. */
export interface Skipped {
  skipped: string;
}

/** One way to get clients: fills `folder/bin`, or throws an error that says why not. */
/** Whether the machine itself brings the tools of this major along, so that an action on it fetches none. */
export function hasOwnTools(major: number): boolean {
  const folders = [`${SYSTEM_ROOT}/${major}`, ...HOMEBREW_ROOTS.map((root) => `${root}/postgresql@${major}`)];
  return folders.some((folder) => existsSync(folder));
}

export type ClientFetcher = (major: number, folder: string, finalFolder: string) => Promise<void>;

/** Never throws. Safe to call from several processes at once; whatever must be downloaded is downloaded once. */
export async function clientTools(major: number): Promise<Clients | Skipped> {
  try {
    const ready = await usable(major);
    if (ready !== undefined) return ready;
    return await withLock(major, async () => (await usable(major)) ?? (await rememberedSkip(major)) ?? fetch(major));
  } catch (error) {
    return { skipped: `client tools ${major}: ${(error as Error).message}` };
  }
}

/** For code that cannot go on without them. */
export async function requireClientTools(major: number): Promise<Clients> {
  const tools = await clientTools(major);
  if ('skipped' in tools) throw new Error(tools.skipped);
  return tools;
}

async function fetch(major: number): Promise<Clients | Skipped> {
  const folder = path.join(CLIENTS_ROOT, String(major));
  const reasons: string[] = [];
  for (const fetcher of [linkSystem, fetchFromPypi, fetchFromApt] satisfies ClientFetcher[]) {
    const building = `${folder}.building`;
    try {
      await rm(building, { recursive: true, force: true });
      await mkdir(building, { recursive: true });
      await fetcher(major, building, folder);
      await rm(folder, { recursive: true, force: true });
      await rename(building, folder);
      const tools = await usable(major);
      if (tools !== undefined) return tools;
      reasons.push(`what ${fetcher.name} brought does not run here`);
    } catch (error) {
      reasons.push((error as Error).message.trim());
    }
  }
  await rm(`${folder}.building`, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
  const skipped = `client tools ${major}: ${reasons.join('; ')}`;
  await writeFile(skipFile(major), JSON.stringify({ skipped, at: Date.now() }));
  return { skipped };
}

async function linkSystem(major: number, folder: string): Promise<void> {
  const bin = path.join(SYSTEM_ROOT, String(major), 'bin');
  const missing = TOOL_NAMES.find((tool) => !existsSync(path.join(bin, tool)));
  if (missing !== undefined) throw new Error(`no ${path.join(bin, missing)}`);
  await symlink(bin, path.join(folder, 'bin'));
}

/** The tools in the cache, if all four run and are of this major: a moved or half-removed cache is no answer. */
async function usable(major: number): Promise<Clients | undefined> {
  const bin = path.join(CLIENTS_ROOT, String(major), 'bin');
  let version = '';
  for (const tool of TOOL_NAMES) {
    const file = path.join(bin, tool);
    if (!existsSync(file)) return undefined;
    const printed = await runTool(file, ['--version']).catch((error: Error) => error.message);
    const match = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(printed);
    if (match === null || Number(match[2]) !== major) return undefined;
    version = match[1] as string;
  }
  return {
    major,
    version,
    bin,
    pgDump: path.join(bin, 'pg_dump'),
    pgRestore: path.join(bin, 'pg_restore'),
    pgDumpall: path.join(bin, 'pg_dumpall'),
    psql: path.join(bin, 'psql'),
  };
}

function skipFile(major: number): string {
  return path.join(CLIENTS_ROOT, `${major}.skipped.json`);
}

async function rememberedSkip(major: number): Promise<Skipped | undefined> {
  if (!existsSync(skipFile(major))) return undefined;
  const { skipped, at } = JSON.parse(await readFile(skipFile(major), 'utf8')) as Skipped & { at: number };
  return Date.now() - at < SKIP_REMEMBERED_MS ? { skipped } : undefined;
}

async function withLock<T>(major: number, body: () => Promise<T>): Promise<T> {
  await mkdir(CLIENTS_ROOT, { recursive: true });
  const lock = path.join(CLIENTS_ROOT, `${major}.lock`);
  while (!(await tryLock(lock))) {
    if (await isStale(lock)) await rm(lock, { recursive: true, force: true });
    else await sleep(100);
  }
  try {
    return await body();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(path.join(lock, 'pid'), String(process.pid));
  return true;
}

/** Its owner is gone, or it is older than any download takes. */
async function isStale(lock: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(path.join(lock, 'pid'), 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return Date.now() - (await stat(lock)).mtimeMs > LOCK_STALE_MS;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // ENOENT: just taken or just released. EPERM: alive, of another user.
    return code === 'ESRCH';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const major of CLIENT_MAJORS) {
    const tools = await clientTools(major);
    console.log(
      'skipped' in tools ? `${major}  skipped: ${tools.skipped}` : `${major}  ${tools.version}  ${tools.bin}`,
    );
  }
}
