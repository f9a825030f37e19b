/** Reads how far sequences are. By SELECT, which takes the weakest lock: pg_sequence_last_value takes one that writers take. */
import type { SequenceRoom } from '../../domain/check/facts.ts';
import { displayName, type QualifiedName, quoteQualified } from '../../domain/relations.ts';
import { ofUsers } from './objects.ts';
import type { ServerContext } from './server.ts';
import type { HealthSession } from './session.ts';

/** One statement reads so many: a long UNION ALL costs the planner more than round trips. */
const BATCH = 200;
/** The fullest ones, which are those that matter. */
const MOST_LISTED = 100;

interface SequenceRow extends QualifiedName {
  least: string;
  most: string;
  descending: boolean;
  readable: boolean;
  column: string | null;
}

/** Throws the server's errors. */
export async function readSequenceRoom(session: HealthSession, context: ServerContext): Promise<SequenceRoom> {
  const rows = await session.ask<SequenceRow>(sequencesSql(context), { seconds: 15 });
  const readable = rows.filter((row) => row.readable);
  const sequences: { name: string; column: string | null; percent: number }[] = [];
  for (let from = 0; from < readable.length; from += BATCH) {
    const batch = readable.slice(from, from + BATCH);
    const values = await session.ask<{ i: number; percent: number }>(batch.map(selectPercent).join('\nUNION ALL '));
    for (const { i, percent } of values) {
      const row = batch[i] as SequenceRow;
      sequences.push({ name: displayName(row), column: row.column, percent });
    }
  }
  return {
    sequences: sequences.toSorted((one, other) => other.percent - one.percent).slice(0, MOST_LISTED),
    unreadable: rows.filter((row) => !row.readable).map(displayName),
  };
}

/** What is used up of the way from the first value to the last that sequence and column can take. */
function selectPercent(row: SequenceRow, index: number): string {
  const { least, most, descending } = row;
  const used = descending ? `${most}::numeric - last_value` : `last_value - (${least}::numeric)`;
  const percent = `round(least(100, (${used}) * 100 / greatest(1, ${most}::numeric - (${least}::numeric))), 1)`;
  return `SELECT ${index} AS i, (CASE WHEN is_called THEN ${percent} ELSE 0 END)::float8 AS percent FROM ${quoteQualified(row)}`;
}

/** Of users, not cycling. An owned one ends where the type of its column does. */
const sequencesSql = (context: ServerContext): string => `
  SELECT n.nspname::text AS schema, c.relname::text AS name, s.seqincrement < 0 AS descending,
         s.seqmin::text AS least,
         least(s.seqmax, CASE WHEN s.seqincrement > 0 THEN CASE t.typname WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 END END)::text AS most,
         has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT') AS readable,
         a.attname || ' (' || format_type(a.atttypid, NULL) || ')' AS "column"
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_type t ON t.oid = a.atttypid
   WHERE NOT s.seqcycle AND c.relpersistence <> 't' AND ${ofUsers(context)}
   ORDER BY 1, 2`;
