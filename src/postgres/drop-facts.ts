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
  const { rows: limits } = await client.query<{ slots: number; superuser: boolean }>(
    `SELECT pg_catalog.current_setting('max_locks_per_transaction')::int *
            (pg_catalog.current_setting('max_connections')::int + pg_catalog.current_setting('max_prepared_transactions')::int) AS slots,
            (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS superuser`,
  );
  const { rows: blobs } = await client.query<{ total: number; mine: number }>(
    `SELECT pg_catalog.count(*)::int AS total,
            pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_has_role(l.lomowner, 'USAGE'))::int AS mine
       FROM pg_catalog.pg_largeobject_metadata l`,
  );
  return {
    major,
    schemas: await objects(
      client,
      selectObjects('pg_namespace', 'n', 'n.nspowner', `WHERE NOT ${SYSTEM_SCHEMA} AND ${NO_MEMBER('n')}`),
    ),
    objects: await objects(client, IN_SCHEMAS),
    extensions: await readExtensions(client),
    global: [
      ...(await objects(client, GLOBAL)),
      ...(limits[0]?.superuser === true ? await objects(client, SUBSCRIPTIONS) : []),
    ],
    largeObjects: blobs[0] ?? { total: 0, mine: 0 },
    lockSlots: limits[0]?.slots ?? 0,
  };
}

async function objects(client: pg.Client, sql: string): Promise<CatalogObject[]> {
  const { rows } = await client.query<Row>(sql);
  return rows.map(objectOf);
}

/** `pg_identify_object` quotes names where SQL has to. */
function objectOf({ schema, name, ...row }: Row): CatalogObject {
  return {
    ...row,
    ...(schema === null ? {} : { schema: unquoted(schema) }),
    ...(name === null ? {} : { name: unquoted(name) }),
  };
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

/** The owner of what stands in a schema is in the shared dependencies; that of the bootstrap superuser is nowhere. */
const IN_SCHEMAS = `
  SELECT d.classid, d.objid, i.type, pg_catalog.quote_ident(n.nspname) AS schema, i.name, i.identity,
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

/** A superuser alone may read them, as pg_dump knows. */
const SUBSCRIPTIONS = selectObjects(
  'pg_subscription',
  'o',
  'o.subowner',
  'WHERE o.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())',
);

/** Casts belong to nobody: whoever owns one of their types may drop them. */
const GLOBAL = [
  selectObjects('pg_event_trigger', 'o', 'o.evtowner', ''),
  selectObjects('pg_publication', 'o', 'o.pubowner', ''),
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
    SELECT x.tableoid AS classid, x.oid AS objid, 'extension' AS type, pg_catalog.quote_ident(n.nspname) AS schema, pg_catalog.quote_ident(x.extname) AS name,
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
  ]);
  return {
    dependents: rows.flatMap(({ type, identity }) => (type === null ? [] : [{ type, identity }])),
    count: rows[0]?.count ?? 0,
  };
}

const DEPENDENTS = `
  WITH RECURSIVE gone(classid, objid, objsubid) AS (
    SELECT c, o, 0 FROM unnest($1::oid[], $2::oid[]) AS root(c, o)
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
  outside AS (
    SELECT DISTINCT i.type, i.identity
      FROM gone g
      CROSS JOIN LATERAL pg_catalog.pg_identify_object(g.classid, g.objid, g.objsubid) i
      LEFT JOIN pg_catalog.pg_class c ON g.classid = c.tableoid AND c.oid = g.objid AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
     WHERE NOT EXISTS (SELECT FROM unnest($1::oid[], $2::oid[]) AS root(c, o) WHERE root.c = g.classid AND root.o = g.objid)
       -- What stands in a schema that goes.
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = g.classid AND d.objid = g.objid AND d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                          AND d.refobjid = ANY ($3::oid[]))
       -- Columns of what goes as a whole.
       AND NOT (g.objsubid <> 0 AND EXISTS (SELECT FROM whole w WHERE w.classid = g.classid AND w.objid = g.objid))
       -- Parts of what goes: indexes, row types, defaults, members of extensions. A partition and a sequence that a column
       -- owns are parts too, but have content of their own, and publications go on without what they published.
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN gone p
                           ON p.classid = d.refclassid AND p.objid = d.refobjid AND p.objsubid IN (0, d.refobjsubid)
                        WHERE d.classid = g.classid AND d.objid = g.objid AND d.objsubid = g.objsubid
                          AND (d.deptype IN ('i', 'e', 'S') OR (d.deptype IN ('a', 'x', 'P') AND c.oid IS NULL AND i.type NOT LIKE 'publication%')))
  )
  SELECT outside.type, outside.identity, (SELECT pg_catalog.count(*)::int FROM whole) AS count
    FROM (VALUES (0)) one(n) LEFT JOIN outside ON true ORDER BY 1, 2`;
