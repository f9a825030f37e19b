/** Definitions of every kind, read in a snapshot and again after each of them was changed. */
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changedDefinitions, type Definitions, readDefinitions } from '../../src/postgres/definitions.ts';
import { describeIf } from '../support/availability.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';

const SQL = `
  CREATE SCHEMA s;
  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION same(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';
  CREATE TYPE e AS ENUM ('a', 'b');
  CREATE DOMAIN d AS integer CONSTRAINT positive CHECK (VALUE > 0);
  CREATE OPERATOR === (FUNCTION = same, LEFTARG = integer, RIGHTARG = integer);
  CREATE COLLATION c (locale = 'C');
  CREATE TABLE t (id integer CONSTRAINT t_check CHECK (id > 0), other integer);
  CREATE INDEX t_index ON t (other);
  CREATE TRIGGER t_trigger BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
  CREATE POLICY t_policy ON t USING (id > 1);
  CREATE STATISTICS t_statistics ON id, other FROM t;
  CREATE VIEW v AS SELECT 1 AS one;
  CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;
  CREATE SEQUENCE q;
  CREATE TABLE excluded (id serial PRIMARY KEY);
`;

/** What is done, and the names of what is changed then. */
const CHANGES: [string, string[]][] = [
  ['ALTER SCHEMA s RENAME TO s2', ['schema s']],
  [`CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'`, ['function public.f']],
  ['DROP TYPE e', ['type public.e', 'type public._e']],
  ['ALTER DOMAIN d RENAME TO d2', ['type public.d', 'type public._d']],
  ['ALTER DOMAIN d DROP CONSTRAINT positive', ['constraint public.positive']],
  ['DROP OPERATOR === (integer, integer)', ['operator public.===']],
  ['ALTER COLLATION c RENAME TO c2', ['collation public.c']],
  ['ALTER TABLE t RENAME CONSTRAINT t_check TO t_check_2', ['constraint public.t_check']],
  ['DROP INDEX t_index', ['index public.t_index']],
  ['ALTER TRIGGER t_trigger ON t RENAME TO t_trigger_2', ['trigger public.t_trigger']],
  ['ALTER POLICY t_policy ON t USING (id > 2)', ['policy public.t_policy']],
  ['DROP STATISTICS t_statistics', ['statistics public.t_statistics']],
  ['CREATE OR REPLACE VIEW v AS SELECT 2 AS one', ['rule public.v']],
  ['ALTER SEQUENCE q RENAME TO q2', ['relation public.q']],
  ['ALTER VIEW v SET SCHEMA s', ['relation public.v', 'rule public.v', 'type public.v', 'type public._v']],
];

/** What is new, passing, or not printed by pg_dump from the newest catalog. */
const HARMLESS = [
  `CREATE FUNCTION g() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
  'CREATE SCHEMA s3',
  'CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY)',
  'REFRESH MATERIALIZED VIEW m',
  'INSERT INTO t VALUES (1, 1); ANALYZE',
  `SELECT nextval('q'), setval('q', 9)`,
];

describe.each([13, 14, 15, 16, 17, 18])('the definitions of a Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };

  describeIf(here, 'held against those of a snapshot', () => {
    let server: PostgresServer;
    let snapshot: Client;
    let changing: Client;
    let before: Definitions;

    beforeAll(async () => {
      server = await startPostgres({ major });
      await server.createDatabase('shop');
      await server.query(SQL, 'shop');
      changing = await server.connect('shop');
      snapshot = await server.connect('shop');
      await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      before = await readDefinitions(snapshot);
    });

    afterAll(async () => {
      await snapshot?.end();
      await changing?.end();
      await server?.stop();
    });

    test('are the same when nothing happened', async () => {
      expect(before.size).toBeGreaterThan(15);
      expect(changedDefinitions(before, await readDefinitions(changing))).toEqual([]);
    });

    test.each(CHANGES)('name what changed by %s', async (change, labels) => {
      await changing.query('BEGIN');
      try {
        await changing.query(change);
        const changed = changedDefinitions(before, await readDefinitions(changing));
        expect(changed).toEqual(expect.arrayContaining(labels));
        const unrelated = /\b(q|m|g|same|t_policy|t_index)$/;
        const named = labels.some((label) => unrelated.test(label));
        expect(named ? [] : changed.filter((label) => unrelated.test(label))).toEqual([]);
      } finally {
        await changing.query('ROLLBACK');
      }
    });

    test.each(HARMLESS)('are not touched by %s', async (change) => {
      await changing.query('BEGIN');
      try {
        await changing.query(change);
        expect(changedDefinitions(before, await readDefinitions(changing))).toEqual([]);
      } finally {
        await changing.query('ROLLBACK');
      }
    });

    test('leave out what belongs to tables that are not asked for, but not what belongs to views', async () => {
      const { rows } = await changing.query<{ oid: number }>(`SELECT 't'::regclass::oid AS oid`);
      const scoped = await readDefinitions(
        snapshot,
        rows.map(({ oid }) => oid),
      );
      const labels = [...scoped.values()].map(({ label }) => label);
      expect(labels.filter((label) => label.includes('excluded'))).toEqual([]);
      expect(labels).toEqual(
        expect.arrayContaining([
          'type public.t',
          'constraint public.t_check',
          'trigger public.t_trigger',
          'rule public.v',
        ]),
      );
      expect(labels).toEqual(
        expect.arrayContaining(['type public._t', 'type public._e', 'constraint public.positive']),
      );
      expect([...before.values()].map(({ label }) => label)).toContain('type public._excluded');
    });

    test('stay those of the snapshot when read in it after a change', async () => {
      await changing.query('DROP VIEW v');
      expect(changedDefinitions(before, await readDefinitions(snapshot))).toEqual([]);
      expect(changedDefinitions(before, await readDefinitions(changing))).toContain('relation public.v');
    });
  });
});
