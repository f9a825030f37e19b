/** Client tools handed to the action as a runner's tool cache holds them, so that it installs nothing. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clients } from '../clients.ts';

const FLIP_A_BYTE = fileURLToPath(new URL('./flip-a-byte.ts', import.meta.url));

/** Fills `folder`, which becomes RUNNER_TOOL_CACHE, with links to the real tools. */
export async function fillToolCache(folder: string, clients: Clients): Promise<void> {
  await symlink(clients.bin, path.join(await folderOfVersion(folder, clients), 'bin'));
}

/** The same, but with a pg_dump of which one byte, the one at `offset`, arrives as another. */
export async function fillDamagedToolCache(folder: string, clients: Clients, offset: number): Promise<void> {
  const bin = path.join(await folderOfVersion(folder, clients), 'bin');
  await mkdir(bin);
  await symlink(clients.pgRestore, path.join(bin, 'pg_restore'));
  await symlink(clients.pgDumpall, path.join(bin, 'pg_dumpall'));
  const words = [process.execPath, FLIP_A_BYTE, clients.pgDump, String(offset)].map(quoted);
  await writeFile(path.join(bin, 'pg_dump'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
}

async function folderOfVersion(folder: string, { version }: Clients): Promise<string> {
  const place = path.join(folder, 'postgresql-client', version, process.arch);
  await mkdir(place, { recursive: true });
  return place;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
