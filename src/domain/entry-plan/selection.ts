/** Which entries a restore of some schemas and tables takes, and which of those cannot come without the rest. */
import { editDistance } from '../close-names.ts';
import type { Finding } from '../findings.ts';
import { parseSchemaPattern, parseTablePattern } from '../name-pattern.ts';
import { compilePattern, tableMatcher } from '../pattern-match.ts';
import { displayName } from '../relations.ts';
import { describeEntry, type TocEntry } from '../toc.ts';
import { type EntryGraph, type EntryId, RELATIONS } from './graph.ts';

export interface PartChoice {
  schemas: readonly string[];
  tables: readonly string[];
}

export interface Selection {
  wanted: Set<EntryId>;
  /** Wanted, but they need what is not, with the reason. */
  incomplete: Map<EntryId, string>;
  findings: Finding[];
}

/** What is taken along because something chosen needs it: nothing that holds rows or acts by itself. */
const PULLED = [
  ...['SCHEMA', 'EXTENSION', 'TYPE', 'SHELL TYPE', 'DOMAIN', 'COLLATION', 'CONVERSION', 'CAST', 'TRANSFORM'],
  ...['FUNCTION', 'PROCEDURE', 'AGGREGATE', 'OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY', 'ACCESS METHOD'],
  ...['PROCEDURAL LANGUAGE', 'FOREIGN DATA WRAPPER', 'SERVER', 'SEQUENCE', 'TEXT SEARCH CONFIGURATION'],
  ...['TEXT SEARCH DICTIONARY', 'TEXT SEARCH PARSER', 'TEXT SEARCH TEMPLATE'],
];
/**
 * Measured on 13 and 17: pg_dump lists no dependency of an exclusion constraint upon the extension whose operator class
 * it uses by default. This one gives plain types such classes.
 */
const UNNAMED = 'btree_gist';
const SUGGESTIONS = 5;

/**
 * Both lists empty: everything. Throws `ERR_PATTERN`.
 * @param isThere what the target has in any case: nothing is incomplete for want of that
 */
export function selectEntries(
  graph: EntryGraph,
  { schemas, tables }: PartChoice,
  isThere: (entry: TocEntry) => boolean,
): Selection {
  if (schemas.length === 0 && tables.length === 0) {
    return { wanted: new Set(graph.entries.map(({ dumpId }) => dumpId)), incomplete: new Map(), findings: [] };
  }
  const findings: Finding[] = [];
  const wanted = new Set<EntryId>();
  for (const text of schemas)
    take(matchSchemas(graph, text), wanted, () => missOf('schemas', text, schemaNames(graph)), findings);
  for (const text of tables)
    take(matchTables(graph, text), wanted, () => missOf('tables', text, tableNames(graph)), findings);
  close(graph, wanted);
  return { wanted, incomplete: findIncomplete(graph, wanted, isThere), findings };
}

function take(matched: readonly TocEntry[], wanted: Set<EntryId>, miss: () => Finding, findings: Finding[]): void {
  if (matched.length === 0) findings.push(miss());
  for (const { dumpId } of matched) wanted.add(dumpId);
}

function matchSchemas(graph: EntryGraph, text: string): TocEntry[] {
  const { nameRegex } = parseSchemaPattern(text);
  const regex = compilePattern(text, nameRegex);
  return graph.entries.filter(({ type, schema, name }) =>
    schema === undefined ? type === 'SCHEMA' && regex.test(name) : regex.test(schema),
  );
}

function matchTables(graph: EntryGraph, text: string): TocEntry[] {
  const matches = tableMatcher(text);
  return graph.entries.filter(({ type, schema = '', name }) => RELATIONS.includes(type) && matches({ schema, name }));
}

/** Until nothing more belongs to what is chosen, or is needed by it. */
function close(graph: EntryGraph, wanted: Set<EntryId>): void {
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const entry of graph.entries) {
      if (!wanted.has(entry.dumpId) && graph.belongsTo(entry, wanted)) wanted.add(entry.dumpId);
      if (!wanted.has(entry.dumpId)) continue;
      if (entry.type === 'CONSTRAINT') for (const { dumpId } of graph.extensions(UNNAMED)) wanted.add(dumpId);
      if (entry.type === 'TABLE') for (const { dumpId } of graph.partitions(entry)) wanted.add(dumpId);
      for (const need of graph.dependencies(entry)) if (isPulled(graph, need, wanted)) wanted.add(need.dumpId);
    }
  }
}

/** A sequence that belongs to a table comes with that table alone. */
function isPulled(graph: EntryGraph, need: TocEntry, wanted: ReadonlySet<EntryId>): boolean {
  if (!PULLED.includes(need.type)) return false;
  const tables = need.type === 'SEQUENCE' ? graph.dependencies(need).filter(({ type }) => type === 'TABLE') : [];
  return tables.every(({ dumpId }) => wanted.has(dumpId));
}

function findIncomplete(
  graph: EntryGraph,
  wanted: ReadonlySet<EntryId>,
  isThere: (entry: TocEntry) => boolean,
): Map<EntryId, string> {
  const incomplete = new Map<EntryId, string>();
  for (const entry of graph.entries) {
    if (!wanted.has(entry.dumpId)) continue;
    const missing = graph.dependencies(entry).filter((need) => !wanted.has(need.dumpId) && !isThere(need));
    const [first] = missing.toSorted((a, b) => RELATIONS.indexOf(b.type) - RELATIONS.indexOf(a.type));
    if (first !== undefined) incomplete.set(entry.dumpId, `it needs the ${describeEntry(first)}, which is not chosen`);
  }
  return incomplete;
}

function schemaNames(graph: EntryGraph): { plain: string; shown: string }[] {
  const names = graph.entries.flatMap(({ type, schema, name }) => (type === 'SCHEMA' ? [name] : (schema ?? [])));
  return [...new Set(names)].map((name) => ({
    plain: name,
    shown: displayName({ schema: name, name: 'x' }).replace(/\.x$/, ''),
  }));
}

function tableNames(graph: EntryGraph): { plain: string; shown: string }[] {
  return graph.entries
    .filter(({ type }) => RELATIONS.includes(type) && type !== 'SEQUENCE')
    .map(({ schema = '', name }) => ({ plain: name, shown: displayName({ schema, name }) }));
}

function missOf(
  input: 'schemas' | 'tables',
  text: string,
  names: readonly { plain: string; shown: string }[],
): Finding {
  const { nameRegex } = input === 'schemas' ? parseSchemaPattern(text) : parseTablePattern(text);
  const regex = compilePattern(text, nameRegex, 'si');
  const wished = text.replaceAll('"', '').split('.').at(-1) ?? '';
  const near = names
    .filter(({ plain }) => regex.test(plain) || editDistance(plain.toLowerCase(), wished.toLowerCase()) <= 2)
    .slice(0, SUGGESTIONS)
    .map(({ shown }) => `\`${shown}\``);
  const forms =
    input === 'tables'
      ? 'patterns are `schema.table`, without a schema they mean `public`'
      : 'patterns are names with `*` and `?`';
  return {
    code: 'pattern-without-match',
    severity: 'error',
    seen: `\`${text}\` of \`${input}\` matches nothing in this backup`,
    action: near.length > 0 ? `Did you mean ${near.join(', ')}?` : `Correct it: ${forms}.`,
  };
}
