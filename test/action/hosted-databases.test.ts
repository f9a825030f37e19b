/** Databases as providers hand them out: their roles and schemas, rights that nobody gets, advice that is given once. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { annotation, expectFailed, expectProven, readable } from '../support/expect-run.ts';

/** As a project of Supabase has them, with the names that dumps of it hold. */
const SUPABASE = `
  CREATE ROLE supabase_admin SUPERUSER; CREATE ROLE supabase_auth_admin; CREATE ROLE supabase_storage_admin;
  CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS;
  CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;
  CREATE TABLE auth.users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text);
  ALTER TABLE auth.users OWNER TO supabase_auth_admin;
  INSERT INTO auth.users (email) SELECT g || '@example.org' FROM generate_series(1, 20) g;
  CREATE SCHEMA storage AUTHORIZATION supabase_storage_admin;
  CREATE TABLE storage.objects (name text);
  INSERT INTO storage.objects VALUES ('avatar.png');
  CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid';
  CREATE TABLE profiles (id uuid REFERENCES auth.users);
  ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON profiles TO authenticated USING (id = auth.uid());
  INSERT INTO profiles SELECT id FROM auth.users;
  GRANT SELECT ON profiles TO anon, authenticated;
  CREATE PUBLICATION supabase_realtime;
  ALTER DATABASE shop SET "app.settings.jwt_secret" = 'n0t-to-be-printed';
  ALTER ROLE backup BYPASSRLS;`;

/** As an instance of RDS has them. */
const RDS = `
  CREATE ROLE rdsadmin SUPERUSER LOGIN PASSWORD 'of-the-service';
  CREATE ROLE rds_superuser; CREATE ROLE rds_password; CREATE ROLE "Order Taker" LOGIN PASSWORD 'of-the-shop';
  CREATE DATABASE rdsadmin OWNER rdsadmin; REVOKE CONNECT ON DATABASE rdsadmin FROM PUBLIC;
  GRANT rds_superuser, "Order Taker" TO backup;`;

const READS_BY_SEARCH_PATH = `
  CREATE SCHEMA tools; CREATE TABLE tools.rates (country char(2), rate numeric); INSERT INTO tools.rates VALUES ('DE', 0.19);
  CREATE FUNCTION tools.rate_of(char) RETURNS numeric LANGUAGE plpgsql STABLE SET search_path = tools
    AS 'BEGIN RETURN (SELECT rate FROM rates WHERE country = $1); END';
  CREATE MATERIALIZED VIEW taxed AS SELECT id, tools.rate_of('DE') AS rate FROM orders;
  CREATE MATERIALIZED VIEW never_filled AS SELECT * FROM taxed WITH NO DATA;`;

describeWith(await clientTools(17), 'A hosted database', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: SUPABASE, server: { settings: { 'rds.extensions': "'postgis'" } } });
    // Statement by statement: a database cannot be made in a transaction.
    for (const statement of RDS.split(';').filter((each) => each.trim() !== '')) await scenario.query(statement);
    await scenario.query(READS_BY_SEARCH_PATH);
    before = scenario.state();
  });

  afterAll(() => scenario?.stop());

  async function backUp(series: string, url = scenario.url()): Promise<ScenarioRun> {
    const run = await scenario.run({ url, inputs: { name: series } });
    await expectProven(scenario, run, before);
    before = scenario.state();
    return run;
  }

  /** The server under the name of a provider's host, without asking any resolver. */
  const named = (host: string) => `${scenario.url().replace('@127.0.0.1:', `@${host}:`)}?hostaddr=127.0.0.1`;

  test('of Supabase is backed up with the schemas that the platform manages, and the advice is given once', async () => {
    const url = named('db.abcdefghijklmnopqrst.supabase.co');
    const run = await backUp('supabase', url);
    const tables = scenario.contents(run).tables.map(({ schema, name }) => `${schema}.${name}`);
    expect(tables).toEqual(expect.arrayContaining(['auth.users', 'storage.objects', 'public.profiles']));
    expect(run.maskedLog).toMatch(/Postgres 17\S* .*on Supabase \(recognised by its host name\) at db\.abcdef/);
    expect(readable(run.summary)).toMatch(/Postgres 17.* on Supabase/);
    expect(annotation(run, 'notice', 'provider-advice')?.message).toMatch(/auth, storage.*files of Storage/s);
    expect(annotation(run, 'notice', 'provider-roles')?.message).toContain('--no-owner');
    expect(annotation(run, 'notice', 'restored-by-hand')?.message).toContain('1 setting of the database');
    expect(run.stdout + run.summary).not.toContain('n0t-to-be-printed');
    expect(run.annotations.filter(({ kind }) => kind !== 'notice')).toEqual([]);

    const next = await backUp('supabase', url);
    expect(next.maskedLog).toContain('on Supabase');
    expect(next.annotations).toEqual([]);
  });

  test('of RDS is backed up without the right to pg_authid: roles come without passwords', async () => {
    // Measured: pg_read_all_data reads pg_authid as well, so it is taken away here.
    const schemas = 'public, auth, storage, tools';
    await scenario.query(
      `REVOKE pg_read_all_data FROM backup; GRANT USAGE ON SCHEMA ${schemas} TO backup;
       GRANT SELECT ON ALL TABLES IN SCHEMA ${schemas} TO backup; GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schemas} TO backup`,
    );
    try {
      await expect(scenario.query('SET ROLE backup; SELECT FROM pg_authid')).rejects.toThrow('permission denied');
      const run = await backUp('rds', named('shop.c0ffee.eu-west-1.rds.amazonaws.com'));
      expect(run.maskedLog).toContain('on Amazon RDS (recognised by its host name)');
      const globals = readFileSync(path.join(run.outputs['backup-uri'] ?? '', 'globals.sql'), 'utf8');
      expect(globals).toMatch(/CREATE ROLE "Order Taker";/);
      expect(globals).toMatch(/CREATE ROLE rdsadmin;/);
      expect(globals).not.toMatch(/PASSWORD '|SCRAM-SHA-256|md5[0-9a-f]{32}/);
      expect(scenario.contents(run).checks).toContainEqual(
        expect.objectContaining({ id: 'globals', status: 'passed' }),
      );
    } finally {
      await scenario.query('GRANT pg_read_all_data TO backup');
    }
  });

  test('is recognised behind an address that says nothing, by what the server says', async () => {
    const run = await backUp('address');
    expect(run.maskedLog).toContain('on Amazon RDS (recognised by its setting rds.extensions)');
  });

  test('with row-level security is refused for a role without BYPASSRLS, not dumped in part', async () => {
    await scenario.query('ALTER ROLE backup NOBYPASSRLS');
    try {
      await expectFailed(scenario, await scenario.run({ inputs: { name: 'supabase' } }), before, {
        code: 'ERR_PREFLIGHT',
        happened: ['Row-level security hides rows from the role', 'public.profiles'],
        action: ['ALTER ROLE "backup" BYPASSRLS;', 'on Supabase'],
        safety: 'Nothing was written',
      });
    } finally {
      await scenario.query('ALTER ROLE backup BYPASSRLS');
    }
  });

  test('with materialized views over functions of another search_path is backed up, with its collation', async () => {
    const run = await backUp('views');
    const { database, objects } = scenario.contents(run);
    expect(database).toMatchObject({ collate: 'C', localeProvider: 'libc' });
    const views = objects.filter(({ type }) => type.startsWith('MATERIALIZED VIEW')).map(({ name }) => name);
    expect(views).toEqual(expect.arrayContaining(['taxed', 'never_filled']));
  });

  test('with large objects says so when a schema is chosen, because pg_dump then leaves them out', async () => {
    await scenario.query(`SELECT lo_from_bytea(4711, 'receipt'); GRANT SELECT ON LARGE OBJECT 4711 TO backup`);
    try {
      const whole = await backUp('objects');
      expect(scenario.contents(whole).largeObjects.count).toBe(1);
      const part = await scenario.run({ inputs: { name: 'part', schemas: 'public\ntools\nauth' } });
      await expectProven(scenario, part, before);
      before = scenario.state();
      expect(annotation(part, 'warning', 'large-objects-left-out')?.message).toContain('1 large object is');
      expect(scenario.contents(part).largeObjects.count).toBe(0);
      expect(scenario.contents(part).objects).toContainEqual(
        expect.objectContaining({ type: 'SCHEMA', name: 'tools' }),
      );
    } finally {
      await scenario.query('SELECT lo_unlink(4711)');
    }
  });
});
