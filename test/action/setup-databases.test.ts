/** The roles of docs/setup, made with the SQL of each page by an administrator who may do what the provider's may. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { PASSWORD, type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven } from '../support/expect-run.ts';
import { fences, readDocument, section } from '../support/markdown.ts';

interface Page {
  name: string;
  /** Says which administrator this is, where a page knows several. */
  variant?: string;
  majors: readonly number[];
  /** What the provider did before, as a superuser: makes the role `administrator`. */
  provider: string;
  /** What the user types, as that administrator. */
  typed: readonly string[];
  /** All rows must come, of tables with policies that bind even their owner. */
  policies?: boolean;
  inputs?: Record<string, string>;
}

const ADMINISTRATOR = 'CREATE ROLE administrator LOGIN CREATEDB CREATEROLE';

/** Nothing of it belongs to the provider. */
const OWN = `
  CREATE SCHEMA app;
  CREATE TABLE app.tenants (id serial PRIMARY KEY, owner text);
  INSERT INTO app.tenants (owner) VALUES ('a'), ('b'), (NULL);
  CREATE TABLE app."Order Items" (id bigint GENERATED ALWAYS AS IDENTITY, what text);
  CREATE SEQUENCE app.numbers START 7;
  CREATE VIEW app.owners AS SELECT owner FROM app.tenants;
  CREATE MATERIALIZED VIEW app.counts AS SELECT count(*) FROM app.tenants;`;

const POLICIES = `
  ALTER TABLE app.tenants ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.tenants FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON app.tenants USING (owner = current_user);`;

/** Gives the sample shop, and the database, to the administrator. */
const HAND_OVER = `
  ALTER DATABASE shop OWNER TO administrator;
  ALTER SCHEMA public OWNER TO administrator;
  DO $$ DECLARE t regclass; BEGIN
    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') LOOP
      EXECUTE format('ALTER TABLE %s OWNER TO administrator', t);
    END LOOP;
  END $$;`;

const PAGES: readonly Page[] = [
  {
    name: 'supabase',
    majors: [17],
    provider: `${ADMINISTRATOR} REPLICATION BYPASSRLS; GRANT pg_read_all_data TO administrator WITH ADMIN OPTION;
      CREATE ROLE supabase_auth_admin; CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin; SET ROLE supabase_auth_admin;
      CREATE TABLE auth.users AS SELECT 'a@example.org' AS email; ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
      RESET ROLE;`,
    typed: [sqlOf('setup/supabase.md', 'The role')],
    policies: true,
  },
  {
    name: 'neon',
    majors: [18],
    provider: `CREATE ROLE neon_superuser NOLOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS;
      GRANT pg_read_all_data TO neon_superuser WITH ADMIN OPTION;
      ${ADMINISTRATOR} REPLICATION BYPASSRLS; GRANT neon_superuser TO administrator;`,
    typed: [sqlOf('setup/neon.md', 'The role')],
    policies: true,
  },
  {
    name: 'neon',
    variant: 'of an older project',
    majors: [16],
    provider: `CREATE ROLE neon_superuser NOLOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS;
      GRANT pg_read_all_data TO neon_superuser;
      ${ADMINISTRATOR} REPLICATION BYPASSRLS; GRANT neon_superuser TO administrator;`,
    typed: [withoutReadAll(sqlOf('setup/neon.md', 'The role')), ownersGrants()],
    policies: true,
  },
  {
    name: 'render',
    majors: [15],
    provider: `${ADMINISTRATOR};`,
    typed: [sqlOf('setup/render.md', 'The role')],
  },
  {
    name: 'rds-and-aurora',
    majors: [14, 17],
    provider: `CREATE ROLE rds_superuser; GRANT pg_read_all_data TO rds_superuser WITH ADMIN OPTION;
      ${ADMINISTRATOR}; GRANT rds_superuser TO administrator;`,
    typed: [sqlOf('setup/rds-and-aurora.md', 'The role')],
  },
  {
    name: 'heroku',
    majors: [17],
    provider: `CREATE ROLE administrator LOGIN; CREATE ROLE backup LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}';
      CREATE SCHEMA _heroku; CREATE TABLE _heroku.extensions AS SELECT 'hstore' AS name;
      CREATE FUNCTION _heroku.noticed() RETURNS int LANGUAGE sql AS 'SELECT 1';`,
    typed: [ownersGrants()],
    inputs: { 'exclude-schemas': '_heroku' },
  },
];

function sqlOf(document: string, heading: string, index = 0): string {
  const sql = fences(section(readDocument(`docs/${document}`), heading), 'sql').at(index);
  if (sql === undefined) throw new Error(`${document} has no SQL below "${heading}"`);
  return sql.replace("'a long random password'", () => `'${PASSWORD.replaceAll("'", "''")}'`);
}

/** The last block of the grants one by one, as the pages say: without `FOR ROLE app`. */
function ownersGrants(): string {
  return sqlOf('permissions.md', 'Grants one by one', -1).replaceAll('FOR ROLE app ', '');
}

/** Without the line that older projects refuse. */
function withoutReadAll(sql: string): string {
  return sql.replace('GRANT pg_read_all_data TO backup;\n', '');
}

test('every page with SQL is tried', () => {
  const withSql = ['supabase', 'neon', 'vercel', 'render', 'rds-and-aurora', 'railway', 'heroku', 'own-server'].filter(
    (name) => fences(readDocument(`docs/setup/${name}.md`), 'sql').length > 0,
  );
  expect(PAGES.map(({ name }) => name)).toEqual(expect.arrayContaining(withSql));
});

for (const page of PAGES) {
  for (const major of page.majors) {
    const title = `The role of docs/setup/${page.name}.md${page.variant === undefined ? '' : `, ${page.variant}`}, on Postgres ${major}`;
    describeWith(await clientTools(major), title, (clients) => {
      let scenario: Scenario;

      beforeAll(async () => {
        scenario = await startScenario(clients, {
          server: { settings: { password_encryption: 'scram-sha-256' } },
          sql: `DROP ROLE backup; ${page.provider} ${HAND_OVER}`,
        });
        await asAdministrator(`${OWN} ${page.policies === true ? POLICIES : ''}`);
        for (const sql of page.typed) await asAdministrator(sql);
        if (major < 15) await asAdministrator(sqlOf('permissions.md', 'Postgres 14 and newer', 1));
      });
      afterAll(() => scenario?.stop());

      const asAdministrator = (sql: string) => scenario.query(`SET SESSION AUTHORIZATION administrator; ${sql}`);
      const backUp = (inputs: Record<string, string> = {}): Promise<ScenarioRun> =>
        scenario.run({ inputs: { verify: 'archive\nsource', ...page.inputs, ...inputs } });

      test('is found right by a dry run', async () => {
        const run = await backUp({ 'dry-run': 'true' });
        expect(run.exitCode, run.maskedLog).toBe(0);
        expect(run.annotations.filter(({ kind }) => kind !== 'notice')).toEqual([]);
      });

      test('takes a proven backup of everything, and of what comes later', async () => {
        await asAdministrator('CREATE SCHEMA later; CREATE TABLE later.t (id serial)');
        const run = await backUp();
        await expectProven(scenario, run, new Map());
        const { tables, sequences } = scenario.contents(run);
        const names = tables.map(({ schema, name }) => `${schema}.${name}`);
        const there = await userTables();
        expect(names).toEqual(expect.arrayContaining(there.filter((name) => !name.startsWith('_heroku'))));
        expect(names).toEqual(expect.arrayContaining(['app.tenants', 'app.Order Items', 'later.t', 'public.orders']));
        expect(tables.find(({ name }) => name === 'tenants')?.rows).toBe(3);
        expect(sequences.map(({ name }) => name)).toEqual(expect.arrayContaining(['numbers', 'tenants_id_seq']));
      });

      test('writes nothing, in no table and no schema, even without its seat belt', async () => {
        const attempts = await writesTried();
        expect(attempts.length).toBeGreaterThan(50);
        await asBackup(async (session) => {
          await session.query('SET default_transaction_read_only = off');
          for (const attempt of attempts) {
            await expect(session.query(attempt), attempt).rejects.toThrow(/permission denied|must be/);
          }
        });
      });

      if (page.name !== 'heroku') {
        test('has the seat belt on', async () => {
          await asBackup(async (session) => {
            await expect(session.query('CREATE TABLE t ()')).rejects.toThrow('read-only transaction');
          });
        });
      }

      if (page.name === 'rds-and-aurora') {
        test('sees rows behind policies as a member of their owner, and is refused before', async () => {
          await asAdministrator(
            'CREATE ROLE app; GRANT app TO administrator; GRANT CREATE, USAGE ON SCHEMA app TO app',
          );
          await asAdministrator(
            `SET ROLE app; CREATE TABLE app.notes (owner text); INSERT INTO app.notes VALUES ('a'), ('b');
             ALTER TABLE app.notes ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON app.notes USING (owner = current_user)`,
          );
          const before = scenario.state();
          await expectFailed(scenario, await backUp(), before, {
            code: 'ERR_PREFLIGHT',
            happened: ['Row-level security hides rows from the role', 'app.notes'],
            action: ['owns these tables'],
          });
          await asAdministrator(sqlOf('permissions.md', 'Where row-level security is used', 1));
          const run = await backUp();
          await expectProven(scenario, run, before);
          expect(scenario.contents(run).tables.find(({ name }) => name === 'notes')?.rows).toBe(2);
          await asBackup(async (session) => {
            await expect(session.query('DELETE FROM app.notes')).rejects.toThrow('read-only transaction');
          });
        });
      }

      if (page.variant === 'of an older project') {
        test('cannot be made with the short form there: the line to leave out is refused', async () => {
          await scenario.query('DROP OWNED BY backup; DROP ROLE backup');
          await expect(asAdministrator(sqlOf('setup/neon.md', 'The role'))).rejects.toThrow(
            'permission denied to grant role "pg_read_all_data"',
          );
        });
      }

      async function asBackup(use: (session: pg.Client) => Promise<void>): Promise<void> {
        const { host, port } = scenario.server;
        const session = new pg.Client({ host, port, user: 'backup', password: PASSWORD, database: 'shop' });
        await session.connect();
        try {
          await use(session);
        } finally {
          await session.end();
        }
      }

      async function userTables(): Promise<string[]> {
        const rows = await scenario.query<{ name: string }>(
          `SELECT nspname || '.' || relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema'`,
        );
        return rows.map(({ name }) => name);
      }

      async function writesTried(): Promise<string[]> {
        const rows = await scenario.query<{ sql: string }>(
          `SELECT format(attempt, c.oid::regclass) AS sql FROM pg_class c, unnest(ARRAY[
               'INSERT INTO %s DEFAULT VALUES', 'DELETE FROM %s', 'TRUNCATE %s', 'DROP TABLE %s',
               'ALTER TABLE %s ADD COLUMN more int'
             ]) AS attempt
             WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
           UNION ALL SELECT format('UPDATE %s SET %I = DEFAULT', attrelid::regclass, attname) FROM pg_attribute
             JOIN pg_class c ON c.oid = attrelid
             WHERE attnum = 1 AND relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
           UNION ALL SELECT format('SELECT setval(%L, 1)', oid::regclass) FROM pg_class WHERE relkind = 'S'
           UNION ALL SELECT format('CREATE TABLE %I.mine ()', nspname) FROM pg_namespace
             WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`,
        );
        const others = [
          'CREATE SCHEMA mine',
          'CREATE ROLE mine',
          'CREATE DATABASE mine',
          `COPY app.tenants TO '/tmp/x'`,
        ];
        return [
          ...rows.map(({ sql }) => sql),
          ...others,
          'ALTER ROLE administrator PASSWORD NULL',
          'SET ROLE postgres',
        ];
      }
    });
  }
}
