/** Every schema and relation of the database, with what decides whether pg_dump takes it. */
import type pg from 'pg';
import type { QualifiedName } from '../../domain/relations.ts';

/** `pg_class.relkind`: table, partitioned table, foreign table, view, materialized view, sequence. */
export type RelationKind = 'r' | 'p' | 'f' | 'v' | 'm' | 'S';

export interface Relation extends QualifiedName {
  oid: number;
  schemaOid: number;
  kind: RelationKind;
  unlogged: boolean;
  ofExtension: boolean;
  /** The table whose column owns this sequence. */
  ownerTable?: number;
  /** Of an identity column: never dumped without its table. */
  identity: boolean;
  /** An extension asks for the rows of this one to be dumped. */
  config?: { condition: string; builtInExtension: boolean };
}

export interface Schema {
  oid: number;
  name: string;
  ofExtension: boolean;
}

/** OIDs below were given out by initdb (`FirstNormalObjectId`). */
const FIRST_NORMAL_OID = 16_384;

export async function readSchemas(client: pg.Client): Promise<Schema[]> {
  const { rows } = await client.query<Schema>(`
    SELECT n.oid, n.nspname::text AS name, EXISTS (
             SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid
                AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
           ) AS "ofExtension"
      FROM pg_catalog.pg_namespace n`);
  return rows;
}

export async function readRelations(client: pg.Client): Promise<Relation[]> {
  const { rows } = await client.query<{
    oid: number;
    schemaOid: number;
    schema: string;
    name: string;
    kind: RelationKind;
    unlogged: boolean;
    ofExtension: boolean;
    ownerTable: number | null;
    identity: boolean;
  }>(`
    SELECT c.oid, n.oid AS "schemaOid", n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
           c.relpersistence = 'u' AS unlogged, e.objid IS NOT NULL AS "ofExtension",
           o.refobjid AS "ownerTable", COALESCE(o.deptype = 'i', false) AS identity
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_depend e
        ON e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.objsubid = 0
       AND e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
      LEFT JOIN pg_catalog.pg_depend o
        ON c.relkind = 'S' AND o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid
       AND o.objsubid = 0 AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i')
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
     ORDER BY 3, 4`);
  const configs = await readExtensionConfigs(client);
  return rows.map(({ ownerTable, ...relation }) => ({
    ...relation,
    ...(ownerTable === null ? {} : { ownerTable }),
    ...withConfig(configs.get(relation.oid)),
  }));
}

function withConfig(config: Relation['config']): { config?: NonNullable<Relation['config']> } {
  return config === undefined ? {} : { config };
}

async function readExtensionConfigs(client: pg.Client): Promise<Map<number, NonNullable<Relation['config']>>> {
  const { rows } = await client.query<{ extension: number; relation: number; condition: string }>(`
    SELECT e.oid AS extension, t.relation, t.condition
      FROM pg_catalog.pg_extension e, unnest(e.extconfig, e.extcondition) AS t(relation, condition)`);
  return new Map(
    rows.map(({ extension, relation, condition }) => [
      relation,
      { condition: condition.trim(), builtInExtension: extension < FIRST_NORMAL_OID },
    ]),
  );
}
