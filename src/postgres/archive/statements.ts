/** The meaning of those statements of an archive that carry data or name a relation. */
import type { ArchivedRelation, ArchivedSequence } from '../../domain/archive-report.ts';
import type { QualifiedName } from '../../domain/relations.ts';
import { TokenReader } from './sql-tokens.ts';

/** `COPY schema.table (columns) FROM stdin;` */
export interface CopyStatement {
  table: QualifiedName;
  /** Empty when the statement has no list: a table without columns. */
  columns: string[];
}

/** `undefined` when the statement cannot be taken apart. */
export function parseCopy(text: string, standardStrings: boolean): CopyStatement | undefined {
  const reader = new TokenReader(text, standardStrings);
  if (!reader.words('copy')) return undefined;
  const table = reader.qualifiedName();
  if (table === undefined) return undefined;
  const columns: string[] = [];
  if (reader.symbol('(')) {
    do {
      const column = reader.name();
      if (column === undefined) return undefined;
      columns.push(column);
    } while (reader.symbol(','));
    if (!reader.symbol(')')) return undefined;
  }
  const complete = reader.words('from', 'stdin') && reader.symbol(';') && reader.atEnd;
  return complete ? { table, columns } : undefined;
}

/** `SELECT pg_catalog.setval('schema.name', 42, true);`, `undefined` when it cannot be taken apart. */
export function parseSetval(text: string, standardStrings: boolean): ArchivedSequence | undefined {
  const reader = new TokenReader(text, standardStrings);
  const opens =
    reader.words('select', 'pg_catalog') && reader.symbol('.') && reader.words('setval') && reader.symbol('(');
  const literal = opens ? reader.string() : undefined;
  if (literal === undefined || !reader.symbol(',')) return undefined;
  const nameReader = new TokenReader(literal, true);
  const sequence = nameReader.qualifiedName();
  const sign = reader.symbol('-') ? '-' : '';
  const digits = reader.name();
  if (sequence === undefined || !nameReader.atEnd || digits === undefined || !/^\d+$/.test(digits)) return undefined;
  if (!reader.symbol(',')) return undefined;
  const isCalled = reader.words('true');
  if (!isCalled && !reader.words('false')) return undefined;
  if (!reader.symbol(')') || !reader.symbol(';') || !reader.atEnd) return undefined;
  return { ...sequence, lastValue: sign + digits, isCalled };
}

/** `SET name = value;` with one plain value: the value, else `undefined`. */
export function parseSet(text: string, name: string): string | undefined {
  const reader = new TokenReader(text, true);
  if (!reader.words('set', name)) return undefined;
  if (!reader.symbol('=') && !reader.words('to')) return undefined;
  return reader.string() ?? reader.name();
}

/** Takes the beginning of a CREATE statement; the rest may be cut off. */
export function parseCreatedRelation(beginning: string): ArchivedRelation | undefined {
  const reader = new TokenReader(beginning, true);
  if (!reader.words('create')) return undefined;
  reader.words('or', 'replace');
  reader.words('unlogged');
  const kind = relationKind(reader);
  if (kind === undefined) return undefined;
  reader.words('if', 'not', 'exists');
  const name = reader.qualifiedName();
  return name === undefined ? undefined : { ...name, kind };
}

function relationKind(reader: TokenReader): ArchivedRelation['kind'] | undefined {
  if (reader.words('table')) return 'table';
  if (reader.words('foreign', 'table')) return 'foreign-table';
  if (reader.words('view') || reader.words('recursive', 'view')) return 'view';
  if (reader.words('materialized', 'view')) return 'materialized-view';
  if (reader.words('sequence')) return 'sequence';
  return undefined;
}

/** `ALTER TABLE … ADD GENERATED … AS IDENTITY (SEQUENCE NAME schema.name …`; the rest may be cut off. */
export function parseIdentitySequence(beginning: string): ArchivedRelation | undefined {
  if (!beginning.includes('ADD GENERATED')) return undefined;
  const reader = new TokenReader(beginning, true);
  if (!reader.words('alter') || !reader.skipPast('add', 'generated') || !reader.skipPast('identity')) return undefined;
  if (!reader.symbol('(') || !reader.words('sequence', 'name')) return undefined;
  const name = reader.qualifiedName();
  return name === undefined ? undefined : { ...name, kind: 'sequence' };
}

/** `CREATE EXTENSION IF NOT EXISTS name …`: the name. */
export function parseExtension(text: string): string | undefined {
  const reader = new TokenReader(text, true);
  if (!reader.words('create', 'extension')) return undefined;
  reader.words('if', 'not', 'exists');
  return reader.name();
}
