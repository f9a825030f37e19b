/** What pg_restore says of an archive without a server: its table of contents, and the roles that its entries name. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { BackupError } from '../domain/errors.ts';
import { NAMES_ROLES, type RoleUse, rolesNamed } from '../domain/role-use.ts';
import { type KnownNames, parseToc, type Toc } from '../domain/toc.ts';
import { startProcess } from '../runner/process.ts';
import type { ClientTools } from './client-tools.ts';

/** A custom archive or the folder of a directory archive, or a custom archive from its first byte on. */
export type TocSource = { path: string } | { stream: Readable };

export interface TocRun {
  /** The whole environment of pg_restore; no connection is made. */
  env: Record<string, string>;
  signal: AbortSignal;
}

/**
 * The table of contents. Of a stream only the head is read; it is destroyed then. It proves nothing about what
 * follows: lists of truncated archives look alike. Throws `ERR_RESTORE_FAILED`.
 */
export async function readToc(
  tools: ClientTools,
  source: TocSource,
  run: TocRun & { known?: KnownNames },
): Promise<Toc> {
  return parseToc(await output(tools, ['--list', '--verbose'], source, run), run.known);
}

/**
 * The roles that rights, default rights, policies and user mappings name, from their own SQL. A second reading of the
 * head of the archive; of a stream, which needs to be opened anew, only the head is read.
 * @param workDir for the list of entries that pg_restore is given; removed at the end
 */
export async function readRoleUse(
  tools: ClientTools,
  source: TocSource,
  toc: Toc,
  run: TocRun & { workDir: string },
): Promise<RoleUse> {
  const types: readonly string[] = NAMES_ROLES;
  const lines = toc.entries.filter(({ type }) => types.includes(type)).map(({ line }) => line);
  if (lines.length === 0) return new Map();
  const folder = await mkdtemp(path.join(run.workDir, 'roles-'));
  try {
    const list = path.join(folder, 'list');
    await writeFile(list, `${lines.join('\n')}\n`);
    return rolesNamed(await output(tools, ['--file=-', '--verbose', `--use-list=${list}`], source, run));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function output(
  tools: ClientTools,
  args: readonly string[],
  source: TocSource,
  { env, signal }: TocRun,
): Promise<string> {
  const isFile = 'path' in source;
  const child = startProcess(tools.pgRestore, isFile ? [...args, source.path] : args, {
    env: { ...env, ...tools.env },
    signal,
    stdin: isFile ? 'ignore' : 'pipe',
    stdout: 'pipe',
  });
  const feeding = isFile ? undefined : feed(source.stream, child.stdin);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const end = await child.ended;
  const broken = await feeding?.();
  signal.throwIfAborted();
  if (broken !== undefined) throw broken;
  if (end.code === 0) return Buffer.concat(chunks).toString('utf8');
  throw new BackupError(
    'ERR_RESTORE_FAILED',
    `pg_restore ${tools.version} cannot read the archive: ${errorOf(end.stderr) || `it ended with ${end.signal ?? `exit code ${end.code}`}`}`,
    {
      op: 'read the table of contents',
      hint: 'If it says "unsupported version", a newer client is needed; otherwise the file is no archive of pg_dump, or it is damaged: choose another backup.',
    },
  );
}

function errorOf(stderr: string): string {
  const said = stderr.split('\n').filter((line) => line.startsWith('pg_restore: error: '));
  return said.map((line) => line.slice('pg_restore: error: '.length)).join('; ');
}

/**
 * Feeds until the child has read enough. Returns what ends the source and gives its own error, if it had one: that
 * the child closed its end early is no error.
 */
function feed(stream: Readable, stdin: NodeJS.WritableStream | null): () => Promise<Error | undefined> {
  let broken: Error | undefined;
  stream.on('error', (error) => {
    broken = error;
    stdin?.end();
  });
  stdin?.on('error', () => stream.unpipe());
  stream.pipe(stdin as NodeJS.WritableStream);
  return async () => {
    stream.unpipe();
    stream.destroy();
    return await Promise.resolve(broken);
  };
}
