/** Reads the catalog as pg_dump would see it: what a scope takes, and the facts of it. */
import type pg from 'pg';
import type { CatalogFacts, CopySettings, ServerFacts } from '../domain/facts.ts';
import { bringsLargeObjects, type Scope } from '../domain/scope.ts';
import { countLargeObjects, readDatabase, readExtensions, readRoles } from './catalog/database.ts';
import { matchPatterns, parsePatterns, type ScopePattern, uniteMatches } from './catalog/patterns.ts';
import { type Relation, readRelations, readSchemas } from './catalog/relations.ts';
import { type Selection, selectRelations } from './catalog/selection.ts';
import { readTableFacts } from './catalog/tables.ts';

/** What is asked of the catalog. */
export interface CatalogRequest {
  scope: Scope;
  criticalTables: readonly string[];
  /** The database that the session is connected to. */
  database: string;
  server: ServerFacts;
}

export interface SelectedCatalog {
  selection: Selection;
  /** Everything there is, selected or not. */
  relations: Relation[];
  patterns: ScopePattern[];
  /** OIDs that each of `patterns` matches. */
  found: Set<number>[];
}

/**
 * Finds what the scope selects. Must run inside a transaction, whose `search_path` it leaves empty.
 * Throws `ERR_PATTERN`.
 */
export async function readSelection(client: pg.Client, request: CatalogRequest): Promise<SelectedCatalog> {
  const patterns = parsePatterns(request.scope, request.criticalTables, request.database);
  await client.query("SET LOCAL search_path TO ''");
  const found = await matchPatterns(client, patterns);
  const schemas = await readSchemas(client);
  const relations = await readRelations(client);
  const matches = uniteMatches(patterns, found);
  const selection = selectRelations({ schemas, relations }, request.scope, matches, request.server.isStandby);
  return { selection, relations, patterns, found };
}

/** All facts but the time of the snapshot and the sequences, which `snapshot.ts` reads. Same transaction. */
export async function readFacts(
  client: pg.Client,
  request: CatalogRequest,
  { selection, relations }: SelectedCatalog,
  settings: CopySettings,
): Promise<Omit<CatalogFacts, 'snapshotAt' | 'sequences'>> {
  const { scope, server } = request;
  return {
    server,
    database: await readDatabase(client, server.major),
    settings,
    tables: await readTableFacts(client, selection.tables, relations),
    relations: selection.views.map(({ schema, name, kind }) => ({
      schema,
      name,
      kind: kind === 'v' ? 'view' : 'materialized-view',
    })),
    extensions: await readExtensions(client),
    roles: await readRoles(client),
    largeObjects: await countLargeObjects(client),
    largeObjectsSelected: bringsLargeObjects(scope),
  };
}
