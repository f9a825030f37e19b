/** A small archive read to its end, as the proof of a backup reads it. */

import type { ArchiveReport } from '../domain/archive-report.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import { ArchiveReader } from '../postgres/archive-reader.ts';
import type { ClientTools } from '../postgres/client-tools.ts';
import { startProcess } from '../runner/process.ts';

/** Throws `ERR_NOT_PROVEN` with what pg_restore said, or what the reader could not take apart. */
export async function readArchiveFile(
  path: string,
  { tools, signal }: { tools: ClientTools; signal: AbortSignal },
): Promise<ArchiveReport> {
  const env = { ...tools.env, LC_ALL: 'C' };
  const child = startProcess(tools.pgRestore, ['--format=custom', '--file=-', path], { env, signal, stdout: 'pipe' });
  const reader = new ArchiveReader();
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) reader.write(chunk);
  } catch (error) {
    child.kill();
    await child.ended;
    throw error;
  }
  const end = await child.ended;
  signal.throwIfAborted();
  if (end.code !== 0 || end.stderr !== '')
    throw unreadable(end.stderr || `it ended with ${end.signal ?? `exit code ${end.code}`}`);
  return reader.end();
}

function unreadable(why: unknown): BackupError {
  return new BackupError('ERR_NOT_PROVEN', `pg_restore cannot read the archive: ${messageOf(why)}`, {
    op: 'read an archive',
    hint: 'The archive is damaged.',
  });
}
