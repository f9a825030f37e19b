/** Lists the objects of a database, one a line, for `expected-schema`. */
import type { HealthSession } from './session.ts';

/** What a partition has it has from its parent, and what belongs to an extension comes with it: neither is listed. */
const OWN = (alias: string, catalog: string): string =>
  `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_catalog.${catalog}'::regclass AND e.objid = ${alias}.oid AND e.deptype = 'e')`;
const RELATION = 'JOIN pg_namespace n ON n.oid = c.relnamespace';
const OF_TABLE = `JOIN pg_class c ON c.oid = o.REFERENCE ${RELATION}`;

const LIST = [
  `SELECT 'extension ' || extname AS line FROM pg_extension`,
  `SELECT 'schema ' || quote_ident(n.nspname) FROM pg_namespace n WHERE ${OWN('n', 'pg_namespace')}`,
  `SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
               WHEN 'f' THEN 'foreign table' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END || format(' %I.%I', n.nspname, c.relname)
     FROM pg_class c ${RELATION}
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I') AND NOT c.relispartition AND ${OWN('c', 'pg_class')}
      AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE i.indexrelid = c.oid AND t.relispartition)`,
  `SELECT format('column %I.%I.%I %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid ${RELATION}
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND ${OWN('c', 'pg_class')}`,
  // Not-null constraints have been constraints since 18 only; columns tell of them on every major.
  `SELECT format('constraint %I.%I.%I %s', n.nspname, c.relname, o.conname, CASE o.contype WHEN 'p' THEN 'primary key' WHEN 'f' THEN 'foreign key'
               WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclude' ELSE 'check' END)
     FROM pg_constraint o ${OF_TABLE.replace('REFERENCE', 'conrelid')}
    WHERE o.contype IN ('p', 'f', 'u', 'x', 'c') AND o.conparentid = 0 AND NOT c.relispartition AND ${OWN('c', 'pg_class')}`,
  `SELECT format('trigger %I.%I.%I', n.nspname, c.relname, o.tgname) FROM pg_trigger o ${OF_TABLE.replace('REFERENCE', 'tgrelid')}
    WHERE NOT o.tgisinternal AND NOT c.relispartition AND ${OWN('c', 'pg_class')}`,
  `SELECT format('policy %I.%I.%I', n.nspname, c.relname, o.polname) FROM pg_policy o ${OF_TABLE.replace('REFERENCE', 'polrelid')}
    WHERE ${OWN('c', 'pg_class')}`,
  `SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
          || format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${OWN('p', 'pg_proc')}`,
  `SELECT CASE t.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' WHEN 'r' THEN 'range ' ELSE 'type ' END || format('%I.%I', n.nspname, t.typname)
          || CASE WHEN t.typtype = 'e' THEN ' ' || (SELECT string_agg(quote_literal(v.enumlabel), ', ' ORDER BY v.enumsortorder) FROM pg_enum v WHERE v.enumtypid = t.oid) ELSE '' END
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
      AND ${OWN('t', 'pg_type')}`,
];

/** Lines in no order; a text for each kind, because tens of thousands of rows would take many times its memory. Throws the server's errors. */
export async function readSchemaList(session: HealthSession): Promise<string[]> {
  const texts = LIST.map(
    (select) => `SELECT string_agg(replace(line, E'\\n', ' '), E'\\n') AS lines FROM (${select}) AS l(line)`,
  );
  const rows = await session.ask<{ lines: string | null }>(texts.join('\nUNION ALL '), { seconds: 30 });
  return rows.flatMap(({ lines }) => lines?.replaceAll(/[^\S\n]+/g, ' ').split('\n') ?? []);
}
