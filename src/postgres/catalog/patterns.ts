/** Which schemas and relations the patterns of a scope match, as pg_dump finds it out. */
import type pg from 'pg';
import { BackupError, messageOf } from '../../domain/errors.ts';
import { type NamePattern, parseSchemaPattern, parseTablePattern } from '../../domain/name-pattern.ts';
import type { PatternInput } from '../../domain/preflight.ts';
import type { Scope } from '../../domain/scope.ts';

/** One pattern of one input, parsed. */
export interface ScopePattern {
  input: PatternInput;
  pattern: NamePattern;
}

/** OIDs by input: of schemas for the first two, of relations for the others. */
export type Matches = Record<PatternInput, Set<number>>;

/** Throws `ERR_PATTERN`, also for a pattern that names another database. */
export function parsePatterns(scope: Scope, criticalTables: readonly string[], database: string): ScopePattern[] {
  const parse = (input: PatternInput, texts: readonly string[], read: (text: string) => NamePattern): ScopePattern[] =>
    texts.map((text) => ({ input, pattern: inDatabase(read(text), database) }));
  return [
    ...parse('schemas', scope.schemas, parseSchemaPattern),
    ...parse('exclude-schemas', scope.excludeSchemas, parseSchemaPattern),
    ...parse('tables', scope.tables, parseTablePattern),
    ...parse('exclude-tables', scope.excludeTables, parseTablePattern),
    ...parse('exclude-table-data', scope.excludeTableData, parseTablePattern),
    ...parse('critical-tables', criticalTables, parseTablePattern),
  ];
}

function inDatabase(pattern: NamePattern, database: string): NamePattern {
  if (pattern.database === undefined || pattern.database === database) return pattern;
  throw new BackupError('ERR_PATTERN', `The pattern \`${pattern.text}\` names another database than \`${database}\``, {
    op: 'read patterns',
    hint: 'Leave the database out and write `schema.table`.',
  });
}

/** The OIDs that each pattern matches, in the order of `patterns`; asks nothing when there are none. */
export async function matchPatterns(client: pg.Client, patterns: readonly ScopePattern[]): Promise<Set<number>[]> {
  const found = patterns.map(() => new Set<number>());
  if (patterns.length === 0) return found;
  const visible = await visibleRelations(client, patterns);
  const rows = await queryMatches(client, patterns, 'OPERATOR(pg_catalog.~)');
  for (const { pattern, oid, qualified } of rows) {
    if (qualified || visible.has(oid)) found[pattern]?.add(oid);
  }
  return found;
}

export interface NearMatch {
  /** Index into the patterns that were asked for. */
  pattern: number;
  oid: number;
  schema: string;
  /** Empty for schemas. */
  name: string;
}

/** What the patterns would match if neither case nor `search_path` mattered; at most ten each. */
export async function nearMatches(client: pg.Client, patterns: readonly ScopePattern[]): Promise<NearMatch[]> {
  if (patterns.length === 0) return [];
  const rows = await queryMatches(client, patterns, 'OPERATOR(pg_catalog.~*)');
  return patterns.flatMap((_, index) => {
    const own = rows.filter((row) => row.pattern === index);
    return own.slice(0, 10).map(({ pattern, oid, schema, name }) => ({ pattern, oid, schema, name }));
  });
}

interface MatchRow {
  pattern: number;
  oid: number;
  schema: string;
  name: string;
  qualified: boolean;
}

async function queryMatches(
  client: pg.Client,
  patterns: readonly ScopePattern[],
  operator: string,
): Promise<MatchRow[]> {
  const isSchema = ({ input }: ScopePattern): boolean => input === 'schemas' || input === 'exclude-schemas';
  const sql = `
    SELECT p.i::int AS pattern, n.oid, n.nspname::text AS schema, '' AS name, true AS qualified
      FROM unnest($1::int[], $2::text[], $3::text[], $4::bool[]) AS p(i, schema_regex, name_regex, of_schema)
      JOIN pg_catalog.pg_namespace n ON n.nspname ${operator} p.name_regex COLLATE pg_catalog."default"
     WHERE p.of_schema
    UNION ALL
    SELECT p.i::int, c.oid, n.nspname::text, c.relname::text, p.schema_regex IS NOT NULL
      FROM unnest($1::int[], $2::text[], $3::text[], $4::bool[]) AS p(i, schema_regex, name_regex, of_schema)
      JOIN pg_catalog.pg_class c ON c.relname ${operator} p.name_regex COLLATE pg_catalog."default"
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       AND (p.schema_regex IS NULL OR n.nspname ${operator} p.schema_regex COLLATE pg_catalog."default")
     WHERE NOT p.of_schema AND c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p')
     ORDER BY 1, 3, 4`;
  const values = [
    patterns.map((_, index) => index),
    patterns.map(({ pattern }) => pattern.schemaRegex ?? null),
    patterns.map(({ pattern }) => pattern.nameRegex),
    patterns.map(isSchema),
  ];
  try {
    return (await client.query<MatchRow>(sql, values)).rows;
  } catch (error) {
    if ((error as { code?: string }).code !== '2201B') throw error;
    throw new BackupError('ERR_PATTERN', `A pattern is no valid regular expression: ${messageOf(error)}`, {
      op: 'read patterns',
      hint: `One of ${patterns.map(({ pattern }) => `\`${pattern.text}\``).join(', ')} holds a character that means something to regular expressions. Put double quotes around the name.`,
      cause: error,
    });
  }
}

/**
 * pg_dump matches a pattern without a schema against what the role's own search_path shows. The one query under that
 * path names no operator or function that something in the path could replace.
 */
async function visibleRelations(client: pg.Client, patterns: readonly ScopePattern[]): Promise<Set<number>> {
  const unqualified = patterns.some(
    ({ input, pattern }) => input !== 'schemas' && input !== 'exclude-schemas' && pattern.schemaRegex === undefined,
  );
  if (!unqualified) return new Set();
  await client.query('SET LOCAL search_path TO DEFAULT');
  const { rows } = await client.query<{ oid: number }>(
    'SELECT c.oid FROM pg_catalog.pg_class c WHERE pg_catalog.pg_table_is_visible(c.oid)',
  );
  await client.query("SET LOCAL search_path TO ''");
  return new Set(rows.map(({ oid }) => oid));
}

/** Unites the matches of all patterns of one input. */
export function uniteMatches(patterns: readonly ScopePattern[], found: readonly Set<number>[]): Matches {
  const united: Matches = {
    schemas: new Set(),
    'exclude-schemas': new Set(),
    tables: new Set(),
    'exclude-tables': new Set(),
    'exclude-table-data': new Set(),
    'critical-tables': new Set(),
  };
  patterns.forEach(({ input }, index) => {
    for (const oid of found[index] ?? []) united[input].add(oid);
  });
  return united;
}
