/** Reads what a restore in place may have to remove, and what hangs on it. Changes nothing. */
import type pg from 'pg';
import type { CatalogObject, Dependent, DropChoice, DropFacts } from '../domain/drop-plan.ts';
import { readServer } from './catalog/database.ts';
import { SYSTEM_SCHEMA } from './target.ts';

type Row = {
  classid: number;
  objid: number;
  type: string;
  schema: string | null;
  name: string | null;
  identity: string;
  mine: boolean;
};

/** `owner` is an expression that gives the owner's OID. */
function selectObjects(catalog: string, alias: string, owner: string, rest: string): string {
  return `SELECT ${alias}.tableoid AS classid, ${alias}.oid AS objid, i.type, i.schema, i.name, i.identity,
                 pg_catalog.pg_has_role(${owner}, 'USAGE') AS mine
            FROM pg_catalog.${catalog} ${alias}, pg_catalog.pg_identify_object(${alias}.tableoid, ${alias}.oid, 0) i ${rest}`;
}

const NO_MEMBER = (alias: string): string =>
  `NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = ${alias}.tableoid AND e.objid = ${alias}.oid AND e.deptype = 'e')`;

export async function readDropFacts(client: pg.Client): Promise<DropFacts> {
  const { major } = await readServer(client);
  const { rows: limits } = await client.query<{ slots: number }>(
    `SELECT pg_catalog.current_setting('max_locks_per_transaction')::int *
            (pg_catalog.current_setting('max_connections')::int + pg_catalog.current_setting('max_prepared_transactions')::int) AS slots`,
  );
  const { rows: blobs } = await client.query<{ total: number; mine: number }>(
    `SELECT pg_catalog.count(*)::int AS total,
            pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_has_role(l.lomowner, 'USAGE'))::int AS mine
       FROM pg_catalog.pg_largeobject_metadata l`,
  );
  const { rows: owners } = await client.query<{ owner: string }>(
    "SELECT pg_catalog.pg_get_userbyid(nspowner)::text AS owner FROM pg_catalog.pg_namespace WHERE nspname = 'public'",
  );
  const publicOwner = owners[0]?.owner;
  return {
    major,
    schemas: await objects(
      client,
      selectObjects('pg_namespace', 'n', 'n.nspowner', `WHERE NOT ${SYSTEM_SCHEMA} AND ${NO_MEMBER('n')}`),
    ),
    objects: await objects(client, IN_SCHEMAS),
    extensions: await readExtensions(client),
    global: await objects(client, GLOBAL),
    largeObjects: blobs[0] ?? { total: 0, mine: 0 },
    lockSlots: limits[0]?.slots ?? 0,
    ...(publicOwner === undefined ? {} : { publicOwner }),
  };
}

async function objects(client: pg.Client, sql: string): Promise<CatalogObject[]> {
  const { rows } = await client.query<Row>(sql);
  return rows.map(objectOf);
}

function objectOf({ schema, name, ...row }: Row): CatalogObject {
  return { ...row, ...(schema === null ? {} : { schema }), ...(name === null ? {} : { name }) };
}

/** The owner of what stands in a schema is in the shared dependencies; that of the bootstrap superuser is nowhere. */
const IN_SCHEMAS = `
  SELECT d.classid, d.objid, i.type, n.nspname::text AS schema, i.name, i.identity,
         COALESCE((SELECT pg_catalog.pg_has_role(s.refobjid, 'USAGE') FROM pg_catalog.pg_shdepend s
                    WHERE s.classid = d.classid AND s.objid = d.objid AND s.objsubid = 0 AND s.deptype = 'o'
                      AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())),
                  (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)) AS mine
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_depend d ON d.refclassid = n.tableoid AND d.refobjid = n.oid AND d.deptype = 'n',
         pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
   WHERE NOT ${SYSTEM_SCHEMA} AND d.classid NOT IN ('pg_catalog.pg_extension'::pg_catalog.regclass, 'pg_catalog.pg_default_acl'::pg_catalog.regclass)
     AND i.type NOT LIKE 'publication%'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
   ORDER BY n.nspname, i.type, i.identity`;

/** Casts belong to nobody: whoever owns one of their types may drop them. */
const GLOBAL = [
  selectObjects('pg_event_trigger', 'o', 'o.evtowner', ''),
  selectObjects('pg_publication', 'o', 'o.pubowner', ''),
  selectObjects(
    'pg_subscription',
    'o',
    'o.subowner',
    'WHERE o.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())',
  ),
  selectObjects('pg_foreign_server', 'o', 'o.srvowner', `WHERE ${NO_MEMBER('o')}`),
  selectObjects('pg_foreign_data_wrapper', 'o', 'o.fdwowner', `WHERE ${NO_MEMBER('o')}`),
  selectObjects('pg_language', 'o', 'o.lanowner', `WHERE ${NO_MEMBER('o')} AND o.lanispl`),
  selectObjects(
    'pg_am',
    'o',
    '(SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)',
    `WHERE ${NO_MEMBER('o')} AND o.oid >= 16384`,
  ),
  selectObjects(
    'pg_cast',
    'o',
    '(SELECT t.typowner FROM pg_catalog.pg_type t WHERE t.oid IN (o.castsource, o.casttarget) ORDER BY t.oid DESC LIMIT 1)',
    `WHERE ${NO_MEMBER('o')} AND o.oid >= 16384`,
  ),
].join('\nUNION ALL\n');

/** Superusers create any extension; others what is trusted or asks for no superuser. */
async function readExtensions(client: pg.Client): Promise<DropFacts['extensions']> {
  const { rows } = await client.query<Row & { recreatable: boolean }>(`
    SELECT x.tableoid AS classid, x.oid AS objid, 'extension' AS type, n.nspname::text AS schema, x.extname::text AS name,
           pg_catalog.quote_ident(x.extname) AS identity, pg_catalog.pg_has_role(x.extowner, 'USAGE') AS mine,
           COALESCE((SELECT pg_catalog.bool_or(r.rolsuper OR v.trusted OR NOT v.superuser)
                       FROM pg_catalog.pg_available_extension_versions v, pg_catalog.pg_roles r
                      WHERE v.name = x.extname AND r.rolname = current_user), false) AS recreatable
      FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace ORDER BY x.extname`);
  return rows.map((row) => ({ ...objectOf(row), recreatable: row.recreatable }));
}

export interface Gone {
  /** What would be dropped along with the choice, outside of it. */
  dependents: Dependent[];
  /** Objects that disappear in all, with their indexes, types and TOAST tables. */
  count: number;
}

/**
 * Follows pg_depend as DROP … CASCADE does (`findDependentObjects` of the server): from an object to what depends on it,
 * and from an internal part or an extension's member to the whole that it belongs to.
 */
export async function readDependents(client: pg.Client, choice: DropChoice): Promise<Gone> {
  const roots = [...choice.schemas, ...choice.extensions, ...choice.objects, ...choice.global];
  const { rows } = await client.query<Dependent & { count: number }>(DEPENDENTS, [
    roots.map(({ classid }) => classid),
    roots.map(({ objid }) => objid),
    choice.schemas.map(({ objid }) => objid),
    choice.extensions.map(({ objid }) => objid),
  ]);
  return {
    dependents: rows.flatMap(({ type, identity }) => (type === null ? [] : [{ type, identity }])),
    count: rows[0]?.count ?? 0,
  };
}

const DEPENDENTS = `
  WITH RECURSIVE gone(classid, objid, objsubid) AS (
    SELECT c, o, 0 FROM pg_catalog.unnest($1::oid[], $2::oid[]) AS root(c, o)
    UNION
    SELECT next.* FROM gone g CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
       WHERE d.refclassid = g.classid AND d.refobjid = g.objid AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
         AND d.deptype <> 'p'
      UNION ALL
      SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d
       WHERE d.classid = g.classid AND d.objid = g.objid AND d.objsubid = g.objsubid AND d.deptype IN ('i', 'e')
    ) next
  ),
  whole AS (SELECT DISTINCT classid, objid FROM gone WHERE objsubid = 0),
  -- The relation, or the type, that something is a part of.
  part AS (
    SELECT g.*, COALESCE(
             CASE WHEN g.objsubid <> 0 THEN g.objid END, rule.ev_class, trigger.tgrelid, NULLIF(con.conrelid, 0), policy.polrelid,
             def.adrelid, NULLIF(type.typrelid, 0), stat.stxrelid, index.indrelid) AS relation,
           NULLIF(type.typelem, 0) AS element, defacl.defaclnamespace
      FROM gone g
      LEFT JOIN pg_catalog.pg_rewrite rule ON g.classid = rule.tableoid AND rule.oid = g.objid
      LEFT JOIN pg_catalog.pg_trigger trigger ON g.classid = trigger.tableoid AND trigger.oid = g.objid
      LEFT JOIN pg_catalog.pg_constraint con ON g.classid = con.tableoid AND con.oid = g.objid
      LEFT JOIN pg_catalog.pg_policy policy ON g.classid = policy.tableoid AND policy.oid = g.objid
      LEFT JOIN pg_catalog.pg_attrdef def ON g.classid = def.tableoid AND def.oid = g.objid
      LEFT JOIN pg_catalog.pg_type type ON g.classid = type.tableoid AND type.oid = g.objid
      LEFT JOIN pg_catalog.pg_statistic_ext stat ON g.classid = stat.tableoid AND stat.oid = g.objid
      LEFT JOIN pg_catalog.pg_index index ON g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND index.indexrelid = g.objid
      LEFT JOIN pg_catalog.pg_default_acl defacl ON g.classid = defacl.tableoid AND defacl.oid = g.objid
  ),
  outside AS (
    SELECT DISTINCT i.type, i.identity
      FROM part p
      CROSS JOIN LATERAL pg_catalog.pg_identify_object(p.classid, p.objid, p.objsubid) i
      LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema
      LEFT JOIN pg_catalog.pg_class rel ON rel.oid = p.relation
     WHERE NOT EXISTS (SELECT FROM pg_catalog.unnest($1::oid[], $2::oid[]) AS root(c, o) WHERE root.c = p.classid AND root.o = p.objid)
       AND (n.oid IS NULL OR n.oid <> ALL ($3::oid[])) AND (rel.oid IS NULL OR rel.relnamespace <> ALL ($3::oid[]))
       AND (p.defaclnamespace IS NULL OR p.defaclnamespace <> ALL ($3::oid[]))
       AND COALESCE(i.schema, '') !~ '^pg_toast'
       AND NOT (rel.oid IS NOT NULL AND EXISTS (SELECT FROM whole w WHERE w.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND w.objid = rel.oid))
       AND NOT (p.element IS NOT NULL AND EXISTS (SELECT FROM whole w WHERE w.classid = p.classid AND w.objid = p.element))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = p.classid AND e.objid = p.objid AND e.deptype = 'e'
                          AND e.refobjid = ANY ($4::oid[]))
  )
  SELECT outside.type, outside.identity, (SELECT pg_catalog.count(*)::int FROM whole) AS count
    FROM (VALUES (0)) one(n) LEFT JOIN outside ON true ORDER BY 1, 2`;
