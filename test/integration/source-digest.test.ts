import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import createXxhash from 'xxhash-wasm';
import type { CopySettings, TableFacts } from '../../src/domain/facts.ts';
import { displayName, relationKey } from '../../src/domain/relations.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { openSnapshot, type Snapshot } from '../../src/postgres/snapshot.ts';
import { digestSource } from '../../src/postgres/source-digest.ts';
import { describeIf } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { silentLog } from '../support/silent-log.ts';

const TABLES = `
  CREATE TABLE public.wide (id int, note text, raw bytea, at timestamptz, span interval, price money, ratio float8, rel regclass);
  INSERT INTO public.wide SELECT g, repeat(chr(65 + g % 26), g % 300) || E'\\ttab\\\\\\n', decode(md5(g::text), 'hex'), now(),
    make_interval(days => g, secs => g / 7.0), g * 1.5, g / 3.0, 'public.wide' FROM generate_series(1, 20000) g;
  DELETE FROM public.wide WHERE id % 3 = 0; UPDATE public.wide SET note = note || 'x' WHERE id % 5 = 0;
  CREATE TABLE public.huge (t text); ALTER TABLE public.huge ALTER t SET STORAGE EXTERNAL;
  INSERT INTO public.huge VALUES (repeat('0123456789', 700000)), (NULL), ('');
  CREATE TABLE public.nothing (); INSERT INTO public.nothing DEFAULT VALUES; INSERT INTO public.nothing DEFAULT VALUES;
  CREATE TABLE public.empty (i int);
  CREATE SCHEMA "sch ema"; CREATE TABLE "sch ema"."ta""b.le; \\. x" ("co,l ""umn" int, "ü" text, g int GENERATED ALWAYS AS (1) STORED);
  INSERT INTO "sch ema"."ta""b.le; \\. x" VALUES (1, 'ä€ß'), (2, '\\.'), (3, E'a\\nb');
  CREATE TABLE public.parent (i int); CREATE TABLE public.child (j int) INHERITS (public.parent);
  INSERT INTO public.parent VALUES (1); INSERT INTO public.child VALUES (2, 3);
  CREATE EXTENSION hstore; CREATE TABLE public.cfg (k int, v text); CREATE TABLE public.cfg_child () INHERITS (public.cfg);
  ALTER EXTENSION hstore ADD TABLE public.cfg;
  UPDATE pg_extension SET extconfig = ARRAY['public.cfg'::regclass::oid], extcondition = ARRAY['WHERE k > 1'] WHERE extname = 'hstore';
  INSERT INTO public.cfg VALUES (1, 'built in'), (2, 'mine'); INSERT INTO public.cfg_child VALUES (3, 'child');`;

describe.each([13, 15, 18])('the second reading of a Postgres %i', async (major) => {
  const tools = await clientTools(major);
  const servers = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  const here = servers === true && 'skipped' in tools ? tools : servers;

  describeIf(here, 'in an exported snapshot', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await startPostgres({ major });
      await server.createDatabase('shop');
      await server.query(TABLES, 'shop');
      await server.query(
        `ALTER DATABASE shop SET IntervalStyle = 'sql_standard'; ALTER DATABASE shop SET bytea_output = 'escape';
         ALTER DATABASE shop SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE shop SET DateStyle = 'German'`,
      );
    });

    afterAll(() => server.stop());

    async function connect(database = 'shop', user = 'postgres'): Promise<pg.Client> {
      const client = new pg.Client({ connectionString: server.uri(database, user), application_name: 'second' });
      await client.connect();
      return client;
    }

    async function withSnapshot<T>(database: string, body: (snapshot: Snapshot) => Promise<T>): Promise<T> {
      const snapshot = await openSnapshot(await connect(database), {
        scope: WHOLE,
        criticalTables: [],
        lockTimeoutSeconds: 10,
        signal: new AbortController().signal,
        log: silentLog,
      });
      try {
        return await body(snapshot);
      } finally {
        await snapshot.close();
      }
    }

    interface Reading {
      tables?: TableFacts[];
      settings?: CopySettings;
      signal?: AbortSignal;
      lockTimeoutSeconds?: number;
    }

    async function digest(database: string, snapshot: Snapshot, part: Reading = {}) {
      const client = await connect(database);
      try {
        return await digestSource(
          client,
          snapshot.id,
          part.tables ?? snapshot.facts.tables,
          part.settings ?? snapshot.facts.settings,
          part.signal ?? new AbortController().signal,
          part.lockTimeoutSeconds ?? 10,
        );
      } finally {
        await client.end();
      }
    }

    /** Rows of one table as pg_dump writes them, digested by another implementation. */
    async function dumpedDigest(database: string, snapshot: Snapshot, table: TableFacts, options: string[] = []) {
      if ('skipped' in tools) throw new Error(tools.skipped);
      // The pattern reaches the server in the encoding of the dump, so it stays ASCII.
      const pattern = /^\p{ASCII}*$/u.test(table.name) ? displayName(table) : 'public.*';
      const args = [`--snapshot=${snapshot.id}`, `--table=${pattern}`, '--data-only', ...options];
      const sql = execFileSync(tools.pgDump, [...args, '-d', server.uri(database)], { maxBuffer: 1e9 });
      const from = sql.indexOf(' FROM stdin;\n') + ' FROM stdin;\n'.length;
      const { h64Raw } = await createXxhash();
      const sums = [0n, 0n];
      let rows = 0;
      for (let at = from; !sql.subarray(at, at + 3).equals(Buffer.from('\\.\n')); rows += 1) {
        const end = sql.indexOf(0x0a, at);
        const row = sql.subarray(at, end);
        sums[0] = BigInt.asUintN(64, (sums[0] as bigint) + h64Raw(row, 0n));
        sums[1] = BigInt.asUintN(64, (sums[1] as bigint) + h64Raw(row, 0x9e3779b185ebca87n));
        at = end + 1;
      }
      return { rows, digest: sums.map((sum) => sum.toString(16).padStart(16, '0')).join('') };
    }

    test('gives every table the digest of what pg_dump writes, whatever the database sets', async () => {
      await withSnapshot('shop', async (snapshot) => {
        await server.query("INSERT INTO public.parent VALUES (99); UPDATE public.huge SET t = 'late'", 'shop');
        const digests = await digest('shop', snapshot);
        const read = snapshot.facts.tables.filter((table) => table.hasData);
        expect([...digests.keys()].sort()).toEqual(read.map(relationKey).sort());
        expect(digests.size).toBe(9);
        for (const table of read) {
          expect({ [displayName(table)]: digests.get(relationKey(table)) }).toEqual({
            [displayName(table)]: await dumpedDigest('shop', snapshot, table),
          });
        }
        const rows = (name: string) => [...digests].find(([key]) => key.endsWith(`\0${name}`))?.[1].rows;
        expect(rows('parent')).toBe(1);
        expect(rows('cfg')).toBe(2);
        expect(rows('nothing')).toBe(2);
      });
    });

    test('notices one changed byte and one missing row', async () => {
      const before = await withSnapshot('shop', (snapshot) => digest('shop', snapshot));
      await server.query("UPDATE public.wide SET note = 'y' || substr(note, 2) WHERE id = 7777", 'shop');
      await server.query('DELETE FROM public.child', 'shop');
      const after = await withSnapshot('shop', (snapshot) => digest('shop', snapshot));
      const changed = [...before.keys()].filter((key) => before.get(key)?.digest !== after.get(key)?.digest);
      expect(changed.sort()).toEqual(['public\0child', 'public\0wide']);
    });

    test('reads a database of another encoding byte for byte, under a role that sets yet another', async () => {
      await server.createDatabase('latin', "ENCODING 'LATIN1' TEMPLATE template0");
      await server.query(
        `CREATE TABLE "größe" ("ä" text); INSERT INTO "größe" VALUES ('Übermaß'), ('plain'); ALTER DATABASE latin SET client_encoding = 'UTF8'`,
        'latin',
      );
      await withSnapshot('latin', async (snapshot) => {
        const [table] = snapshot.facts.tables as [TableFacts];
        expect(table).toMatchObject({ name: 'größe', columns: ['ä'] });
        expect(snapshot.facts.settings.client_encoding).toBe('LATIN1');
        const digests = await digest('latin', snapshot);
        expect(digests.get(relationKey(table))).toEqual(
          await dumpedDigest('latin', snapshot, table, ['--encoding=LATIN1']),
        );
        expect(digests.get(relationKey(table))).not.toEqual(
          await dumpedDigest('latin', snapshot, table, ['--encoding=UTF8']),
        );
      });
    });

    test('an ALTER that waits behind the snapshot stops it with words, not for ever', async () => {
      await withSnapshot('shop', async (snapshot) => {
        const other = await server.connect('shop');
        const altering = other.query('ALTER TABLE public.wide ADD late int').catch(() => undefined);
        await sleep(200);
        await expect(digest('shop', snapshot, { lockTimeoutSeconds: 0.3 })).rejects.toMatchObject({
          code: 'ERR_LOCK_TIMEOUT',
          message: expect.stringContaining('public.wide'),
        });
        await server.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%'");
        await altering;
        await other.end();
      });
    });

    test('a snapshot that is gone, a killed session, a refusal and an abort each say what they are', async () => {
      const gone = await withSnapshot('shop', async (snapshot) => snapshot);
      await expect(digest('shop', gone)).rejects.toMatchObject({ code: 'ERR_SNAPSHOT_LOST' });

      await withSnapshot('shop', async (snapshot) => {
        const missing = { ...(snapshot.facts.tables[0] as TableFacts), columns: ['no such column'], hasData: true };
        await expect(digest('shop', snapshot, { tables: [missing] })).rejects.toMatchObject({
          code: 'ERR_NOT_PROVEN',
          message: expect.stringContaining('no such column'),
        });

        // Slow enough to be struck in the middle of a table.
        const slow = snapshot.facts.tables.find(({ name }) => name === 'wide') as TableFacts;
        const many = Array.from({ length: 400 }, () => slow);
        const controller = new AbortController();
        const aborted = digest('shop', snapshot, { tables: many, signal: controller.signal });
        setTimeout(() => controller.abort(new Error('cancelled by the user')), 300);
        await expect(aborted).rejects.toThrow('cancelled by the user');

        const killed = digest('shop', snapshot, { tables: many });
        setTimeout(
          () => void server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"),
          300,
        );
        await expect(killed).rejects.toMatchObject({ code: 'ERR_SNAPSHOT_LOST' });
      });
    });
  });
});
