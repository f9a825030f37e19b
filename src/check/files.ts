/** Files of the repository that a check reads before it begins. */
import { readFile } from 'node:fs/promises';
import { parseSchemaList } from '../domain/check/schema-list.ts';
import { BackupError, messageOf } from '../domain/errors.ts';

/** @throws BackupError `ERR_INPUT` */
export async function readExpectedSchema(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BackupError('ERR_INPUT', `The file of \`expected-schema\` cannot be read: ${messageOf(cause)}`, {
      op: 'read expected-schema',
      hint: 'Check the path; it counts from the workspace, and the job must have checked the repository out before. A run with `report-path` writes such a list beside its report.',
      cause,
    });
  }
  return parseSchemaList(text);
}
