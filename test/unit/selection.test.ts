import { expect, test } from 'vitest';
import { WHOLE } from '../../src/domain/scope.ts';
import { uniteMatches } from '../../src/postgres/catalog/patterns.ts';
import type { Relation } from '../../src/postgres/catalog/relations.ts';
import { selectRelations } from '../../src/postgres/catalog/selection.ts';

const relation = (oid: number, name: string, part: Partial<Relation> = {}): Relation => ({
  oid,
  schemaOid: 1,
  schema: 'public',
  name,
  kind: 'r',
  unlogged: false,
  ofExtension: false,
  identity: false,
  ...part,
});

const CATALOG = {
  schemas: [{ oid: 1, name: 'public', ofExtension: false }],
  relations: [
    relation(10, 'orders'),
    relation(11, 'cache', { unlogged: true }),
    relation(12, 'cache_id_seq', { kind: 'S', unlogged: true, ownerTable: 11 }),
    relation(13, 'orders_id_seq', { kind: 'S', ownerTable: 10 }),
  ],
};

function dataOf(isStandby: boolean) {
  const { tables, sequences } = selectRelations(CATALOG, WHOLE, uniteMatches([], []), isStandby);
  return [
    ...tables.filter(({ hasData }) => hasData).map(({ relation: { name } }) => name),
    ...sequences.map(({ name }) => name),
  ];
}

test('a standby defines unlogged tables and sequences without their data, a primary has both', () => {
  expect(dataOf(false)).toEqual(['orders', 'cache', 'cache_id_seq', 'orders_id_seq']);
  expect(dataOf(true)).toEqual(['orders', 'orders_id_seq']);
  expect(selectRelations(CATALOG, WHOLE, uniteMatches([], []), true).tables).toHaveLength(2);
});
