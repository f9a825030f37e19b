import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assessPreflight, type PreflightFacts } from '../../src/domain/preflight.ts';
import { displayName } from '../../src/domain/relations.ts';
import { type Scope, WHOLE } from '../../src/domain/scope.ts';
import { probePooler, readPreflight } from '../../src/postgres/preflight.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import {
  type PgBouncerOptions,
  type PgBouncerProgram,
  pgBouncerProgram,
  startPgBouncer,
} from '../support/pgbouncer.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';

const bouncer = await pgBouncerProgram();

describe.each([13, 15, 18])('the preflight of a Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };

  describeIf(here, 'reads', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await startPostgres({ major, settings: { wal_level: 'logical' } });
      await server.createDatabase('shop');
      await server.query(
        `CREATE ROLE dumper LOGIN; CREATE ROLE other; CREATE SCHEMA hidden; CREATE SCHEMA "Shop";
         CREATE TABLE orders (id serial); CREATE TABLE secured (i int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
         CREATE TABLE "User" (i int); CREATE TABLE hidden.inside (i int); CREATE UNLOGGED TABLE cache (i int);
         CREATE TABLE parent (i int) PARTITION BY RANGE (i); ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
         CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
         CREATE FOREIGN TABLE far_table (i int) SERVER far;
         SELECT lo_create(11); SELECT lo_create(12); SELECT lo_create(13); SELECT lo_create(14);
         ALTER LARGE OBJECT 12 OWNER TO other; GRANT SELECT ON LARGE OBJECT 13 TO dumper; GRANT SELECT ON LARGE OBJECT 14 TO PUBLIC;`,
        'shop',
      );
    });

    afterAll(() => server.stop());

    async function read(
      part: Partial<Scope> = {},
      user = 'postgres',
      criticalTables: string[] = [],
    ): Promise<PreflightFacts> {
      const client = new pg.Client({ connectionString: server.uri('shop', user) });
      await client.connect();
      try {
        return await readPreflight(client, { scope: { ...WHOLE, ...part }, criticalTables });
      } finally {
        await client.end();
      }
    }

    const judge = (facts: PreflightFacts) =>
      assessPreflight(facts, {
        scope: WHOLE,
        address: { host: '127.0.0.1', port: server.port, user: 'postgres', database: 'shop' },
        allowEmpty: false,
        allowEphemeral: false,
        hosted: true,
        destinations: [{ kind: 's3', location: 's3://bucket' }],
      });

    test('a superuser meets no error', async () => {
      const facts = await read();
      expect(facts).toMatchObject({
        server: { major, isStandby: false },
        database: 'shop',
        systemIdentifier: expect.stringMatching(/^\d{15,20}$/),
        tablesInDatabase: 7,
        selectedTables: 7,
        misses: [],
        system: [],
        rights: {
          role: 'postgres',
          rowSecured: [],
          schemas: [],
          tables: [],
          sequences: [],
          largeObjects: { total: 4, unreadable: 0 },
        },
      });
      expect(facts.unlogged.map(displayName)).toEqual(['public.cache']);
      expect(facts.foreign.map(displayName)).toEqual(['public.far_table']);
      expect(judge(facts).map(({ code, severity }) => `${severity} ${code}`)).toEqual([
        'notice unlogged-tables',
        'notice foreign-tables',
      ]);
    });

    test('a role without rights: what it may not read, exactly as pg_dump would find it', async () => {
      const { rights, systemIdentifier } = await read({}, 'dumper');
      expect(systemIdentifier).toBeDefined();
      expect(rights.schemas).toEqual(['hidden']);
      expect(rights.tables.map(displayName)).toEqual(
        ['hidden.inside', 'public.cache', 'public.orders', 'public.parent', 'public.secured', 'public."User"'].sort(
          (a, b) => (a.replaceAll('"', '') < b.replaceAll('"', '') ? -1 : 1),
        ),
      );
      expect(rights.sequences.map(displayName)).toEqual(['public.orders_id_seq']);
      expect(rights.largeObjects).toEqual({ total: 4, unreadable: 2, sample: [11, 12] });
    });

    test('reading rights leave row-level security and large objects', async () => {
      await server.query(
        major >= 14
          ? 'GRANT pg_read_all_data TO dumper'
          : `GRANT USAGE ON SCHEMA hidden TO dumper; GRANT SELECT ON ALL TABLES IN SCHEMA public, hidden TO dumper;
             GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO dumper`,
        'shop',
      );
      const { rights } = await read({}, 'dumper');
      expect(rights).toMatchObject({ schemas: [], tables: [], sequences: [], largeObjects: { unreadable: 2 } });
      expect(rights.rowSecured.map(displayName)).toEqual(['public.secured']);
      expect((await read({ content: 'schema' }, 'dumper')).rights).toMatchObject({
        rowSecured: [],
        largeObjects: { unreadable: 0 },
      });
      expect((await read({ schemas: ['public'] }, 'dumper')).rights.largeObjects).toMatchObject({
        total: 4,
        unreadable: 0,
      });
      await server.query(
        'ALTER ROLE dumper BYPASSRLS; GRANT other TO dumper; GRANT SELECT ON LARGE OBJECT 11 TO other',
        'shop',
      );
      expect((await read({}, 'dumper')).rights).toMatchObject({ rowSecured: [], largeObjects: { unreadable: 0 } });
    });

    test('patterns that match nothing, with what was meant', async () => {
      const { misses } = await read(
        { tables: ['user', 'orders'], excludeTables: ['INSIDE', 'tmp_*'], schemas: ['shop'] },
        'postgres',
        ['orders', 'secured', 'absent', 'best_sellers'],
      );
      expect(misses).toEqual([
        { input: 'schemas', pattern: 'shop', literal: true, near: [{ schema: 'Shop', name: '' }], outOfScope: false },
        {
          input: 'tables',
          pattern: 'user',
          literal: true,
          near: [{ schema: 'public', name: 'User' }],
          outOfScope: false,
        },
        {
          input: 'exclude-tables',
          pattern: 'INSIDE',
          literal: true,
          near: [{ schema: 'hidden', name: 'inside' }],
          outOfScope: false,
        },
        { input: 'exclude-tables', pattern: 'tmp_*', literal: false, near: [], outOfScope: false },
        { input: 'critical-tables', pattern: 'secured', literal: true, near: [], outOfScope: true },
        { input: 'critical-tables', pattern: 'absent', literal: true, near: [], outOfScope: false },
        // A materialized view.
        { input: 'critical-tables', pattern: 'best_sellers', literal: true, near: [], outOfScope: false },
      ]);
    });

    test('a pattern that takes the system along, one of another database, one that is no regular expression', async () => {
      const { system } = await read({ tables: ['*'] });
      expect(system[0]?.tables.length).toBeGreaterThan(50);
      expect((await read({ tables: ['public.*'] })).system).toEqual([]);
      await expect(read({ tables: ['elsewhere.public.orders'] })).rejects.toMatchObject({ code: 'ERR_PATTERN' });
      expect((await read({ tables: ['shop.public.orders'] })).selectedTables).toBe(1);
      await expect(read({ tables: ['orders('] })).rejects.toMatchObject({
        code: 'ERR_PATTERN',
        message: expect.stringContaining('parentheses'),
      });
    });

    test('the signs of a provider, and what a restore does not bring back by itself', async () => {
      expect(await read()).toMatchObject({
        extensions: ['plpgsql', 'postgres_fdw'],
        signs: { settings: [], roles: [], schemas: [], functions: [] },
        surroundings: { databaseSettings: 0, subscriptions: 0, logicalSlots: 0, bareUserMappings: 0 },
      });
      await server.query(
        `CREATE ROLE rdsadmin; CREATE SCHEMA _heroku; ALTER DATABASE shop SET "rds.extensions" = 'x';
         ALTER ROLE other IN DATABASE shop SET work_mem = '8MB'; ALTER ROLE other SET work_mem = '4MB';
         CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'u', password 'sesame');
         CREATE SUBSCRIPTION copy CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE)`,
        'shop',
      );
      await server.query("SELECT pg_create_logical_replication_slot('reader', 'pgoutput')", 'shop');
      try {
        expect(await read()).toMatchObject({
          signs: { settings: ['rds.extensions'], roles: ['rdsadmin'], schemas: ['_heroku'], functions: [] },
          surroundings: { databaseSettings: 2, subscriptions: 1, logicalSlots: 1, bareUserMappings: 0 },
        });
        // To others pg_dump gives neither passwords nor subscriptions.
        expect((await read({}, 'dumper')).surroundings).toMatchObject({ subscriptions: 0, bareUserMappings: 1 });
      } finally {
        await server.query(
          `SELECT pg_drop_replication_slot('reader'); DROP SUBSCRIPTION copy; DROP USER MAPPING FOR PUBLIC SERVER far; DROP ROLE rdsadmin; DROP SCHEMA _heroku;
           ALTER DATABASE shop RESET ALL; ALTER ROLE other IN DATABASE shop RESET ALL; ALTER ROLE other RESET ALL`,
          'shop',
        );
      }
    });

    test('it leaves the session as it was, and takes no lock', async () => {
      const client = new pg.Client({ connectionString: server.uri('shop') });
      await client.connect();
      const before = (await client.query('SHOW search_path')).rows;
      await readPreflight(client, { scope: { ...WHOLE, tables: ['orders'] }, criticalTables: [] });
      expect((await client.query('SHOW search_path')).rows).toEqual(before);
      expect((await client.query("SELECT FROM pg_locks WHERE relation = 'orders'::regclass")).rowCount).toBe(0);
      await client.end();
    });

    test('two direct sessions are direct', async () => {
      const [first, second] = [await server.connect(), await server.connect()];
      expect(await probePooler(first, second)).toMatchObject({ kind: 'direct' });
      await first.end();
      await second.end();
    });

    test.each(['zero_damaged_pages', 'ignore_checksum_failure'])(
      '%s of the database, under which damaged rows are left out without an error, is refused',
      async (setting) => {
        await server.query(`ALTER DATABASE shop SET ${setting} = on`);
        try {
          const facts = await read();
          expect(facts.hiding).toEqual([setting]);
          const findings = judge(facts).filter(({ severity }) => severity === 'error');
          expect(findings).toHaveLength(1);
          expect(findings[0]?.seen).toContain(setting);
        } finally {
          await server.query(`ALTER DATABASE shop RESET ${setting}`);
        }
        expect((await read()).hiding).toEqual([]);
      },
    );

    describeWith(bouncer, 'through PgBouncer', (program) => {
      test.each([
        ['transaction', 0, 'transaction'],
        ['transaction', 4, 'transaction'],
        ['statement', 0, 'transaction'],
        ['session', 2, 'session'],
      ] as const)('in %s mode beside %i busy sessions is seen as %s', async (mode, others, kind) => {
        expect(await probeThroughBouncer(program, server, mode, others)).toBe(kind);
      });
    });
  });
});

async function probeThroughBouncer(
  program: PgBouncerProgram,
  server: PostgresServer,
  mode: PgBouncerOptions['mode'],
  others: number,
): Promise<string> {
  const pooler = await startPgBouncer(program, { server: server.port, mode });
  let running = true;
  try {
    const connect = () => connectTo(pooler.port);
    const busy = Promise.all(
      Array.from({ length: others }, async () => {
        const client = await connect();
        while (running) await client.query('SELECT pg_sleep(0.002)');
        await client.end();
      }),
    );
    const [first, second] = [await connect(), await connect()];
    const evidence = await probePooler(first, second);
    running = false;
    await busy;
    await Promise.allSettled([first.end(), second.end()]);
    return evidence.kind;
  } finally {
    running = false;
    await pooler.stop();
  }
}

async function connectTo(port: number): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'shop' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
