/** The state of a restored database, as its catalog has it: for the proof, and as a look at a dump of unknown content. */
import type pg from 'pg';
import type { SequenceState } from '../domain/facts.ts';
import { type QualifiedName, quoteQualified, relationKey } from '../domain/relations.ts';
import type { CriticalTables } from '../domain/restored-proof/rows.ts';
import type { DatabaseState, StateFact } from '../domain/restored-proof/state.ts';
import { WHOLE } from '../domain/scope.ts';
import { readExtensions } from './catalog/database.ts';
import { matchPatterns, parsePatterns } from './catalog/patterns.ts';
import { isServerAnswer, sqlState } from './session.ts';

/** Sequences read by one statement. */
const BATCH = 200;

/** Schemas of the system and of temporary tables do not count. */
const OF_USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
const TABLE = "pg_catalog.format('%I.%I', n.nspname, c.relname)";
const FROM_CLASS = 'pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace';
/** Spells out one letter of the catalog. */
function enabled(column: string): string {
  return `CASE ${column} WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'A' THEN 'always enabled' ELSE 'enabled for replicas' END`;
}

/** Each gives `subject` and `value`. */
const FACTS = [
  `SELECT CASE WHEN c.relkind IN ('i', 'I') THEN 'index ' ELSE 'table ' END || ${TABLE},
          CASE WHEN c.relispartition THEN 'attached to ' ELSE 'inherits ' END || pg_catalog.string_agg(
            pg_catalog.format('%I.%I', pn.nspname, p.relname), ', ' ORDER BY i.inhseqno)
            || COALESCE(' ' || pg_catalog.pg_get_expr(c.relpartbound, c.oid), '')
     FROM ${FROM_CLASS} JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
     JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
    WHERE ${OF_USERS} GROUP BY c.oid, c.relkind, c.relispartition, c.relpartbound, n.nspname, c.relname`,
  `SELECT pg_catalog.format('constraint %I on ', k.conname) || ${TABLE},
          CASE WHEN k.convalidated THEN 'validated' ELSE 'not validated' END
     FROM ${FROM_CLASS} JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid WHERE ${OF_USERS}`,
  `SELECT pg_catalog.format('trigger %I on ', t.tgname) || ${TABLE}, ${enabled('t.tgenabled')}
     FROM ${FROM_CLASS} JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal WHERE ${OF_USERS}`,
  `SELECT pg_catalog.format('rule %I on ', r.rulename) || ${TABLE}, ${enabled('r.ev_enabled')}
     FROM ${FROM_CLASS} JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN' WHERE ${OF_USERS}`,
  `SELECT 'row-level security of ' || ${TABLE},
          CASE WHEN NOT c.relrowsecurity THEN 'off' ELSE 'on' END || CASE WHEN c.relforcerowsecurity THEN ', also for the owner' ELSE '' END
     FROM ${FROM_CLASS} WHERE c.relkind IN ('r', 'p') AND ${OF_USERS}`,
  `SELECT 'index ' || ${TABLE} || ' itself', CASE WHEN i.indisvalid AND i.indisready THEN 'valid' ELSE 'not valid' END
     FROM ${FROM_CLASS} JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid WHERE ${OF_USERS}`,
  `SELECT pg_catalog.format('event trigger %I', e.evtname), ${enabled('e.evtenabled')} FROM pg_catalog.pg_event_trigger e`,
];

/** Reads the state in the session's transaction. Throws the server's errors. */
export async function readState(client: pg.Client): Promise<DatabaseState> {
  const facts: StateFact[] = [];
  for (const sql of FACTS) {
    const { rows } = await client.query<StateFact>(`SELECT subject, value FROM (${sql}) AS f(subject, value)`);
    facts.push(...rows);
  }
  const names = async (sql: string): Promise<string[]> =>
    (await client.query<{ name: string }>(sql)).rows.map(({ name }) => name);
  const { rows: materializedViews } = await client.query<QualifiedName & { populated: boolean }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, c.relispopulated AS populated
       FROM ${FROM_CLASS} WHERE c.relkind = 'm' AND ${OF_USERS}`,
  );
  return {
    facts,
    invalidIndexes: await names(
      `SELECT ${TABLE} AS name FROM ${FROM_CLASS} JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
        WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready) AND ${OF_USERS} ORDER BY 1`,
    ),
    idleForeignKeys: await names(
      `SELECT DISTINCT pg_catalog.format('%I on ', k.conname) || ${TABLE} AS name
         FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint AND k.contype = 'f'
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE t.tgisinternal AND t.tgenabled = 'D' AND ${OF_USERS} ORDER BY 1`,
    ),
    materializedViews,
    extensions: await readExtensions(client),
  };
}

/** The topmost parent of every partition that is a table, both by `relationKey`. */
export async function readPartitionRoots(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ schema: string; name: string; rootSchema: string; root: string }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, rn.nspname::text AS "rootSchema", r.relname::text AS root
       FROM ${FROM_CLASS} JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)
       JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
      WHERE c.relispartition AND c.relkind = 'r'`,
  );
  return new Map(
    rows.map(({ schema, name, rootSchema, root }) => [
      relationKey({ schema, name }),
      relationKey({ schema: rootSchema, name: root }),
    ]),
  );
}

/**
 * What each pattern finds; needs an open transaction. `database` is what a pattern of three parts may name.
 * Throws `ERR_PATTERN`.
 */
export async function readCriticalTables(
  client: pg.Client,
  patterns: readonly string[],
  database: string,
): Promise<CriticalTables[]> {
  if (patterns.length === 0) return [];
  const found = await matchPatterns(client, parsePatterns(WHOLE, patterns, database));
  const { rows } = await client.query<QualifiedName & { oid: number; leaves: QualifiedName[] | null }>(
    `SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name,
            (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', ln.nspname, 'name', l.relname))
               FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class l ON l.oid = t.relid
               JOIN pg_catalog.pg_namespace ln ON ln.oid = l.relnamespace WHERE t.isleaf AND l.relkind = 'r') AS leaves
       FROM ${FROM_CLASS} WHERE c.relkind IN ('r', 'p') AND c.oid = ANY ($1::oid[])`,
    [found.flatMap((oids) => [...oids])],
  );
  return patterns.map((pattern, at) => ({
    pattern,
    tables: rows
      .filter(({ oid }) => found[at]?.has(oid))
      .map(({ schema, name, leaves }) => ({ schema, name, leaves: leaves ?? [{ schema, name }] })),
  }));
}

/**
 * Values of those sequences that are there, by `relationKey`; an error stands for one that must not be read. Must not
 * run inside a transaction. Throws when the session is gone.
 */
export async function readSequenceValues(
  client: pg.Client,
  sequences: readonly QualifiedName[],
): Promise<Map<string, SequenceState | Error>> {
  const values = new Map<string, SequenceState | Error>();
  for (let from = 0; from < sequences.length; from += BATCH) {
    const batch = sequences.slice(from, from + BATCH);
    if (await readBatch(client, batch, values)) continue;
    for (const sequence of batch) await readBatch(client, [sequence], values);
  }
  return values;
}

async function readBatch(
  client: pg.Client,
  batch: readonly QualifiedName[],
  values: Map<string, SequenceState | Error>,
): Promise<boolean> {
  const selects = batch.map(
    (sequence, index) =>
      `SELECT ${index} AS i, last_value::text AS "lastValue", is_called AS "isCalled" FROM ${quoteQualified(sequence)}`,
  );
  try {
    const { rows } = await client.query<SequenceState & { i: number }>(selects.join('\nUNION ALL '));
    for (const { i, lastValue, isCalled } of rows) {
      const sequence = batch[i];
      if (sequence !== undefined) values.set(relationKey(sequence), { lastValue, isCalled });
    }
    return true;
  } catch (error) {
    if (!isServerAnswer(error)) throw error;
    const [only] = batch;
    // 42P01, 3F000, 42703: it is not there, or is something else by now.
    const isGone = ['42P01', '3F000', '42703'].includes(sqlState(error) ?? '');
    if (batch.length === 1 && only !== undefined && !isGone) values.set(relationKey(only), error as Error);
    return false;
  }
}
