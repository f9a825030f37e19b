/** The list of a database's objects that `expected-schema` is: one a line, in a file that a repository keeps. */
import { BackupError } from '../errors.ts';
import type { HealthFacts } from './facts.ts';

const FIRST_LINE =
  '# Objects of the database, one a line, written by db-backup-action. Lines that begin with # are comments.';

export function formatSchemaList(objects: readonly string[]): string {
  return `${[FIRST_LINE, ...objects.toSorted()].join('\n')}\n`;
}

/** @throws BackupError `ERR_INPUT` for a list without a single object: every database has one, and so it compares nothing */
export function parseSchemaList(text: string): string[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length > 0) return [...new Set(lines)];
  throw new BackupError('ERR_INPUT', 'The file of `expected-schema` lists no object', {
    op: 'read expected-schema',
    hint: 'Take the list that a run with `report-path` writes beside its report (`….schema.txt`).',
  });
}

export function compareSchema(expected: readonly string[], actual: readonly string[]): HealthFacts['schema'] {
  const [wanted, there] = [new Set(expected), new Set(actual.map((line) => line.replaceAll(/\s+/g, ' ')))];
  return {
    missing: expected.filter((line) => !there.has(line)),
    unexpected: [...there].filter((line) => !wanted.has(line)),
    expected: expected.length,
  };
}
