/** The entries of an archive and what they need of each other. */
import type { Toc, TocEntry } from '../toc.ts';

export type EntryId = number;

/** What COPY fills, or what a FROM clause may name. */
export const RELATIONS = ['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE', 'SEQUENCE'];
const DESCRIPTIONS = ['ACL', 'COMMENT', 'SECURITY LABEL'];
/** Their tag begins with the name of their relation, in the same schema. */
const TAGGED = [
  ...['CONSTRAINT', 'CHECK CONSTRAINT', 'FK CONSTRAINT', 'DEFAULT', 'TRIGGER', 'POLICY', 'RULE', 'ROW SECURITY'],
  ...['TABLE DATA', 'MATERIALIZED VIEW DATA'],
];
/** Their tag is a name of their own; the first relation among their dependencies is theirs. */
const OWNED = ['INDEX', 'STATISTICS', 'SEQUENCE', 'SEQUENCE SET', 'SEQUENCE OWNED BY'];
/** They belong to all that they depend on, and to nothing alone. */
const BETWEEN = [
  ...['TABLE ATTACH', 'INDEX ATTACH', 'CAST', 'TRANSFORM', 'USER MAPPING'],
  ...['STATISTICS DATA', 'EXTENDED STATISTICS DATA'],
];
/** Part of every archive, applied by pg_restore itself or only together with `--create`. */
const SPECIAL = ['ENCODING', 'STDSTRINGS', 'SEARCHPATH', 'DATABASE', 'DATABASE PROPERTIES'];

export class EntryGraph {
  readonly entries: readonly TocEntry[];
  readonly #byId: ReadonlyMap<EntryId, TocEntry>;
  readonly #dependencies: ReadonlyMap<EntryId, readonly TocEntry[]>;
  readonly #schemas: ReadonlyMap<string, TocEntry>;

  constructor(toc: Toc) {
    this.entries = toc.entries.filter((entry) => !isSpecial(entry));
    this.#byId = new Map(this.entries.map((entry) => [entry.dumpId, entry]));
    this.#schemas = new Map(this.entries.filter(({ type }) => type === 'SCHEMA').map((each) => [each.name, each]));
    const servers = this.entries.filter(({ type }) => type === 'SERVER');
    const attached = new Map(
      this.entries.filter(({ type }) => type === 'TABLE ATTACH').map((each) => [relationName(each), each]),
    );
    this.#dependencies = new Map(
      this.entries.map((entry) => [entry.dumpId, this.#dependenciesOf(entry, servers, attached)]),
    );
  }

  /** Everything that must be there first, as far as it is in the archive. */
  dependencies({ dumpId }: TocEntry): readonly TocEntry[] {
    return this.#dependencies.get(dumpId) ?? [];
  }

  extensions(name: string): TocEntry[] {
    return this.entries.filter((each) => each.type === 'EXTENSION' && each.name === name);
  }

  /** Whether it goes wherever what it belongs to goes. */
  belongsTo(entry: TocEntry, wanted: ReadonlySet<EntryId>): boolean {
    const needs = this.dependencies(entry);
    if (DESCRIPTIONS.includes(entry.type)) {
      return needs.some((each) => wanted.has(each.dumpId) && (each.type !== 'SCHEMA' || entry.schema === undefined));
    }
    if (TAGGED.includes(entry.type)) {
      return needs.some((each) => wanted.has(each.dumpId) && isRelationOf(entry, each));
    }
    if (OWNED.includes(entry.type)) {
      const relation = needs.find(({ type }) => RELATIONS.includes(type));
      return relation !== undefined && wanted.has(relation.dumpId);
    }
    return BETWEEN.includes(entry.type) && needs.length > 0 && needs.every(({ dumpId }) => wanted.has(dumpId));
  }

  /**
   * Tables that are attached to it as its partitions. pg_dump 13 attaches within the table's own entry: there every
   * table that cannot do without the parent counts.
   */
  partitions(parent: TocEntry): TocEntry[] {
    if (!this.entries.some(({ type }) => type === 'TABLE ATTACH')) {
      return this.entries.filter(({ type, dependencies }) => type === 'TABLE' && dependencies.includes(parent.dumpId));
    }
    const attachments = this.entries.filter(
      (each) => each.type === 'TABLE ATTACH' && this.dependencies(each).some(({ dumpId }) => dumpId === parent.dumpId),
    );
    return attachments.flatMap((each) =>
      this.dependencies(each).filter((child) => child !== parent && relationName(child) === relationName(each)),
    );
  }

  #dependenciesOf(
    entry: TocEntry,
    servers: readonly TocEntry[],
    attached: ReadonlyMap<string, TocEntry>,
  ): readonly TocEntry[] {
    const schema = entry.schema === undefined ? undefined : this.#schemas.get(entry.schema);
    const listed = entry.dependencies.flatMap((id) => this.#byId.get(id) ?? []);
    // A partition is created by itself and attached by an entry of its own; the list still names its parent.
    const parents = entry.type === 'TABLE' ? (attached.get(relationName(entry))?.dependencies ?? []) : [];
    // pg_dump lists no dependency of a user mapping upon its server.
    const server =
      entry.type === 'USER MAPPING' ? servers.filter(({ name }) => entry.name.endsWith(` SERVER ${name}`)) : [];
    // An index of a partition comes after its parent's, and can do without it: INDEX ATTACH joins them.
    const isKey = entry.type === 'INDEX' || entry.type === 'CONSTRAINT';
    const needed = listed.filter(
      ({ dumpId, type }) => !parents.includes(dumpId) && !(isKey && ['INDEX', 'CONSTRAINT'].includes(type)),
    );
    const all = [...needed, ...server];
    return [...new Set(schema === undefined ? all : [schema, ...all])].filter((each) => each !== entry);
  }
}

/** Described or held with something else: not named by itself where that is left out. */
export function isAppendage({ type }: TocEntry): boolean {
  const silent = ['TABLE DATA', 'MATERIALIZED VIEW DATA', 'ROW SECURITY', 'SEQUENCE SET', 'SEQUENCE OWNED BY'];
  return [...DESCRIPTIONS, ...silent, 'INDEX ATTACH', 'STATISTICS DATA', 'EXTENDED STATISTICS DATA'].includes(type);
}

/** `ON SELECT` rules carry the query of a view whose definition came too early for it. */
export function isViewQuery({ type, name }: TocEntry): boolean {
  return type === 'RULE' && name.endsWith(' _RETURN');
}

function isRelationOf(entry: TocEntry, relation: TocEntry): boolean {
  if (relation.schema !== entry.schema) return relation.type === 'EXTENSION';
  return entry.name === relation.name || entry.name.startsWith(`${relation.name} `);
}

function isSpecial({ type, name }: TocEntry): boolean {
  return SPECIAL.includes(type) || (DESCRIPTIONS.includes(type) && name.startsWith('DATABASE '));
}

function relationName({ schema, name }: TocEntry): string {
  return `${schema}\0${name}`;
}
