/** `orphan-checks`: `auto`, and pairs such as `public.orders.customer_id -> public.customers.id`. */
import { BackupError } from '../errors.ts';

/** A column of a table, as it was written; without a schema it is looked for in `search_path`. */
export interface ColumnName {
  schema?: string;
  table: string;
  column: string;
}

export interface OrphanPair {
  child: ColumnName;
  parent: ColumnName;
}

export type OrphanChoice = 'auto' | OrphanPair;

/** @throws BackupError `ERR_INPUT` */
export function parseOrphanChoice(line: string): OrphanChoice {
  if (line.toLowerCase() === 'auto') return 'auto';
  const sides = line.split('->');
  const [child, parent] = sides.map((side) => readColumn(side.trim()));
  if (sides.length !== 2 || child === undefined || parent === undefined) {
    const right = '`orders.customer_id -> customers.id`, with the schema in front where it is not in search_path';
    const message = `${JSON.stringify(line.slice(0, 80))} is neither auto nor a pair. A right line is ${right}.`;
    throw new BackupError('ERR_INPUT', message, { op: 'read orphan-checks', hint: 'Correct `orphan-checks`.' });
  }
  return { child, parent };
}

export function displayPair({ child, parent }: OrphanPair): string {
  return `${displayColumn(child)} -> ${displayColumn(parent)}`;
}

function displayColumn({ schema, table, column }: ColumnName): string {
  return [...(schema === undefined ? [] : [schema]), table, column].join('.');
}

/** Two or three names, each plain (and then in lower case, as SQL reads it) or in double quotes. */
function readColumn(text: string): ColumnName | undefined {
  if (!/^(?:[^\s".]+|"(?:[^"]|"")+")(?:\.(?:[^\s".]+|"(?:[^"]|"")+")){1,2}$/.test(text)) return undefined;
  const names = [...text.matchAll(/"((?:[^"]|"")+)"|([^\s".]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').toLowerCase() : quoted.replaceAll('""', '"'),
  );
  const [column = '', table = '', schema] = names.toReversed();
  return { ...(schema === undefined ? {} : { schema }), table, column };
}
