/**
 * Whether definitions stood still while pg_dump read them. Its `pg_get_…` functions look at the newest catalog and not
 * at the snapshot, so that a function dropped or replaced in between enters the archive broken or too new. Tables are
 * locked against that; functions, types, operators, views and schemas cannot be.
 */
import type pg from 'pg';

/** By catalog and OID: the transaction that wrote the catalog's row, and a name for people. */
export type Definitions = Map<string, { version: string; label: string }>;

/** What is printed by deparsing, or is named inside such text. Temporary and system schemas do not count. */
const CATALOGS = [
  ['schema', 'pg_namespace c', 'c.nspname', 'c.oid'],
  ['function', 'pg_proc c', 'c.proname', 'c.pronamespace'],
  ['type', 'pg_type c', 'c.typname', 'c.typnamespace'],
  ['operator', 'pg_operator c', 'c.oprname', 'c.oprnamespace'],
  ['collation', 'pg_collation c', 'c.collname', 'c.collnamespace'],
  ['constraint', 'pg_constraint c', 'c.conname', 'c.connamespace'],
  ['rule', 'pg_rewrite c JOIN pg_class r ON r.oid = c.ev_class', 'r.relname', 'r.relnamespace'],
  ['trigger', 'pg_trigger c JOIN pg_class r ON r.oid = c.tgrelid', 'c.tgname', 'r.relnamespace'],
  ['policy', 'pg_policy c JOIN pg_class r ON r.oid = c.polrelid', 'c.polname', 'r.relnamespace'],
  ['statistics', 'pg_statistic_ext c', 'c.stxname', 'c.stxnamespace'],
] as const;
/** Indexes have no OID column of their own; a view's class row carries its name. */
const MORE = [
  `SELECT 'index' AS kind, c.indexrelid AS oid, c.xmin::text AS version, r.relname::text AS name, r.relnamespace AS ns
     FROM pg_catalog.pg_index c JOIN pg_catalog.pg_class r ON r.oid = c.indexrelid`,
  `SELECT 'relation', c.oid, c.relname::text, c.relname::text, c.relnamespace
     FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'S', 'c', 'm', 'f')`,
];

/** Reads the catalogs as this session sees them now: in a snapshot, or the newest state. */
export async function readDefinitions(client: pg.Client): Promise<Definitions> {
  const selects = CATALOGS.map(
    ([kind, from, name, schema]) =>
      `SELECT '${kind}', c.oid, c.xmin::text, (${name})::text, ${schema} FROM ${from.replaceAll(/\bpg_/g, 'pg_catalog.pg_')}`,
  );
  const { rows } = await client.query<{ kind: string; oid: number; version: string; name: string; schema: string }>(
    `SELECT d.kind, d.oid, d.version, d.name, n.nspname::text AS schema
       FROM (${[...MORE, ...selects].join(' UNION ALL ')}) d
       JOIN pg_catalog.pg_namespace n ON n.oid = d.ns
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`,
  );
  return new Map(
    rows.map(({ kind, oid, version, name, schema }) => [
      `${kind} ${oid}`,
      { version: `${version} ${schema}`, label: kind === 'schema' ? `schema ${name}` : `${kind} ${schema}.${name}` },
    ]),
  );
}

/** Names of what was there before and is gone or changed since. What is new does not matter: the dump lacks it. */
export function changedDefinitions(before: Definitions, after: Definitions): string[] {
  return [...before].flatMap(([key, { version, label }]) => (after.get(key)?.version === version ? [] : [label]));
}
