/** Definitions as the client tools print them, of a database or of an archive. */
import type { Readable } from 'node:stream';
import type { ArchivedObject } from '../domain/archive-report.ts';
import { BackupError } from '../domain/errors.ts';
import { ArchiveReader } from './archive-reader.ts';
import type { ClientTools } from './client-tools.ts';
import { type RestoreContext, RestoreWatch, runRestoreProcess } from './restore-process.ts';

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
 * of the archive. Throws `ERR_NOT_PROVEN` with what pg_dump said, `ERR_RESTORE_FAILED` when it hangs.
 */
export async function printDatabase(
  tools: ClientTools,
  options: PrintOptions & { encoding: string; snapshotId?: string; lockTimeoutSeconds: number },
  context: RestoreContext,
): Promise<ArchivedObject[]> {
  const args = [
    '--schema-only',
    '--no-password',
    // Its lines are signs of life.
    '--verbose',
    `--encoding=${options.encoding}`,
    `--lock-wait-timeout=${options.lockTimeoutSeconds * 1000}`,
    ...(options.snapshotId === undefined ? [] : [`--snapshot=${options.snapshotId}`]),
    ...printFlags(options),
  ];
  return await readPrinted({ file: tools.pgDump, args }, context);
}

/** All definitions of an archive that lies in a file or folder. Throws `ERR_NOT_PROVEN`. */
export async function printArchive(
  tools: ClientTools,
  file: string,
  options: PrintOptions,
  context: Omit<RestoreContext, 'env' | 'askServer'>,
): Promise<ArchivedObject[]> {
  const args = ['--schema-only', '--file=-', ...printFlags(options), file];
  // It speaks with no server, and a disk says by itself that it is gone.
  const alone = { ...context, env: { ...tools.env }, askServer: async () => 'working' as const };
  return await readPrinted({ file: tools.pgRestore, args }, alone);
}

async function readPrinted(
  program: { file: string; args: readonly string[] },
  context: RestoreContext,
): Promise<ArchivedObject[]> {
  const reader = new ArchiveReader();
  const onOutput = async (output: Readable): Promise<void> => {
    for await (const chunk of output as AsyncIterable<Buffer>) reader.write(chunk);
  };
  const end = await runRestoreProcess({ ...program, onOutput }, new RestoreWatch(), context);
  if (end.code !== 0) {
    const said = end.stderr.split('\n').filter((line) => /(?:error|detail|hint): /.test(line));
    const why = said.join(' ') || `it ended with ${end.signal ?? `exit code ${end.code}`}`;
    throw new BackupError('ERR_NOT_PROVEN', `Definitions could not be printed by ${end.program}: ${why}`, {
      op: 'compare definitions',
      hint: 'Read the message; it is the tool or the server speaking. The restored database is as it was.',
    });
  }
  return reader.end().objects;
}
