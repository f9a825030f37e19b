/** Drills of databases of several shapes and majors, and of one with what only its provider has. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { type DrillBench, startDrillBench, statuses } from '../support/drill-bench.ts';
import { readable } from '../support/expect-run.ts';

/** As Supabase has it: an extension that no image of Postgres brings along, and schemas that lean on it. */
const PROVIDED = `
  CREATE ROLE supabase_auth_admin; CREATE ROLE authenticated;
  CREATE SCHEMA graphql; CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;
  CREATE FUNCTION graphql.resolve() RETURNS text LANGUAGE sql RETURN 'resolved'::text;
  INSERT INTO pg_extension VALUES (999999, 'pg_graphql', 10, 'graphql'::regnamespace, true, '1.5.9', NULL, NULL);
  INSERT INTO pg_depend VALUES
    ('pg_extension'::regclass, 999999, 0, 'pg_namespace'::regclass, 'graphql'::regnamespace, 0, 'n'),
    ('pg_proc'::regclass, 'graphql.resolve'::regproc, 0, 'pg_extension'::regclass, 999999, 0, 'e');
  CREATE TABLE auth.users (id int PRIMARY KEY, email text); ALTER TABLE auth.users OWNER TO supabase_auth_admin;
  INSERT INTO auth.users VALUES (1, 'a@example.org');
  CREATE TABLE notes (id int PRIMARY KEY, body text); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON notes TO authenticated USING (true); INSERT INTO notes VALUES (1, 'x');
  CREATE VIEW auth.answers AS SELECT graphql.resolve() AS answer;`;

describeWith(await clientTools(17), 'A drill on Postgres 17', (clients) => {
  let bench: DrillBench;

  beforeAll(async () => {
    bench = await startDrillBench(clients);
  });
  afterAll(() => bench?.stop());

  test.each(['awkward', 'shapes'] as const)('of the database %s passes', async (fixture) => {
    await loadDatabase(bench.scenario.server, fixture, fixture);
    const url = bench.scenario.server.uri(fixture);
    const id = await bench.backUp({ 'database-url': url, name: fixture });
    const run = await bench.drill({ inputs: { name: fixture } });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(bench.lastRecord(id, fixture)).toMatchObject({ verdict: 'passed', alarm: 'passed' });
    await bench.expectNothingLeft(run);
  });

  test('into a database that does not exist makes its own beside, as for an image with content of its own', async () => {
    const { server } = bench.scenario;
    const before = await bench.databases();
    const id = await bench.backUp();
    const run = await bench.drill({ target: server.uri('drill') });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(bench.lastRecord(id).verdict).toBe('passed');
    const made = (await bench.databases()).filter((name) => !before.includes(name));
    expect(made).toEqual([expect.stringMatching(/^drill_restored_/)]);
    await bench.scenario.query(`DROP DATABASE "${made[0]}"`, 'postgres');
  });

  test('where a provider’s extension is missing is partial by name, and never passed', async () => {
    await bench.scenario.server.createDatabase('provided');
    await bench.scenario.query(PROVIDED, 'provided');
    const id = await bench.backUp({ 'database-url': bench.scenario.server.uri('provided'), name: 'provided' });
    const run = await bench.drill({ inputs: { name: 'provided' } });
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.outputs.verdict).toBe('partial');
    const record = bench.lastRecord(id, 'provided');
    expect(record.verdict).toBe('partial');
    expect(statuses(record)).toMatchObject({ 'left-out': 'partial', tables: 'passed' });
    const summary = readable(run.summary);
    for (const words of ['partial, so not passed', 'pg_graphql', 'auth.answers', 'accept-partial: true']) {
      expect(summary).toContain(words);
    }
    await bench.expectNothingLeft(run);
    const restored = await bench.drill({ inputs: { name: 'provided', backup: 'latest-restored', 'dry-run': 'true' } });
    expect(restored.exitCode, restored.maskedLog).toBe(1);
    expect(restored.annotations.map(({ title }) => title).join()).toContain('(ERR_BACKUP_NOT_FOUND)');
  });

  test('of a backup that was never proven is partial at best, and does not make it a restored one', async () => {
    await bench.scenario.server.createDatabase('doubtful');
    await bench.scenario.query('CREATE TABLE orders (id int); CREATE TABLE kept AS SELECT 1 AS id', 'doubtful');
    const url = bench.scenario.server.uri('doubtful');
    const inputs = { name: 'doubtful', 'critical-tables': 'orders' };
    const taken = await bench.scenario.run({
      inputs: {
        ...{ storage: bench.storage, encryption: '', 'age-recipients': bench.recipient, 'database-url': url },
        ...inputs,
      },
    });
    expect(taken.exitCode).toBe(1);
    expect(taken.outputs.verdict).toBe('unproven');
    const run = await bench.drill({ inputs: { name: 'doubtful', backup: 'latest' } });
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.outputs.verdict).toBe('partial');
    const record = bench.lastRecord(taken.outputs['backup-id'] ?? '', 'doubtful');
    expect(statuses(record)).toMatchObject({ archive: 'partial', tables: 'passed', definitions: 'passed' });
    for (const words of ['never proven', '1 critical table is empty']) expect(readable(run.summary)).toContain(words);
    const restored = await bench.drill({ inputs: { name: 'doubtful', backup: 'latest-restored', 'dry-run': 'true' } });
    expect(restored.annotations.map(({ title }) => title).join()).toContain('(ERR_BACKUP_NOT_FOUND)');
    await bench.expectNothingLeft(run);
  });

  test('that is partial is green where that was accepted, and still does not count as restored', async () => {
    const run = await bench.drill({ inputs: { name: 'provided', 'accept-partial': 'true' } });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('partial');
    expect(bench.lastRecord(run.outputs['backup-id'] ?? '', 'provided').verdict).toBe('partial');
    expect(run.annotations).toContainEqual(expect.objectContaining({ kind: 'warning', title: 'The drill is partial' }));
    const restored = await bench.drill({ inputs: { name: 'provided', backup: 'latest-restored', 'dry-run': 'true' } });
    expect(restored.exitCode, restored.maskedLog).toBe(1);
  });
});

describeWith(await clientTools(15), 'A drill on Postgres 15', (clients) => {
  let bench: DrillBench;

  beforeAll(async () => {
    bench = await startDrillBench(clients, { fixture: 'shapes' });
  });
  afterAll(() => bench?.stop());

  test('passes with a server of its own of that major', async () => {
    // Rows that a policy hides are for a superuser to read.
    const id = await bench.backUp({ 'database-url': bench.scenario.server.uri('shop') });
    const run = await bench.drill();
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(bench.lastRecord(id)).toMatchObject({
      verdict: 'passed',
      target: { kind: 'own-server', server: { major: 15 } },
    });
    await bench.expectNothingLeft(run);
  });

  test('passes against an empty server that was given', async () => {
    const run = await bench.drill({ target: await bench.emptyDatabase() });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(bench.lastRecord(run.outputs['backup-id'] ?? '').target).toMatchObject({ kind: 'given' });
    await bench.expectNothingLeft(run);
  });
});
