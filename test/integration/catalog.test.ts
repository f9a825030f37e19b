import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CatalogFacts } from '../../src/domain/facts.ts';
import { displayName } from '../../src/domain/relations.ts';
import { bringsLargeObjects, type Scope, WHOLE } from '../../src/domain/scope.ts';
import { dumpArgs } from '../../src/postgres/dump.ts';
import { openSnapshot, type Snapshot } from '../../src/postgres/snapshot.ts';
import { describeIf } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';
import { silentLog } from '../support/silent-log.ts';

const SCHEMA = `
  CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA "Up"; CREATE SCHEMA ext;
  CREATE TABLE public.orders (id serial PRIMARY KEY, total int, doubled int GENERATED ALWAYS AS (total * 2) STORED, gone int, note text);
  ALTER TABLE public.orders DROP COLUMN gone;
  CREATE TABLE a.orders (id int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE b.orders (id int);
  CREATE TABLE public."Orders" ("Na me" int);
  CREATE TABLE public.empty ();
  CREATE TABLE "Up".t (i int);
  CREATE TABLE b.only_b (i int);
  CREATE TABLE a."od$d" (i int);
  CREATE TABLE a."x.y" (i int);
  CREATE VIEW public.v AS SELECT 1 AS a;
  CREATE MATERIALIZED VIEW a.mv AS SELECT 1 AS a;
  CREATE UNLOGGED TABLE public.unlogged (i int);
  CREATE TABLE public.parent (i int) PARTITION BY RANGE (i);
  CREATE TABLE a.leaf PARTITION OF public.parent FOR VALUES FROM (0) TO (10);
  CREATE TABLE public.middle PARTITION OF public.parent FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (i);
  CREATE TABLE b.deep PARTITION OF public.middle FOR VALUES FROM (10) TO (20);
  CREATE TABLE public.child () INHERITS (public.orders);
  CREATE SEQUENCE b.down INCREMENT -5 MINVALUE -100 MAXVALUE 0 CYCLE;
  CREATE SEQUENCE public.owned_too OWNED BY public.orders.note;
  CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
  CREATE FOREIGN TABLE public.far_table (i int) SERVER far;
  CREATE EXTENSION hstore SCHEMA ext;
  CREATE TABLE public.cfg (k int, v text); CREATE TABLE ext.cfg2 (k int);
  CREATE SEQUENCE public.cfgseq; CREATE TABLE public.member (i int);
  ALTER EXTENSION hstore ADD TABLE public.cfg; ALTER EXTENSION hstore ADD TABLE ext.cfg2;
  ALTER EXTENSION hstore ADD SEQUENCE public.cfgseq; ALTER EXTENSION hstore ADD TABLE public.member;
  UPDATE pg_extension SET extconfig = ARRAY['public.cfg'::regclass::oid, 'ext.cfg2'::regclass::oid, 'public.cfgseq'::regclass::oid],
    extcondition = ARRAY['WHERE k > 1', '', ''] WHERE extname = 'hstore';
  INSERT INTO public.cfg VALUES (1, 'built in'), (2, 'mine');
  INSERT INTO public.orders (total) SELECT generate_series(1, 5);
  SELECT nextval('b.down'); SELECT nextval('b.down');
  SELECT lo_create(4711);
  CREATE ROLE reader LOGIN SUPERUSER;
  ALTER ROLE reader SET search_path = b, public;`;

const SCOPES: Partial<Scope>[] = [
  {},
  { content: 'schema' },
  { content: 'data' },
  { tables: ['orders'] },
  { tables: ['Orders'] },
  { tables: ['"Orders"', 'b.*'] },
  { tables: ['*.orders'] },
  { tables: ['a.od$d', 'a."x.y"'] },
  { tables: ['(v|orders)'] },
  { tables: ['parent'] },
  { tables: ['par*', '?.leaf'] },
  { tables: ['orders_id_seq'] },
  { tables: ['orders'], excludeTables: ['orders_id_seq'] },
  { tables: ['owned_too', 'empty'] },
  { tables: ['cfg', 'member', 'plain*', 'v'] },
  { tables: ['a.orders'], schemas: ['b'] },
  { schemas: ['A*', '"Up"'] },
  { schemas: ['public'], excludeTables: ['orders', 'cfg'] },
  { schemas: ['public', 'b'], excludeSchemas: ['b'], excludeTableData: ['cfg*'] },
  { schemas: ['ext'] },
  { excludeSchemas: ['a', 'ext'] },
  { excludeTables: ['a.orders', 'unlogged', 'far_table'] },
  { excludeTableData: ['orders*', 'b.down', 'parent', 'a.leaf'] },
  { schemas: ['b'], content: 'schema' },
  { schemas: ['a'], content: 'data', excludeTableData: ['a.*'] },
];

describe.each([13, 15, 17, 18])('the catalog of Postgres %i', async (major) => {
  const tools = await clientTools(major);
  const servers = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  const here = servers === true && 'skipped' in tools ? tools : servers;
  describeIf(here, 'is selected as pg_dump selects it', () => {
    let server: PostgresServer;
    let folder: string;

    beforeAll(async () => {
      server = await startPostgres({ major });
      folder = await mkdtemp(path.join(os.tmpdir(), 'toc-'));
      await server.createDatabase('shop');
      await server.query(SCHEMA, 'shop');
    });

    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function open(part: Partial<Scope>, user = 'postgres', criticalTables: string[] = []): Promise<Snapshot> {
      const client = new pg.Client({ connectionString: server.uri('shop', user) });
      await client.connect();
      return await openSnapshot(client, {
        scope: { ...WHOLE, ...part },
        criticalTables,
        lockTimeoutSeconds: 10,
        signal: new AbortController().signal,
        log: silentLog,
      });
    }

    async function tocOf(snapshot: Snapshot, part: Partial<Scope>, user = 'postgres') {
      if ('skipped' in tools) throw new Error(tools.skipped);
      const file = path.join(folder, 'toc.backup');
      const args = dumpArgs({
        major,
        snapshotId: snapshot.id,
        scope: { ...WHOLE, ...part },
        compression: { method: 'gzip', level: 1 },
        encoding: snapshot.facts.settings.client_encoding,
        lockTimeoutSeconds: 10,
        unloggedData: true,
      });
      await runTool(tools.pgDump, [...args, '-f', file, '-d', server.uri('shop', user)]);
      const lines = (await runTool(tools.pgRestore, ['--list', file])).split('\n');
      const oids = (type: string) =>
        lines
          .flatMap((line) => {
            const match = new RegExp(`^\\d+; \\d+ (\\d+) ${type} `).exec(line);
            return match === null ? [] : [Number(match[1])];
          })
          .sort((x, y) => x - y);
      return {
        data: oids('TABLE DATA'),
        // pg_dump writes no OID with these, and no sequence here has a space in its name.
        sequences: lines.flatMap((line) => / SEQUENCE SET (\S+ \S+) /.exec(line)?.[1] ?? []).sort(),
        defined: oids('(?:TABLE|FOREIGN TABLE)(?! DATA| ATTACH)'),
        views: oids('(?:VIEW|MATERIALIZED VIEW)(?! DATA)'),
        largeObjects: lines.some((line) => /\bBLOBS?\b/.test(line)),
      };
    }

    function expected(facts: CatalogFacts, views: number[]) {
      const oids = (list: { oid: number }[]) => list.map(({ oid }) => oid).sort((x, y) => x - y);
      const defines = facts.tables.filter((table) => !table.ofExtension);
      return {
        data: oids(facts.tables.filter((table) => table.hasData)),
        sequences: facts.sequences.map(({ schema, name }) => `${schema} ${name}`).sort(),
        defined: oids(defines),
        views,
        largeObjects: facts.largeObjectsSelected,
      };
    }

    async function viewOids(facts: CatalogFacts): Promise<number[]> {
      const names = facts.relations.map((relation) => displayName(relation));
      const rows = await server.query<{ oid: number }>(
        'SELECT x::regclass::oid AS oid FROM unnest($1::text[]) x',
        'shop',
        [names],
      );
      return rows.map(({ oid }) => oid).sort((x, y) => x - y);
    }

    test.each(SCOPES)('with %j', async (part) => {
      const snapshot = await open(part);
      try {
        const toc = await tocOf(snapshot, part);
        const ours = expected(snapshot.facts, await viewOids(snapshot.facts));
        expect(part.content === 'data' ? { ...ours, defined: [], views: [] } : ours).toEqual(toc);
        expect(snapshot.facts.largeObjectsSelected).toBe(bringsLargeObjects({ ...WHOLE, ...part }));
      } finally {
        await snapshot.close();
      }
    });

    test('an unqualified pattern means what the search_path of the role shows', async () => {
      const part = { tables: ['orders', 'only_b'] };
      const snapshot = await open(part, 'reader');
      try {
        expect(snapshot.facts.tables.map(displayName)).toEqual(['b.only_b', 'b.orders']);
        expect(expected(snapshot.facts, []).data).toEqual((await tocOf(snapshot, part, 'reader')).data);
      } finally {
        await snapshot.close();
      }
    });

    test('facts hold columns in COPY order, leaves, conditions, sequences and critical tables', async () => {
      const snapshot = await open({}, 'postgres', ['orders', 'parent', 'a.*']);
      const { facts } = snapshot;
      await snapshot.close();
      const table = (name: string) => facts.tables.find((each) => displayName(each) === name);
      expect(table('public.orders')).toMatchObject({ columns: ['id', 'total', 'note'], kind: 'table', critical: true });
      expect(table('public.orders')?.sizeBytes).toBeGreaterThan(0);
      expect(table('public.empty')).toMatchObject({ columns: [], hasData: true, critical: false });
      expect(table('public."Orders"')?.columns).toEqual(['Na me']);
      expect(table('public.parent')).toMatchObject({ kind: 'partitioned-table', hasData: false, critical: true });
      expect(table('public.parent')?.leaves?.map(displayName).sort()).toEqual(['a.leaf', 'b.deep']);
      expect(table('public.far_table')).toMatchObject({ kind: 'foreign-table', hasData: false });
      expect(table('public.unlogged')).toMatchObject({ persistence: 'unlogged', hasData: true });
      expect(table('public.cfg')).toMatchObject({
        ofExtension: true,
        extensionCondition: 'WHERE k > 1',
        hasData: true,
      });
      expect(table('ext.cfg2')).toMatchObject({ ofExtension: true, extensionCondition: '' });
      expect(table('public.member')).toBeUndefined();
      expect(facts.tables.filter((each) => each.critical).map(displayName)).toEqual([
        'a.leaf',
        'a."od$d"'.replaceAll('"', ''),
        'a.orders',
        'a."x.y"',
        'public.orders',
        'public.parent',
      ]);
      const sequence = facts.sequences.find((each) => displayName(each) === 'b.down');
      expect(sequence).toMatchObject({ increment: '-5', cycles: true, before: { lastValue: '-5', isCalled: true } });
      const identity = facts.sequences.find((each) => displayName(each) === 'a.orders_id_seq');
      expect(identity).toMatchObject({ before: { lastValue: '1', isCalled: false } });
      expect(facts.relations).toEqual([
        { schema: 'a', name: 'mv', kind: 'materialized-view' },
        { schema: 'public', name: 'v', kind: 'view' },
      ]);
      expect(facts.extensions.map(({ name, schema }) => `${schema}.${name}`)).toEqual([
        'ext.hstore',
        'pg_catalog.plpgsql',
        'public.postgres_fdw',
      ]);
      expect(facts.roles).toEqual(['postgres', 'reader']);
      expect(facts.largeObjects).toBe(1);
      expect(facts.server).toMatchObject({ major, isStandby: false });
      expect(facts.database).toMatchObject({ name: 'shop', encoding: 'UTF8', collate: 'C', localeProvider: 'libc' });
      expect(Math.abs(Date.parse(facts.snapshotAt) - Date.now())).toBeLessThan(60_000);
    });
  });
});
