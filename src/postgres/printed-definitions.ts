/** Definitions as the client tools print them, of a database or of an archive, and a restore of definitions alone. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchivedObject } from '../domain/archive-report.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import { type RunningProcess, startProcess } from '../runner/process.ts';
import { ArchiveReader } from './archive-reader.ts';
import type { ClientTools } from './client-tools.ts';

export interface ToolRun {
  tools: ClientTools;
  /** The whole environment of the child. */
  env: Record<string, string>;
  signal: AbortSignal;
}

/** What is printed, besides everything else. */
export interface PrintOptions {
  owner: 'keep' | 'drop';
  privileges: 'keep' | 'drop';
}

function printFlags({ owner, privileges }: PrintOptions): string[] {
  return [...(owner === 'drop' ? ['--no-owner'] : []), ...(privileges === 'drop' ? ['--no-privileges'] : [])];
}

/**
 * All definitions of the database that the environment names, in the exported snapshot `snapshotId` and the encoding
 * of the archive. Throws `ERR_NOT_PROVEN` with what pg_dump said.
 */
export async function printDatabase(
  { tools, env, signal }: ToolRun,
  options: PrintOptions & { encoding: string; snapshotId?: string; lockTimeoutSeconds: number },
): Promise<ArchivedObject[]> {
  const args = [
    '--schema-only',
    '--no-password',
    `--encoding=${options.encoding}`,
    `--lock-wait-timeout=${options.lockTimeoutSeconds * 1000}`,
    ...(options.snapshotId === undefined ? [] : [`--snapshot=${options.snapshotId}`]),
    ...printFlags(options),
  ];
  return await readPrinted('pg_dump', startProcess(tools.pgDump, args, { env, signal, stdout: 'pipe' }), signal);
}

/** All definitions of an archive that lies in a file or folder. Throws `ERR_NOT_PROVEN`. */
export async function printArchive(
  { tools, env, signal }: ToolRun,
  file: string,
  options: PrintOptions,
): Promise<ArchivedObject[]> {
  const args = ['--schema-only', '--file=-', ...printFlags(options), file];
  return await readPrinted('pg_restore', startProcess(tools.pgRestore, args, { env, signal, stdout: 'pipe' }), signal);
}

async function readPrinted(program: string, child: RunningProcess, signal: AbortSignal): Promise<ArchivedObject[]> {
  const reader = new ArchiveReader();
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) reader.write(chunk);
  } catch (error) {
    child.kill();
    throw error;
  }
  const end = await child.ended.catch((error: unknown) => {
    throw unprinted(`${program} could not be started: ${messageOf(error)}`);
  });
  signal.throwIfAborted();
  if (end.code !== 0) throw unprinted(`${program} ended with ${end.signal ?? `exit code ${end.code}`}: ${end.stderr}`);
  return reader.end().objects;
}

function unprinted(message: string): BackupError {
  return new BackupError('ERR_NOT_PROVEN', `Definitions could not be printed: ${message}`, {
    op: 'compare definitions',
    hint: 'Read the message; it is the tool or the server speaking. The restored database is as it was.',
  });
}

/** What a reference is restored from: a file or folder, or a fresh stream of the archive. */
export type ReferenceSource = { path: string } | { open(): Promise<Readable> };

export interface ReferenceOptions extends PrintOptions {
  database: string;
  /** Path of the list of entries. */
  listFile: string;
}

/** Known and without consequence: the setting came with 17, and an older server does not know it. */
const HARMLESS = /unrecognized configuration parameter "transaction_timeout"/;

/**
 * Restores the listed entries into `database`. Returns why the result is no reference, when pg_restore said anything
 * that is not known to be harmless; `undefined` when it is one.
 */
export async function restoreReference(
  { tools, env, signal }: ToolRun,
  source: ReferenceSource,
  options: ReferenceOptions,
): Promise<string | undefined> {
  const errors: string[] = [];
  const name = options.database.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const args = [
    '--no-password',
    `--dbname=dbname='${name}'`,
    `--use-list=${options.listFile}`,
    ...printFlags(options),
    ...('path' in source ? [source.path] : []),
  ];
  const onStderrLine = (line: string): void => {
    if (/^pg_restore: (error|warning)/.test(line) && !HARMLESS.test(line)) errors.push(line);
  };
  const archive = 'open' in source ? await source.open() : undefined;
  const child = startProcess(tools.pgRestore, args, {
    env,
    signal,
    stdin: archive === undefined ? 'ignore' : 'pipe',
    onStderrLine,
  });
  if (child.stdin !== null && archive !== undefined) await feed(archive, child.stdin);
  const end = await child.ended.catch((error: unknown) => {
    throw unprinted(`pg_restore could not be started: ${messageOf(error)}`);
  });
  signal.throwIfAborted();
  const real = errors.filter((line) => !line.startsWith('pg_restore: warning: errors ignored'));
  if (real.length > 0) return `The reference restore met errors: ${real[0]}`;
  const harmed = end.code !== 0 && errors.length === 0 && !HARMLESS.test(end.stderr);
  return harmed || end.signal !== null ? `The reference restore failed: ${end.stderr}` : undefined;
}

/** pg_restore may stop reading before the end; what it then says is judged, not the broken pipe. */
async function feed(from: Readable, into: NodeJS.WritableStream): Promise<void> {
  await pipeline(from, into).catch(() => undefined);
}
