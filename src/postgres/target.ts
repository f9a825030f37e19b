/** Reads what is to be known of a server and a database before something is restored there. Changes nothing. */
import type pg from 'pg';
import { isLeftover, isUnfinished, noteInComment } from '../domain/restore-mark.ts';
import type { TargetFacts } from '../domain/target.ts';
import { isServerAnswer } from './session.ts';

/** Objects that are named as examples. */
const EXAMPLES = 5;
/** Left out everywhere: the system's own schemas, and those of temporary tables. */
export const SYSTEM_SCHEMA = "(n.nspname = 'information_schema' OR n.nspname ~ '^pg_')";
/** What stands in the catalog `class` as `object` and belongs to an extension. */
const memberOfExtension = (catalog: string, oid: string): string =>
  `EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass
             AND e.objid = ${oid} AND e.deptype = 'e')`;

interface TargetContent {
  objects: number;
  examples: string[];
  objectsBySchema: { schema: string; objects: number }[];
}

/**
 * Counts relations, functions, types, schemas and large objects that are nobody's extension's. Types of tables and of
 * arrays come with what they belong to, and the schema public is in every new database.
 */
export async function readTargetContent(client: pg.Client): Promise<TargetContent> {
  const { rows } = await client.query<{ schema: string | null; objects: number; examples: string[] }>(`
    WITH object AS (
      SELECT n.nspname AS schema, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND NOT ${SYSTEM_SCHEMA} AND NOT ${memberOfExtension('pg_class', 'c.oid')}
      UNION ALL
      SELECT n.nspname, pg_catalog.format('%I.%I()', n.nspname, p.proname)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
       WHERE NOT ${SYSTEM_SCHEMA} AND NOT ${memberOfExtension('pg_proc', 'p.oid')}
      UNION ALL
      SELECT n.nspname, pg_catalog.format('%I.%I', n.nspname, t.typname)
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
       WHERE t.typtype IN ('d', 'e', 'r') AND NOT ${SYSTEM_SCHEMA} AND NOT ${memberOfExtension('pg_type', 't.oid')}
      UNION ALL
      SELECT n.nspname, pg_catalog.format('schema %I', n.nspname) FROM pg_catalog.pg_namespace n
       WHERE NOT ${SYSTEM_SCHEMA} AND n.nspname <> 'public' AND NOT ${memberOfExtension('pg_namespace', 'n.oid')}
      UNION ALL
      SELECT NULL, pg_catalog.format('large object %s', l.oid) FROM pg_catalog.pg_largeobject_metadata l
    )
    SELECT schema::text, pg_catalog.count(*)::int AS objects,
           (pg_catalog.array_agg(name ORDER BY name))[1:${EXAMPLES}] AS examples
      FROM object GROUP BY 1 ORDER BY 1`);
  return {
    objects: rows.reduce((sum, { objects }) => sum + objects, 0),
    examples: rows.flatMap(({ examples }) => examples).slice(0, EXAMPLES),
    objectsBySchema: rows.flatMap(({ schema, objects }) => (schema === null ? [] : [{ schema, objects }])),
  };
}

export async function readTargetRole(client: pg.Client, database: string): Promise<TargetFacts['role']> {
  const { rows } = await client.query<TargetFacts['role']>(
    `SELECT r.rolname::text AS name, r.rolsuper AS superuser, r.rolsuper OR r.rolcreatedb AS "createDatabase",
            r.rolsuper OR r.rolcreaterole AS "createRole", r.rolsuper OR r.rolbypassrls AS "bypassRls",
            r.rolsuper OR COALESCE((SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') FROM pg_catalog.pg_database d
                                     WHERE d.datname = $1), false) AS "ownsDatabase",
            r.rolsuper OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') AS "signalsOthers"
       FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`,
    [database],
  );
  return rows[0] as TargetFacts['role'];
}

/** What the server says of all its databases, and of the one that is named. */
interface Neighbourhood {
  databases: string[];
  leftovers: string[];
  pause?: string;
  madeByUs: boolean;
  /** Of the database that is named, where it is not the default. */
  tablespace?: string;
  /** Databases that let the role in, templates last. */
  open: string[];
}

export async function readNeighbourhood(client: pg.Client, target: string): Promise<Neighbourhood> {
  const { rows } = await client.query<{
    name: string;
    oid: number;
    comment: string | null;
    allowsConnections: boolean;
    connectionLimit: number;
    open: boolean;
    tablespace: string;
  }>(`
    SELECT d.datname::text AS name, d.oid, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
           d.datallowconn AS "allowsConnections", d.datconnlimit AS "connectionLimit",
           (SELECT t.spcname::text FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace) AS tablespace,
           d.datallowconn AND pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS open
      FROM pg_catalog.pg_database d ORDER BY d.datistemplate, d.datname`);
  const databases = rows.map(({ comment, ...row }) => ({ ...row, ...(comment === null ? {} : { comment }) }));
  const named = databases.find(({ name }) => name === target);
  const comment = named?.comment ?? '';
  const pause = named === undefined ? undefined : noteInComment(comment, named.oid);
  return {
    databases: databases.map(({ name }) => name),
    leftovers: databases.filter((each) => each.name !== target && isLeftover(each, target)).map(({ name }) => name),
    ...(pause === undefined ? {} : { pause }),
    madeByUs: isUnfinished(comment),
    ...(named === undefined || named.tablespace === 'pg_default' ? {} : { tablespace: named.tablespace }),
    open: databases.filter(({ open }) => open).map(({ name }) => name),
  };
}

interface DatabaseUse {
  otherSessions: number;
  lastingSessions: string[];
  preparedTransactions: number;
}

/** Sessions of this action are not others'. Those of other roles hide their program from whoever may not see it. */
export async function readDatabaseUse(client: pg.Client, database: string): Promise<DatabaseUse> {
  const { rows } = await client.query<DatabaseUse>(
    `WITH other AS (
       SELECT a.usename, a.application_name, a.backend_type,
              me.rolsuper OR (NOT COALESCE(r.rolsuper, true)
                AND (pg_catalog.pg_has_role(r.oid, 'USAGE') OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))) AS ends
         FROM pg_catalog.pg_stat_activity a
         LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
         JOIN pg_catalog.pg_roles me ON me.rolname = current_user
        WHERE a.datname = $1 AND a.application_name NOT LIKE 'db-backup-action %'
          AND COALESCE(a.backend_type, 'client backend') NOT LIKE 'autovacuum%')
     SELECT (SELECT pg_catalog.count(*)::int FROM other) AS "otherSessions",
            ARRAY(SELECT DISTINCT COALESCE(usename::text, 'the server') || CASE WHEN COALESCE(application_name, '') = ''
                    THEN '' ELSE ' (' || application_name || ')' END FROM other WHERE NOT ends ORDER BY 1) AS "lastingSessions",
            (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_prepared_xacts p WHERE p.database = $1) AS "preparedTransactions"`,
    [database],
  );
  return rows[0] as DatabaseUse;
}

export async function isReadOnly(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ readOnly: boolean }>(
    `SELECT pg_catalog.current_setting('default_transaction_read_only') = 'on' AS "readOnly"`,
  );
  return rows[0]?.readOnly === true;
}

export async function readAvailableExtensions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name::text FROM pg_catalog.pg_available_extensions ORDER BY 1',
  );
  return rows.map(({ name }) => name);
}

/** Where it is built without ICU, initdb finds no collations of it. */
export async function hasIcu(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ icu: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i') AS icu",
  );
  return rows[0]?.icu === true;
}

/**
 * Those of `locales` that the server's system does not know. `lc_monetary` is checked against the system when it is
 * set, by any role and with nothing left behind: collations of the catalog only tell what was there at initdb.
 */
export async function missingLocales(client: pg.Client, locales: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const locale of new Set(locales)) {
    try {
      await client.query("SELECT pg_catalog.set_config('lc_monetary', $1, true)", [locale]);
    } catch (error) {
      if (!isServerAnswer(error)) throw error;
      missing.push(locale);
    }
  }
  return missing;
}

/** Where the server keeps its data, and the port that it listens on; nothing where the role may not know. */
export async function readDataDirectory(client: pg.Client): Promise<{ folder: string; port: string } | undefined> {
  try {
    const { rows } = await client.query<{ folder: string; port: string }>(
      "SELECT pg_catalog.current_setting('data_directory') AS folder, pg_catalog.current_setting('port') AS port",
    );
    return rows[0];
  } catch (error) {
    if (isServerAnswer(error)) return undefined;
    throw error;
  }
}
