/** Looks for rows whose parent is missing. */

import pg from 'pg';
import { MOST_ORPHANS, type OrphanFacts } from '../../domain/check/facts.ts';
import { type ColumnName, displayPair, type OrphanChoice, type OrphanPair } from '../../domain/check/orphan-pair.ts';
import { displayName, type QualifiedName, quoteIdentifier, quoteQualified } from '../../domain/relations.ts';
import { ofUsers } from './objects.ts';
import type { ServerContext } from './server.ts';
import { type HealthSession, unlessMistaken } from './session.ts';

const LOOK_SECONDS = 60;
/** Pairs by their names alone; a database with more has ways of its own. */
const MOST_GUESSES = 50;

interface Pair {
  child: QualifiedName;
  childColumns: string[];
  parent: QualifiedName;
  parentColumns: string[];
  kind: OrphanFacts['kind'];
}

/** Throws when the session is lost for good, and the server's errors about its catalog. */
export async function readOrphans(
  session: HealthSession,
  context: ServerContext,
  choices: readonly OrphanChoice[],
): Promise<OrphanFacts[]> {
  const facts: OrphanFacts[] = [];
  const pairs = choices.includes('auto') ? [...(await declared(session)), ...(await guessed(session, context))] : [];
  for (const choice of choices) {
    if (choice === 'auto') continue;
    const pair = await resolve(session, choice);
    if (typeof pair === 'string') facts.push({ pair: displayPair(choice), kind: 'given', rows: 0, mistake: pair });
    else pairs.push(pair);
  }
  for (const pair of pairs) facts.push(await lookAt(session, pair));
  return facts;
}

async function lookAt(session: HealthSession, pair: Pair): Promise<OrphanFacts> {
  const { child, childColumns, parent, parentColumns, kind } = pair;
  const words = `${displayName(child)}.${childColumns.join(', ')} -> ${displayName(parent)}.${parentColumns.join(', ')}`;
  const own = (index: number): string => `c.${quoteIdentifier(childColumns[index] as string)}`;
  const present = childColumns.map((_, index) => `${own(index)} IS NOT NULL`);
  const same = parentColumns.map((column, index) => `p.${quoteIdentifier(column)} = ${own(index)}`);
  const sql = `SELECT count(*)::int AS rows FROM (SELECT FROM ${quoteQualified(child)} c WHERE ${present.join(' AND ')}
    AND NOT EXISTS (SELECT FROM ${quoteQualified(parent)} p WHERE ${same.join(' AND ')}) LIMIT ${MOST_ORPHANS}) AS orphans`;
  const seen = await session.see(
    () => unlessMistaken(() => session.ask<{ rows: number }>(sql, { seconds: LOOK_SECONDS })),
    '',
  );
  if ('hidden' in seen) return { pair: words, kind, rows: 0, hidden: seen.hidden };
  if ('mistake' in seen.seen) return { pair: words, kind, rows: 0, mistake: seen.seen.mistake };
  return { pair: words, kind, rows: seen.seen[0]?.rows ?? 0 };
}

/** The pair with its schemas, or why there is none. */
async function resolve(session: HealthSession, { child, parent }: OrphanPair): Promise<Pair | string> {
  const [from, to] = [await tableOf(session, child), await tableOf(session, parent)];
  if (from === undefined) return `there is no table ${child.table}`;
  if (to === undefined) return `there is no table ${parent.table}`;
  return { child: from, childColumns: [child.column], parent: to, parentColumns: [parent.column], kind: 'given' };
}

/** Under the role's own search_path, in which no operator is looked up. */
async function tableOf(session: HealthSession, { schema, table }: ColumnName): Promise<QualifiedName | undefined> {
  const name = schema === undefined ? quoteIdentifier(table) : quoteQualified({ schema, name: table });
  const [found] = await session.ask<QualifiedName>(
    `SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(${pg.escapeLiteral(name)})::pg_catalog.oid`,
    { ownPath: true },
  );
  return found;
}

interface PairRow {
  childSchema: string;
  child: string;
  childColumns: string[];
  parentSchema: string;
  parent: string;
  parentColumns: string[];
}

/** Foreign keys that are there and not validated: those that are can have no orphans. */
async function declared(session: HealthSession): Promise<Pair[]> {
  const columns = (table: string, numbers: string): string =>
    `ARRAY(SELECT a.attname::text FROM unnest(o.${numbers}) WITH ORDINALITY AS k(number, at)
        JOIN pg_attribute a ON a.attrelid = o.${table} AND a.attnum = k.number ORDER BY k.at)`;
  const rows = await session.ask<PairRow>(`
    SELECT n.nspname::text AS "childSchema", c.relname::text AS child, ${columns('conrelid', 'conkey')} AS "childColumns",
           m.nspname::text AS "parentSchema", p.relname::text AS parent, ${columns('confrelid', 'confkey')} AS "parentColumns"
      FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class p ON p.oid = o.confrelid JOIN pg_namespace m ON m.oid = p.relnamespace
     WHERE o.contype = 'f' AND NOT o.convalidated AND o.conparentid = 0 ORDER BY 1, 2, 3`);
  return rows.map((row) => pairOf(row, 'declared'));
}

/** `order_id` beside a table `order` or `orders` with a primary key of the same type, and no foreign key on it. */
async function guessed(session: HealthSession, context: ServerContext): Promise<Pair[]> {
  const stem = 'left(a.attname::text, -3)';
  const rows = await session.ask<PairRow>(`
    SELECT n.nspname::text AS "childSchema", c.relname::text AS child, ARRAY[a.attname::text] AS "childColumns",
           n.nspname::text AS "parentSchema", p.relname::text AS parent, ARRAY[k.attname::text] AS "parentColumns"
      FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class p ON p.relnamespace = c.relnamespace AND p.relkind IN ('r', 'p') AND p.oid <> c.oid
       AND p.relname::text IN (${stem}, ${stem} || 's', ${stem} || 'es', regexp_replace(${stem}, 'y$', 'ies'))
      JOIN pg_index i ON i.indrelid = p.oid AND i.indisprimary AND i.indnkeyatts = 1
      JOIN pg_attribute k ON k.attrelid = p.oid AND k.attnum = i.indkey[0] AND k.atttypid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname::text LIKE '%\\_id' AND ${ofUsers(context)}
       AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'f' AND a.attnum = ANY (o.conkey))
     ORDER BY 1, 2, 3 LIMIT ${MOST_GUESSES}`);
  return rows.map((row) => pairOf(row, 'guessed'));
}

function pairOf(row: PairRow, kind: OrphanFacts['kind']): Pair {
  return {
    child: { schema: row.childSchema, name: row.child },
    childColumns: row.childColumns,
    parent: { schema: row.parentSchema, name: row.parent },
    parentColumns: row.parentColumns,
    kind,
  };
}
