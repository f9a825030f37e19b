/** The assertions of a drill, read before it begins. */
import { readFile } from 'node:fs/promises';
import { type Assertion, parseAssertions } from '../domain/assertions.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { TextOrFile } from '../inputs/types.ts';

const MAX_BYTES = 1024 * 1024;

/** @throws BackupError `ERR_INPUT`: the file cannot be read or is no text of assertions, with its lines */
export async function readAssertions(source: TextOrFile): Promise<Assertion[]> {
  if ('text' in source) return parseAssertions(source.text);
  let text: string;
  try {
    text = await readFile(source.file, 'utf8');
  } catch (cause) {
    throw wrong(`The file of assertions cannot be read: ${messageOf(cause)}`, cause);
  }
  if (text.length > MAX_BYTES) throw wrong(`The file of assertions is larger than ${MAX_BYTES} bytes`);
  return parseAssertions(text);
}

function wrong(message: string, cause?: unknown): BackupError {
  return new BackupError('ERR_INPUT', message, {
    op: 'read assertions',
    hint: 'Check the path of `assertions`; it counts from the workspace, and the job must have checked the repository out before. No assertion was run.',
    cause,
  });
}
