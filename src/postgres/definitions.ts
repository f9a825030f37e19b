/**
 * Whether definitions stood still while pg_dump read them. Its `pg_get_…` functions look at the newest catalog and not
 * at the snapshot, so that a function dropped or replaced in between enters the archive broken or too new. Tables are
 * locked against that; functions, types, operators, views and schemas cannot be.
 */
import type pg from 'pg';

/** By catalog and OID: the transaction that wrote the catalog's row, and a name for people. */
export type Definitions = Map<string, { version: string; label: string }>;

/** Of a row type and of arrays of it: the table. */
const TABLE_OF_TYPE = 'COALESCE(NULLIF(c.typrelid, 0), (SELECT e.typrelid FROM pg_type e WHERE e.oid = c.typelem))';

/** Up to Postgres 13 sequences have row types, which nobody can name. */
const TYPES = "pg_type c WHERE NOT EXISTS (SELECT FROM pg_class q WHERE q.oid = c.typrelid AND q.relkind = 'S')";
/** Of a sequence the table that has it as a default or identity. */
const OWNER_OF_RELATION = `COALESCE(CASE WHEN c.relkind = 'S' THEN (SELECT d.refobjid FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_catalog.pg_class'::regclass LIMIT 1) END, c.oid)`;

/**
 * What is printed by deparsing, or is named inside such text, with the relation that it belongs to. Temporary and
 * system schemas do not count.
 */
const CATALOGS = [
  ['schema', 'pg_namespace c', 'c.nspname', 'c.oid', '0'],
  ['function', 'pg_proc c', 'c.proname', 'c.pronamespace', '0'],
  ['type', TYPES, 'c.typname', 'c.typnamespace', TABLE_OF_TYPE],
  ['operator', 'pg_operator c', 'c.oprname', 'c.oprnamespace', '0'],
  ['collation', 'pg_collation c', 'c.collname', 'c.collnamespace', '0'],
  ['constraint', 'pg_constraint c', 'c.conname', 'c.connamespace', 'c.conrelid'],
  ['rule', 'pg_rewrite c JOIN pg_class r ON r.oid = c.ev_class', 'r.relname', 'r.relnamespace', 'c.ev_class'],
  ['trigger', 'pg_trigger c JOIN pg_class r ON r.oid = c.tgrelid', 'c.tgname', 'r.relnamespace', 'c.tgrelid'],
  ['policy', 'pg_policy c JOIN pg_class r ON r.oid = c.polrelid', 'c.polname', 'r.relnamespace', 'c.polrelid'],
  ['statistics', 'pg_statistic_ext c', 'c.stxname', 'c.stxnamespace', 'c.stxrelid'],
] as const;
/** Indexes have no OID column of their own; a view's class row carries its name. */
const MORE = [
  `SELECT 'index' AS kind, c.indexrelid AS oid, c.xmin::text AS version, r.relname::text AS name, r.relnamespace AS ns, c.indrelid AS owner
     FROM pg_catalog.pg_index c JOIN pg_catalog.pg_class r ON r.oid = c.indexrelid`,
  `SELECT 'relation', c.oid, c.relname::text, c.relname::text, c.relnamespace, ${OWNER_OF_RELATION}
     FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'S', 'c', 'm', 'f')`,
];

/**
 * Reads the catalogs as this session sees them now: in a snapshot, or the newest state. Given `tables` (OIDs), what
 * belongs to other tables is left out: tables outside of the scope are not locked, and come and go as they like.
 */
export async function readDefinitions(client: pg.Client, tables?: readonly number[]): Promise<Definitions> {
  const selects = CATALOGS.map(
    ([kind, from, name, schema, owner]) =>
      `SELECT '${kind}', c.oid, c.xmin::text, (${name})::text, ${schema}, ${owner} FROM ${from}`,
  );
  const { rows } = await client.query<{ kind: string; oid: number; version: string; name: string; schema: string }>(
    `SELECT d.kind, d.oid, d.version, d.name, n.nspname::text AS schema
       FROM (${[...MORE, ...selects.map(qualified)].join(' UNION ALL ')}) d
       JOIN pg_catalog.pg_namespace n ON n.oid = d.ns
       LEFT JOIN pg_catalog.pg_class o ON o.oid = d.owner AND o.relkind IN ('r', 'p')
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND ($1::oid[] IS NULL OR o.oid IS NULL OR o.oid = ANY ($1))`,
    [tables],
  );
  return new Map(
    rows.map(({ kind, oid, version, name, schema }) => [
      `${kind} ${oid}`,
      { version: `${version} ${schema}`, label: kind === 'schema' ? `schema ${name}` : `${kind} ${schema}.${name}` },
    ]),
  );
}

function qualified(select: string): string {
  return select.replaceAll(/\bpg_/g, 'pg_catalog.pg_');
}

/** Names of what was there before and is gone or changed since. What is new does not matter: the dump lacks it. */
export function changedDefinitions(before: Definitions, after: Definitions): string[] {
  return [...before].flatMap(([key, { version, label }]) => (after.get(key)?.version === version ? [] : [label]));
}
