import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DropInput, DropPlan } from '../../src/domain/drop-plan.ts';
import { parseToc, type TocEntry } from '../../src/domain/toc.ts';
import { readDropPlan } from '../../src/restore/drop-plan.ts';
import { describeIf } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';
import { silentLog } from '../support/silent-log.ts';
import { target } from '../support/target-bench.ts';

describe.each([14, 17])('what a restore in place removes first, on Postgres %i', async (major) => {
  const found = await clientTools(major);
  const clients = found as Clients;
  const here =
    'skipped' in found ? found : availableMajors().includes(major) || { skipped: `no server of major ${major}` };

  describeIf(here, 'is what the archive brings back', () => {
    let server: PostgresServer;
    let folder: string;

    beforeAll(async () => {
      server = await startPostgres({ major });
      folder = await mkdtemp(path.join(os.tmpdir(), 'drop-plan-'));
      await server.query('CREATE ROLE host LOGIN; CREATE ROLE host_admin SUPERUSER');
    });

    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const dump = async (database: string, user = 'postgres', options: readonly string[] = []): Promise<string> => {
      const file = path.join(folder, `${database}.backup`);
      await runTool(clients.pgDump, ['-Fc', '-Z0', ...options, '-f', file, server.uri(database, user)]);
      return file;
    };
    const list = async (file: string): Promise<TocEntry[]> => [
      ...parseToc(await runTool(clients.pgRestore, ['--list', '--verbose', file])).entries,
    ];
    const plan = async (
      database: string,
      user: string,
      input: Partial<DropInput> & Pick<DropInput, 'restored'>,
    ): Promise<DropPlan> => {
      const { access, facts } = await target(server.uri(database, user), silentLog);
      return await readDropPlan(access, facts, {
        onlyTables: false,
        createsPublic: false,
        managedSchemas: [],
        ...input,
      });
    };
    const errors = ({ findings }: DropPlan): string[] =>
      findings.filter(({ severity }) => severity === 'error').map(({ code, seen }) => `${code}: ${seen}`);

    /** As `runRestoreInOneTransaction` does it, with the entries that are to be restored. */
    const restore = async (
      database: string,
      user: string,
      file: string,
      entries: readonly TocEntry[],
      { before, keptSchemas }: DropPlan,
    ): Promise<void> => {
      const used = path.join(folder, 'used.list');
      const kept = entries.filter(({ type, name }) => !(type === 'SCHEMA' && keptSchemas.includes(name)));
      await writeFile(used, `${kept.map(({ line }) => line).join('\n')}\n`);
      const script = await runTool(clients.pgRestore, ['-f', '-', '--use-list', used, file]);
      const sql = path.join(folder, 'restore.sql');
      await writeFile(sql, ['BEGIN;', ...before.map((statement) => `${statement};`), script, 'COMMIT;'].join('\n'));
      await runTool(clients.psql, ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', sql, server.uri(database, user)]);
    };
    const inventory = (entries: readonly TocEntry[]): string[] =>
      entries.map(({ type, schema, name, owner }) => `${type} ${schema} ${name} ${owner}`).sort();

    test.each(['shapes', 'awkward'] as const)(
      'every shape of %s goes and comes back, and what is younger stays',
      async (fixture) => {
        await loadDatabase(server, fixture, fixture);
        const file = await dump(fixture);
        const entries = await list(file);
        const changes =
          fixture === 'shapes'
            ? 'DELETE FROM shapes.product; DROP TABLE shapes.city CASCADE; SELECT lo_create(77); CREATE TABLE shapes.younger (i int)'
            : 'DROP TABLE public.stdin; CREATE TABLE public.younger (i int)';
        await server.query(`CREATE SCHEMA later; CREATE TABLE later.kept AS SELECT 1 AS i; ${changes}`, fixture);
        const drops = await plan(fixture, 'postgres', { restored: entries });
        expect(errors(drops)).toEqual([]);
        expect(drops.steps.length).toBeGreaterThan(0);
        await restore(fixture, 'postgres', file, entries, drops);
        const again = await list(await dump(fixture, 'postgres', ['--exclude-schema=later']));
        expect(inventory(again)).toEqual(inventory(entries));
        expect(await server.query('SELECT i FROM later.kept', fixture)).toEqual([{ i: 1 }]);
        if (fixture === 'shapes')
          expect(await server.query('SELECT count(*)::int FROM shapes.product', fixture)).toEqual([{ count: 90 }]);
      },
    );

    test('not what depends on it from outside: that is named, and nothing is done', async () => {
      await server.createDatabase('web');
      await server.query(
        `CREATE SCHEMA a; CREATE SCHEMA b; CREATE TYPE a.mood AS ENUM ('x'); CREATE TABLE a.t (id int PRIMARY KEY, m a.mood);
         CREATE FUNCTION a.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION a.tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TABLE a.inside (id int REFERENCES a.t, g int DEFAULT a.f()); CREATE VIEW a.inside_view AS SELECT * FROM a.t;`,
        'web',
      );
      const entries = await list(await dump('web', 'postgres', ['--schema=a']));
      expect(errors(await plan('web', 'postgres', { restored: entries }))).toEqual([]);
      await server.query(
        `CREATE VIEW b.v AS SELECT id FROM a.t; CREATE MATERIALIZED VIEW b.mv AS SELECT * FROM b.v;
         CREATE TABLE b.child (id int REFERENCES a.t, m a.mood, d int DEFAULT a.f());
         CREATE TRIGGER tg AFTER INSERT ON b.child FOR EACH ROW EXECUTE FUNCTION a.tr();
         CREATE TABLE b.part () INHERITS (a.t); CREATE PUBLICATION p FOR TABLE a.t;
         CREATE TABLE b.free (id int);`,
        'web',
      );
      const drops = await plan('web', 'postgres', { restored: entries });
      expect(errors(drops)).toEqual([expect.stringContaining('dependents-outside: ')]);
      const [words = ''] = errors(drops);
      for (const name of [
        'view b.v',
        'materialized view b.mv',
        'child_id_fkey on b.child',
        'table column b.child.m',
        'default value for b.child.d',
        'trigger tg on b.child',
        'table b.part',
      ]) {
        expect(words).toContain(name);
      }
      expect(words).not.toMatch(/a\.inside|b\.free|b\.child\.id|pg_toast|_RETURN/);
      expect(drops.findings.find(({ code }) => code === 'publication-loses-tables')?.seen).toContain(
        'a.t in publication p',
      );
    });

    test('table by table when only tables are asked for', async () => {
      await server.createDatabase('some');
      await server.query(
        `CREATE TABLE one (id serial PRIMARY KEY); CREATE TABLE two (id int); CREATE VIEW three AS SELECT * FROM two; INSERT INTO one DEFAULT VALUES`,
        'some',
      );
      const file = await dump('some', 'postgres', ['-t', 'one']);
      const entries = await list(file);
      await server.query('INSERT INTO one DEFAULT VALUES', 'some');
      const drops = await plan('some', 'postgres', { restored: entries, onlyTables: true });
      expect(errors(drops)).toEqual([]);
      expect(drops.before.filter((sql) => sql.startsWith('DROP'))).toEqual([
        'DROP SEQUENCE IF EXISTS public.one_id_seq CASCADE',
        'DROP TABLE IF EXISTS public.one CASCADE',
      ]);
      await restore('some', 'postgres', file, entries, drops);
      expect(
        await server.query(
          'SELECT (SELECT count(*)::int FROM one) AS one, (SELECT count(*)::int FROM three) AS three',
          'some',
        ),
      ).toEqual([{ one: 1, three: 0 }]);
      const rows = entries.filter(({ type }) => type === 'TABLE DATA');
      expect((await plan('some', 'postgres', { restored: rows })).before).toContain('TRUNCATE ONLY "public"."one"');
    });

    test('as the owner of a database on a host: what it may not make again stays', async () => {
      await server.createDatabase('hosted', 'OWNER host');
      await server.query(
        `CREATE EXTENSION postgres_fdw; CREATE SCHEMA vault AUTHORIZATION host_admin; CREATE TABLE vault.secrets (i int);
         ALTER TABLE vault.secrets OWNER TO host_admin; GRANT ALL ON SCHEMA public TO host;`,
        'hosted',
      );
      const sql =
        'CREATE EXTENSION hstore; CREATE TABLE mine (id serial PRIMARY KEY, h hstore); INSERT INTO mine (h) VALUES (NULL); CREATE SCHEMA app; CREATE TABLE app.t (i int); SELECT lo_create(5)';
      await runTool(clients.psql, ['-Xqc', sql, server.uri('hosted', 'host')]);
      const file = await dump('hosted', 'host', ['--exclude-schema=vault']);
      // What the role can bring back, as the plan of entries has it.
      const entries = (await list(file)).filter(({ owner, type }) => owner === 'host' || type === 'EXTENSION');
      await runTool(clients.psql, [
        '-Xqc',
        'DROP TABLE app.t; INSERT INTO mine (h) VALUES (NULL)',
        server.uri('hosted', 'host'),
      ]);
      const drops = await plan('hosted', 'host', { restored: entries, managedSchemas: ['vault'] });
      expect(errors(drops)).toEqual([]);
      expect(drops.keptExtensions).toEqual(['postgres_fdw']);
      expect(drops.keptSchemas).toEqual(['public']);
      const script = drops.before.join('\n');
      expect(script).toContain('DROP SCHEMA app CASCADE');
      expect(script).not.toMatch(/vault|DROP SCHEMA.*public/);
      await restore('hosted', 'host', file, entries, drops);
      expect(
        await server.query(
          'SELECT (SELECT count(*)::int FROM mine) AS mine, (SELECT count(*)::int FROM app.t) AS app, (SELECT count(*)::int FROM pg_largeobject_metadata) AS lobs',
          'hosted',
        ),
      ).toEqual([{ mine: 1, app: 0, lobs: 1 }]);
    });

    test('not what belongs to others, and never a schema of the provider', async () => {
      await server.createDatabase('others', 'OWNER host');
      await server.query('CREATE TABLE theirs (i int); CREATE SCHEMA auth; CREATE TABLE auth.users (i int)', 'others');
      const entries = await list(await dump('others'));
      const drops = await plan('others', 'host', { restored: entries, managedSchemas: ['auth'] });
      const seen = errors(drops).join('\n');
      expect(seen).toContain('managed-schema: ');
      if (major < 15) expect(seen).toContain('table public.theirs');
      expect(drops.before.join('\n')).not.toContain('auth');
    });
  });
});
