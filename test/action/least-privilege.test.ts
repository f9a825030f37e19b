/** The database role of docs/permissions.md, made by the very SQL that stands there. */
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { PASSWORD, type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven } from '../support/expect-run.ts';
import { fences, readDocument, section, tableRows } from '../support/markdown.ts';
import { runTool } from '../support/run-tool.ts';

const document = readDocument('docs/permissions.md');
const MISSING = tableRows(section(document, 'What happens when a right is missing'));

/** A database of several owners, as the document's role finds it. */
const DATABASE = `
  CREATE ROLE app;
  CREATE ROLE auditor;
  GRANT CREATE ON DATABASE shop TO app;
  CREATE SCHEMA app AUTHORIZATION app;
  CREATE SCHEMA "Audit" AUTHORIZATION auditor;
  SET ROLE auditor;
  CREATE TABLE "Audit".events (id bigint GENERATED ALWAYS AS IDENTITY, what text);
  INSERT INTO "Audit".events (what) VALUES ('login');
  SET ROLE app;
  CREATE SEQUENCE app.numbers START 7;
  CREATE TABLE app.tenants (id serial PRIMARY KEY, owner text);
  INSERT INTO app.tenants (owner) VALUES ('a'), ('b'), (NULL);
  ALTER TABLE app.tenants ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.tenants FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON app.tenants USING (owner = current_user);
  SELECT lo_from_bytea(4711, 'a receipt');
  RESET ROLE;
`;

/** What only a superuser sees whole. */
const HIDDEN = `
  CREATE FOREIGN DATA WRAPPER far_wrapper;
  CREATE SERVER far FOREIGN DATA WRAPPER far_wrapper;
  CREATE USER MAPPING FOR app SERVER far OPTIONS ("user" 'app', password 'of the far server');
  CREATE SUBSCRIPTION feed CONNECTION 'dbname=far' PUBLICATION news WITH (connect = false, slot_name = NONE);
`;

/** By the first cell of the document's table: how to take the right away, and how to give it back. */
const CASES: Record<string, { take: string; give: string }> = {
  'CONNECT on the database': {
    take: 'REVOKE CONNECT ON DATABASE shop FROM PUBLIC',
    give: 'GRANT CONNECT ON DATABASE shop TO backup',
  },
  'USAGE on a schema': {
    take: 'REVOKE USAGE ON SCHEMA app FROM backup',
    give: 'GRANT USAGE ON SCHEMA app TO backup',
  },
  'SELECT on tables': {
    take: 'REVOKE SELECT ON app.tenants FROM backup',
    give: 'GRANT SELECT ON app.tenants TO backup',
  },
  'SELECT on sequences': {
    take: 'REVOKE SELECT ON SEQUENCE app.numbers FROM backup',
    give: 'GRANT SELECT ON SEQUENCE app.numbers TO backup',
  },
  BYPASSRLS: { take: 'ALTER ROLE backup NOBYPASSRLS', give: 'ALTER ROLE backup BYPASSRLS' },
  'SELECT on large objects': {
    take: 'REVOKE SELECT ON LARGE OBJECT 4711 FROM backup',
    give: 'GRANT SELECT ON LARGE OBJECT 4711 TO backup',
  },
};

const ATTEMPTS = [
  `INSERT INTO app.tenants (owner) VALUES ('c')`,
  'CREATE TABLE app.mine (id int)',
  `SELECT nextval('app.numbers')`,
  'DROP TABLE orders',
  'SELECT lo_unlink(4711)',
];

function sqlBelow(heading: string, index = 0): string {
  const sql = fences(section(document, heading), 'sql')[index];
  expect(sql, heading).toBeDefined();
  const password = `'${PASSWORD.replaceAll("'", "''")}'`;
  return (sql ?? '').replace("'a long random password'", () => password);
}

test('every row of the table of missing rights is tried', () => {
  expect(MISSING.map(([missing]) => missing)).toEqual(Object.keys(CASES));
});

for (const major of [13, 14, 17, 18]) {
  describeWith(await clientTools(major), `The role of docs/permissions.md on Postgres ${major}`, (clients) => {
    let scenario: Scenario;
    beforeAll(async () => {
      scenario = await startScenario(clients, {
        server: { settings: { password_encryption: 'scram-sha-256' } },
        sql: `DROP ROLE backup; ${DATABASE}`,
      });
      await scenario.query(sqlBelow(major === 13 ? 'Grants one by one' : 'Postgres 14 and newer'));
      if (major === 13) await scenario.query(sqlBelow('Grants one by one', 1));
      await scenario.query(sqlBelow('Where row-level security is used'));
      await scenario.query(sqlBelow('Where there are large objects'));
      if (major >= 18) await scenario.query(sqlBelow('Where there are large objects', 1));
    });
    afterAll(() => scenario?.stop());

    const backup = (): Promise<ScenarioRun> => scenario.run({ inputs: { verify: 'archive\nsource' } });

    test('takes a proven backup of schemas of others, policies, sequences and large objects, and of what came later', async () => {
      await scenario.query(`SET ROLE app; CREATE SCHEMA later; CREATE TABLE later.t (id serial); RESET ROLE`);
      if (major >= 18) await scenario.query(`SET ROLE app; SELECT lo_from_bytea(4712, 'another'); RESET ROLE`);
      const run = await backup();
      await expectProven(scenario, run, new Map());
      const { tables, sequences, largeObjects } = scenario.contents(run);
      expect(tables.find(({ name }) => name === 'tenants')?.rows).toBe(3);
      expect(tables.map(({ schema }) => schema)).toEqual(expect.arrayContaining(['Audit', 'app', 'later', 'public']));
      expect(sequences.map(({ name }) => name)).toEqual(expect.arrayContaining(['events_id_seq', 'numbers']));
      expect(largeObjects.count).toBe(major >= 18 ? 2 : 1);
    });

    test('cannot write, whatever it tries', async () => {
      const { host, port } = scenario.server;
      const session = new pg.Client({ host, port, user: 'backup', password: PASSWORD, database: 'shop' });
      await session.connect();
      try {
        for (const attempt of ATTEMPTS) await expect(session.query(attempt), attempt).rejects.toThrow();
        // Before 15 everyone may make tables in `public`: there the seat belt alone holds, which a role can take off.
        await session.query('SET default_transaction_read_only = off');
        for (const attempt of ATTEMPTS) await expect(session.query(attempt), attempt).rejects.toThrow(/denied|owner/);
      } finally {
        await session.end();
      }
    });

    test('leaves the options of user mappings out, and subscriptions with a warning', async () => {
      await scenario.query(HIDDEN);
      const before = scenario.state();
      const run = await backup();
      await expectProven(scenario, run, before);
      const archive = path.join(run.outputs['backup-uri'] ?? '', 'database.backup');
      const sql = await runTool(clients.pgRestore, ['--file=-', '--schema-only', archive]);
      expect(sql).toContain('CREATE USER MAPPING FOR app SERVER far;');
      expect(sql).not.toContain('of the far server');
      expect(sql).not.toContain('CREATE SUBSCRIPTION');
      const warnings = run.annotations.filter(({ kind }) => kind === 'warning');
      expect(warnings.map(({ message }) => message).join('\n')).toContain('Subscriptions are not in this backup');
      await scenario.query('DROP SUBSCRIPTION feed');
    });

    if (major !== 13) return;
    // With single grants every right can be taken away alone.
    test.each(MISSING)('is told what it lacks without %s', async (missing = '', code = '', words = '') => {
      const { take, give } = CASES[missing] ?? { take: '', give: '' };
      await scenario.query(take);
      try {
        const before = scenario.state();
        const run = await backup();
        await expectFailed(scenario, run, before, {
          code: code.replaceAll('`', '') as 'ERR_PREFLIGHT',
          happened: words.split(' … '),
          action: [/GRANT|BYPASSRLS/],
        });
      } finally {
        await scenario.query(give);
      }
    });
  });
}
