/** The list of a database's objects that `expected-schema` is: one a line, in a file that a repository keeps. */
import { BackupError } from '../errors.ts';
import type { HealthFacts } from './facts.ts';

const FIRST_LINE =
  '# Objects of the database, one a line, written by db-backup-action. Lines that begin with # are comments.';

export function formatSchemaList(objects: readonly string[]): string {
  return `${[FIRST_LINE, ...objects.toSorted()].join('\n')}\n`;
}

/** With what a line begins; the statements of `src/postgres/health/schema-list.ts` write no other. */
const KINDS =
  /^(?:extension|schema|table|view|materialized view|foreign table|sequence|index|column|constraint|trigger|policy|function|procedure|aggregate|enum|domain|range|type) /;
const SHOWN_CHARACTERS = 40;

/** @throws BackupError `ERR_INPUT` for a line that is no object, and for a list without a single object: every database has one, and so it compares nothing */
export function parseSchemaList(text: string): string[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ number: index + 1, line: line.trim().replaceAll(/\s+/g, ' ') }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
  const strange = lines.find(({ line }) => !KINDS.test(line));
  if (strange !== undefined) {
    const { number, line } = strange;
    const shown = JSON.stringify(line.slice(0, SHOWN_CHARACTERS));
    throw notAList(
      `Line ${number} of the file of \`expected-schema\` is no object, such as \`table public.orders\`: ${shown}`,
    );
  }
  if (lines.length === 0) throw notAList('The file of `expected-schema` lists no object');
  return [...new Set(lines.map(({ line }) => line))];
}

function notAList(message: string): BackupError {
  return new BackupError('ERR_INPUT', message, {
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
