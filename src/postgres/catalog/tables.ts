/** The facts of selected tables: columns as COPY carries them, sizes, the leaves of partition trees. */
import type pg from 'pg';
import type { TableFacts, TableKind } from '../../domain/facts.ts';
import type { QualifiedName } from '../../domain/relations.ts';
import type { Relation } from './relations.ts';
import type { SelectedRelation } from './selection.ts';

const KINDS: Partial<Record<Relation['kind'], TableKind>> = {
  r: 'table',
  p: 'partitioned-table',
  f: 'foreign-table',
};

export async function readTableFacts(
  client: pg.Client,
  selected: readonly SelectedRelation[],
  relations: readonly Relation[],
): Promise<TableFacts[]> {
  const oids = selected.map(({ relation }) => relation.oid);
  const columns = await readColumns(client, oids);
  const sizes = await readSizes(client, oids);
  const leaves = selected.some(({ relation }) => relation.kind === 'p')
    ? await readLeaves(client, relations)
    : new Map<number, QualifiedName[]>();
  return selected.map(({ relation, hasData, critical }) => ({
    oid: relation.oid,
    schema: relation.schema,
    name: relation.name,
    kind: KINDS[relation.kind] as TableKind,
    persistence: relation.unlogged ? 'unlogged' : 'permanent',
    columns: columns.get(relation.oid) ?? [],
    sizeBytes: sizes.get(relation.oid) ?? 0,
    hasData,
    ...(relation.ofExtension ? { extensionCondition: relation.config?.condition ?? '' } : {}),
    ofExtension: relation.ofExtension,
    critical,
    ...(relation.kind === 'p' ? { leaves: leaves.get(relation.oid) ?? [] } : {}),
  }));
}

/** Generated columns, stored or virtual, are not copied. */
async function readColumns(client: pg.Client, oids: readonly number[]): Promise<Map<number, string[]>> {
  const { rows } = await client.query<{ oid: number; columns: string[] }>(
    `SELECT a.attrelid AS oid, pg_catalog.json_agg(a.attname::text ORDER BY a.attnum) AS columns
       FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      GROUP BY a.attrelid`,
    [oids],
  );
  return new Map(rows.map(({ oid, columns }) => [oid, columns]));
}

async function readSizes(client: pg.Client, oids: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await client.query<{ oid: number; bytes: string | null }>(
    'SELECT o.oid, pg_catalog.pg_table_size(o.oid) AS bytes FROM unnest($1::oid[]) AS o(oid)',
    [oids],
  );
  return new Map(rows.map(({ oid, bytes }) => [oid, Number(bytes ?? 0)]));
}

async function readLeaves(client: pg.Client, relations: readonly Relation[]): Promise<Map<number, QualifiedName[]>> {
  const { rows } = await client.query<{ parent: number; child: number }>(
    `SELECT i.inhparent AS parent, i.inhrelid AS child
       FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
      WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')`,
  );
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]));
  const children = new Map<number, Relation[]>();
  for (const { parent, child } of rows) {
    const relation = byOid.get(child);
    if (relation !== undefined) children.set(parent, [...(children.get(parent) ?? []), relation]);
  }
  const leavesOf = (oid: number): QualifiedName[] =>
    (children.get(oid) ?? []).flatMap((child) =>
      child.kind === 'p' ? leavesOf(child.oid) : [{ schema: child.schema, name: child.name }],
    );
  return new Map([...children.keys()].map((oid) => [oid, leavesOf(oid)]));
}
