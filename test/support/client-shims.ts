/**
 * Tool caches with real client tools in them, as a runner image may bring along. Their pg_dump can be a script that
 * runs the real one and spoils what it does, always with exit code 0; their pg_restore can be one that hangs.
 */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Clients } from './clients.ts';

/** What happens to the archive on its way out of pg_dump. */
export type Damage =
  /** One bit in its middle. */
  | { kind: 'flip' }
  /** Only the first half of it comes out. */
  | { kind: 'truncate' }
  /** More comes out than pg_dump wrote. */
  | { kind: 'append'; bytes: number }
  /** The first such bytes are others; both of one length. */
  | { kind: 'replace'; what: string; by: string };

export interface PgDumpShim {
  damage?: Damage;
  /** Arguments that begin so are not handed on. */
  without?: string;
  /** More arguments for the real one. */
  with?: string[];
  /** The real one is not started before this file exists. */
  startsAfter?: string;
  /** pg_restore reads nothing and never ends. */
  restoreHangs?: boolean;
}

export interface ToolCache {
  /** For RUNNER_TOOL_CACHE. */
  readonly folder: string;
  remove(): Promise<void>;
}

/** Without a shim the tools are the real ones. */
export async function makeToolCache(clients: Clients, shim?: PgDumpShim): Promise<ToolCache> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tool-cache-'));
  const bin = path.join(folder, 'postgresql-client', clients.version, process.arch, 'bin');
  await mkdir(bin, { recursive: true });
  const { pgDump, pgRestore, pgDumpall, psql } = clients;
  const links = { pg_dump: pgDump, pg_restore: pgRestore, pg_dumpall: pgDumpall, psql };
  for (const [name, target] of Object.entries(links)) {
    const isReplaced =
      shim !== undefined && (name === 'pg_dump' || (name === 'pg_restore' && shim.restoreHangs === true));
    if (!isReplaced) await symlink(target, path.join(bin, name));
  }
  if (shim !== undefined) {
    const file = path.join(bin, 'pg_dump');
    await writeFile(file, script(clients.pgDump, shim));
    await chmod(file, 0o755);
  }
  if (shim?.restoreHangs === true) {
    const file = path.join(bin, 'pg_restore');
    await writeFile(file, `#!/bin/sh\n[ "$1" = --version ] && exec '${clients.pgRestore}' --version\nexec sleep 600\n`);
    await chmod(file, 0o755);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Only the archive is held back until it is whole; standard error passes through at once. */
function script(real: string, shim: PgDumpShim): string {
  return `#!${process.execPath}
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const real = ${JSON.stringify(real)};
const shim = ${JSON.stringify(shim)};
const damage = ${spoil.toString()};
const given = process.argv.slice(2);
const isVersion = given.includes('--version');
const args = isVersion ? given : [
  ...given.filter((arg) => shim.without === undefined || !arg.startsWith(shim.without)),
  ...(shim.with ?? []),
];
async function main() {
  while (!isVersion && shim.startsAfter !== undefined && !existsSync(shim.startsAfter)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const child = spawn(real, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.on('close', (code, signal) => {
    const bytes = Buffer.concat(chunks);
    process.exitCode = code ?? 1;
    process.stdout.write(isVersion || shim.damage === undefined ? bytes : damage(bytes, shim.damage));
    if (signal !== null) process.exitCode = 1;
  });
}
main();
`;
}

/** Runs inside of the script, so it must not use anything from around it. */
function spoil(archive: Buffer, damage: Damage): Buffer {
  const bytes = Buffer.from(archive);
  const middle = Math.floor(bytes.length / 2);
  if (damage.kind === 'truncate') return bytes.subarray(0, middle);
  if (damage.kind === 'append') return Buffer.concat([bytes, Buffer.alloc(damage.bytes, 'x')]);
  if (damage.kind === 'flip') {
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    return bytes;
  }
  const at = bytes.indexOf(damage.what);
  if (at < 0) throw new Error(`the archive does not hold ${damage.what}`);
  bytes.write(damage.by, at);
  return bytes;
}
