/** Reads what the preflight judges. Takes no locks and changes nothing. */
import type pg from 'pg';
import type { PoolerEvidence } from '../domain/poolers.ts';
import type { PatternMiss, PreflightFacts, RightsFacts, SystemSelection } from '../domain/preflight.ts';
import type { QualifiedName } from '../domain/relations.ts';
import { bringsLargeObjects, type Scope } from '../domain/scope.ts';
import { countLargeObjects, readDatabase, readExtensions, readServer } from './catalog/database.ts';
import { nearMatches, type ScopePattern } from './catalog/patterns.ts';
import type { Relation } from './catalog/relations.ts';
import { readSelection, type SelectedCatalog } from './catalog.ts';
import { isServerAnswer, sqlState } from './session.ts';
import { readSigns, readSurroundings } from './surroundings.ts';

/** How often two sessions compare what they see when the process that greeted is the one that answers. */
const DIRECT_ROUNDS = 3;
/**
 * And when something stands between: beside busy clients of the same pool a session gets its own process back by luck
 * about every third time. Each round is two round trips.
 */
const POOLED_ROUNDS = 24;
/** Unreadable large objects that are named. */
const SAMPLE = 5;

export interface PreflightRequest {
  scope: Scope;
  criticalTables: readonly string[];
  /** Whatever role and database say of how long a statement or transaction may take: that is meant for applications. */
  withoutLimits?: boolean;
}

/** For this transaction alone, since a pooler may stand between. Not every major knows all of them. */
const WITHOUT_LIMITS = `SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings
  WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;

/** Reads everything in one short transaction. Throws `ERR_PATTERN` and the server's own errors. */
export async function readPreflight(client: pg.Client, request: PreflightRequest): Promise<PreflightFacts> {
  const server = await readServer(client);
  const systemIdentifier = await readSystemIdentifier(client);
  const signs = await readSigns(client);
  const surroundings = await readSurroundings(client);
  const limits = request.withoutLimits === true ? `; ${WITHOUT_LIMITS}` : '';
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${limits}`);
  try {
    await client.query("SET LOCAL search_path TO ''");
    const database = await readDatabase(client, server.major);
    const catalog = await readSelection(client, { ...request, database: database.name, server });
    const { tables } = catalog.selection;
    return {
      server,
      database: database.name,
      ...(systemIdentifier === undefined ? {} : { systemIdentifier }),
      databaseBytes: database.sizeBytes,
      tablesInDatabase: catalog.relations.filter((relation) => isTable(relation) && !isSystem(relation)).length,
      selectedTables: tables.length,
      misses: await readMisses(client, catalog),
      system: systemSelections(catalog),
      rights: await readRights(client, request.scope, catalog, server.major),
      critical: namesOf(tables.filter(({ critical }) => critical).map(({ relation }) => relation)),
      unlogged: namesOf(tables.map(({ relation }) => relation).filter((each) => isUnloggedData(each, request.scope))),
      hiding: await readHiding(client),
      foreign: namesOf(tables.map(({ relation }) => relation).filter(({ kind }) => kind === 'f')),
      extensions: (await readExtensions(client)).map(({ name }) => name),
      signs,
      surroundings,
    };
  } finally {
    // A dead session says so in the error that is on its way.
    await client.query('ROLLBACK').catch(() => undefined);
  }
}

/** Settings under which the server leaves damaged rows out without an error; of this session, so of role and database. */
async function readHiding(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT s.name FROM pg_catalog.pg_settings s
      WHERE s.name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND s.setting = 'on' ORDER BY s.name`,
  );
  return rows.map(({ name }) => name);
}

function isUnloggedData({ kind, unlogged }: Relation, scope: Scope): boolean {
  return kind === 'r' && unlogged && scope.content !== 'schema';
}

function isTable({ kind }: Relation): boolean {
  return kind === 'r' || kind === 'p' || kind === 'f';
}

function isSystem({ schema }: { schema: string }): boolean {
  return schema.startsWith('pg_') || schema === 'information_schema';
}

/** Every role may read it on 13 to 18, unless a provider revoked that. */
export async function readSystemIdentifier(client: pg.Client): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()',
    );
    return rows[0]?.id;
  } catch (error) {
    if (isServerAnswer(error)) return undefined;
    throw error;
  }
}

async function readMisses(client: pg.Client, catalog: SelectedCatalog): Promise<PatternMiss[]> {
  const selected = new Set(catalog.selection.tables.map(({ relation }) => relation.oid));
  const tables = new Set(catalog.relations.filter(isTable).map(({ oid }) => oid));
  const missing: { pattern: ScopePattern; outOfScope: boolean }[] = [];
  catalog.patterns.forEach((pattern, index) => {
    const found = [...(catalog.found[index] ?? [])];
    const hits = pattern.input === 'critical-tables' ? found.filter((oid) => tables.has(oid)) : found;
    const counted = pattern.input === 'critical-tables' ? hits.filter((oid) => selected.has(oid)) : hits;
    if (counted.length === 0) missing.push({ pattern, outOfScope: hits.length > 0 });
  });
  const lost = missing.filter(({ outOfScope }) => !outOfScope).map(({ pattern }) => pattern);
  // A view that is named there would be no match however it is written.
  const near = (await nearMatches(client, lost)).filter(
    ({ pattern, oid }) => lost[pattern]?.input !== 'critical-tables' || tables.has(oid),
  );
  return missing.map(({ pattern, outOfScope }) => ({
    input: pattern.input,
    pattern: pattern.pattern.text,
    literal: pattern.pattern.literal,
    near: near
      .filter((match) => lost[match.pattern] === pattern && !isSystem(match))
      .map(({ schema, name }) => ({ schema, name })),
    outOfScope,
  }));
}

/** pg_dump sees pg_catalog in every search_path, so that `-t '*'` dumps the system's own tables too. */
function systemSelections({ patterns, found, relations }: SelectedCatalog): SystemSelection[] {
  return patterns.flatMap(({ input, pattern }, index) => {
    if (input !== 'tables' && input !== 'schemas') return [];
    const oids = found[index] ?? new Set();
    const tables = relations.filter(
      (relation) =>
        isTable(relation) && isSystem(relation) && oids.has(input === 'tables' ? relation.oid : relation.schemaOid),
    );
    return tables.length === 0 ? [] : [{ input, pattern: pattern.text, tables: namesOf(tables) }];
  });
}

async function readRights(
  client: pg.Client,
  scope: Scope,
  { selection }: SelectedCatalog,
  major: number,
): Promise<RightsFacts> {
  const tables = selection.tables.map(({ relation }) => relation).filter(({ kind }) => kind !== 'f');
  const withData = selection.tables.filter(({ hasData }) => hasData).map(({ relation }) => relation);
  const all = [...tables, ...selection.sequences];
  const wanted = bringsLargeObjects(scope);
  const { rows } = await client.query<{ role: string }>('SELECT current_user::text AS role');
  const schemas = await holding(
    client,
    "NOT pg_catalog.has_schema_privilege(o, 'USAGE')",
    all.map(({ schemaOid }) => schemaOid),
  );
  return {
    role: rows[0]?.role ?? '',
    rowSecured: pick(withData, await holding(client, 'pg_catalog.row_security_active(o)', oidsOf(withData))),
    schemas: [...new Set(all.filter(({ schemaOid }) => schemas.has(schemaOid)).map(({ schema }) => schema))],
    tables: pick(tables, await holding(client, "NOT pg_catalog.has_table_privilege(o, 'SELECT')", oidsOf(tables))),
    sequences: pick(
      selection.sequences,
      await holding(client, "NOT pg_catalog.has_sequence_privilege(o, 'SELECT')", oidsOf(selection.sequences)),
    ),
    largeObjects: {
      total: await countLargeObjects(client),
      ...(wanted ? await readUnreadableLargeObjects(client, major) : { unreadable: 0, sample: [] }),
    },
  };
}

function oidsOf(relations: readonly Relation[]): number[] {
  return relations.map(({ oid }) => oid);
}

function pick(relations: readonly Relation[], oids: ReadonlySet<number>): QualifiedName[] {
  return namesOf(relations.filter(({ oid }) => oids.has(oid)));
}

function namesOf(relations: readonly Relation[]): QualifiedName[] {
  return relations.map(({ schema, name }) => ({ schema, name }));
}

/** The OIDs `o` for which the condition holds; one that is gone by now holds nothing. */
async function holding(client: pg.Client, condition: string, oids: readonly number[]): Promise<Set<number>> {
  const { rows } = await client.query<{ o: number }>(
    `SELECT DISTINCT t.o FROM unnest($1::oid[]) AS t(o) WHERE ${condition.replace('(o', '(t.o')}`,
    [oids],
  );
  return new Set(rows.map(({ o }) => o));
}

/** `has_largeobject_privilege` came with 18. Before, an owner's rights and grants to roles decide, as the server does. */
async function readUnreadableLargeObjects(
  client: pg.Client,
  major: number,
): Promise<{ unreadable: number; sample: number[] }> {
  const readable =
    major >= 18
      ? "pg_catalog.has_largeobject_privilege(l.oid, 'SELECT')"
      : `(pg_catalog.current_setting('lo_compat_privileges')::bool
          OR (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
          OR pg_catalog.pg_has_role(l.lomowner, 'USAGE')
          OR EXISTS (SELECT FROM pg_catalog.aclexplode(l.lomacl) a WHERE a.privilege_type = 'SELECT'
                        AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'))))`;
  const { rows } = await client.query<{ oid: number; total: string }>(
    `SELECT l.oid, pg_catalog.count(*) OVER () AS total FROM pg_catalog.pg_largeobject_metadata l
      WHERE NOT ${readable} ORDER BY l.oid LIMIT ${SAMPLE}`,
  );
  return { unreadable: Number(rows[0]?.total ?? 0), sample: rows.map(({ oid }) => oid) };
}

/** While the other session is asked this one is idle, for which a role may have a limit. */
const BEGIN_PATIENTLY = 'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0';

/**
 * Finds out whether sessions share server processes. Asks only for process ids and leaves nothing behind: a setting
 * beyond a transaction would be left in a server session that belongs to the application. `second` is a new session of the same
 * URL, which stays the caller's.
 */
export async function probePooler(first: pg.Client, second: pg.Client): Promise<PoolerEvidence> {
  const seen = await readPid(first);
  const greeted = (first as unknown as { processID: number | null }).processID;
  const rounds = greeted === seen ? DIRECT_ROUNDS : POOLED_ROUNDS;
  try {
    for (let round = 0; round < rounds; round += 1) {
      // A pool hands out the server process that was given back last: the one that `first` has just used.
      const [, other] = await Promise.all([second.query(BEGIN_PATIENTLY), readPid(second)]);
      const again = await readPid(first);
      await second.query('COMMIT');
      if (other === seen || again !== seen) {
        return { kind: 'transaction', how: 'one session was moved to another server process, or shared its own' };
      }
    }
  } catch (error) {
    if (sqlState(error) !== '08P01') throw error;
    return { kind: 'transaction', how: 'it allows no transaction of several statements' };
  }
  return greeted === seen
    ? { kind: 'direct', how: 'the server process that greeted is the one that answers' }
    : { kind: 'session', how: 'something stands between, and each session kept its own server process' };
}

async function readPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}
