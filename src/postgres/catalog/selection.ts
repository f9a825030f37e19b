/** pg_dump's own rules for what a scope takes: `selectDumpable…`, `getOwnedSeqs`, `processExtensionTables`. Pure. */
import { isWholeDatabase, type Scope } from '../../domain/scope.ts';
import type { Matches } from './patterns.ts';
import type { Relation, Schema } from './relations.ts';

export interface Selection {
  /** Tables of every kind that the archive defines or whose rows it holds, in order of schema and name. */
  tables: SelectedRelation[];
  /** Sequences whose value is in the archive. */
  sequences: Relation[];
  /** Views and materialized views that the archive defines. */
  views: Relation[];
}

export interface SelectedRelation {
  relation: Relation;
  hasData: boolean;
  critical: boolean;
}

interface Catalog {
  schemas: readonly Schema[];
  relations: readonly Relation[];
}

/** What `pg_dump` with this scope puts into its archive. */
export function selectRelations(catalog: Catalog, scope: Scope, matches: Matches, isStandby: boolean): Selection {
  const rules = new Rules(catalog, scope, matches, isStandby);
  const of = (...kinds: Relation['kind'][]): Relation[] =>
    catalog.relations.filter((relation) => kinds.includes(relation.kind));
  return {
    tables: of('r', 'p', 'f')
      .map((relation) => ({
        relation,
        hasData: relation.kind === 'r' && rules.hasData(relation),
        critical: matches['critical-tables'].has(relation.oid),
      }))
      .filter(({ relation, hasData }) => hasData || rules.isSelected(relation)),
    sequences: of('S').filter((relation) => rules.hasData(relation)),
    views: of('v', 'm').filter((relation) => rules.isSelected(relation)),
  };
}

class Rules {
  readonly #scope: Scope;
  readonly #matches: Matches;
  readonly #isStandby: boolean;
  readonly #relations: Map<number, Relation>;
  /** Schemas that are dumped whole. */
  readonly #wholeSchemas: Set<number>;
  readonly #extensionSchemas: Set<number>;

  constructor(catalog: Catalog, scope: Scope, matches: Matches, isStandby: boolean) {
    this.#scope = scope;
    this.#matches = matches;
    this.#isStandby = isStandby;
    this.#relations = new Map(catalog.relations.map((relation) => [relation.oid, relation]));
    this.#wholeSchemas = new Set(catalog.schemas.filter((schema) => this.#takesSchema(schema)).map(({ oid }) => oid));
    this.#extensionSchemas = new Set(catalog.schemas.filter((schema) => schema.ofExtension).map(({ oid }) => oid));
  }

  #takesSchema({ oid, name }: Schema): boolean {
    if (this.#scope.tables.length > 0 || this.#matches['exclude-schemas'].has(oid)) return false;
    if (this.#scope.schemas.length > 0) return this.#matches.schemas.has(oid);
    return !name.startsWith('pg_') && name !== 'information_schema';
  }

  /** The archive defines it. */
  isSelected(relation: Relation): boolean {
    if (relation.ofExtension) return false;
    const owner = relation.ownerTable === undefined ? undefined : this.#relations.get(relation.ownerTable);
    if (owner !== undefined && this.isSelected(owner)) return true;
    if (owner !== undefined && relation.identity && !owner.ofExtension) return false;
    if (this.#matches['exclude-tables'].has(relation.oid)) return false;
    return this.#scope.tables.length > 0
      ? this.#matches.tables.has(relation.oid)
      : this.#wholeSchemas.has(relation.schemaOid);
  }

  /** The archive holds the rows of this table, or the value of this sequence. */
  hasData(relation: Relation): boolean {
    if (this.#scope.content === 'schema' || (relation.unlogged && this.#isStandby)) return false;
    if (this.#matches['exclude-table-data'].has(relation.oid)) return false;
    return this.isSelected(relation) || this.#isSelectedConfig(relation);
  }

  #isSelectedConfig({ oid, schemaOid, config }: Relation): boolean {
    if (config === undefined) return false;
    if (this.#matches['exclude-tables'].has(oid) || this.#matches['exclude-schemas'].has(schemaOid)) return false;
    if (isWholeDatabase(this.#scope) && !config.builtInExtension) return true;
    if (this.#matches.tables.has(oid)) return true;
    return this.#wholeSchemas.has(schemaOid) && !this.#extensionSchemas.has(schemaOid);
  }
}
