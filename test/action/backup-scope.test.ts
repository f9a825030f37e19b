/** A part of a database, and the forms in which the archive may be packed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Contents } from '../../src/domain/contents.ts';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { expectProven } from '../support/expect-run.ts';
import { runTool } from '../support/run-tool.ts';

const MORE_SCHEMAS = `
  CREATE SCHEMA billing;
  CREATE TABLE billing.invoices AS SELECT g AS id, 'invoice ' || g AS note FROM generate_series(1, 50) g;
  CREATE SCHEMA logs;
  CREATE TABLE logs.requests AS SELECT g AS id, md5(g::text) AS path FROM generate_series(1, 2000) g;
  CREATE TABLE logs.errors AS SELECT g AS id FROM generate_series(1, 7) g;`;
const SHOP = ['customers', 'order_items', 'orders', 'products', 'reviews'].map((name) => `public.${name}`);
const EVERYTHING = ['billing.invoices', 'logs.errors', 'logs.requests', ...SHOP];

function names(tables: readonly { schema: string; name: string }[]): string[] {
  return tables.map(({ schema, name }) => `${schema}.${name}`).sort();
}

/** What the stock pg_restore lists: `TABLE public.orders`. */
async function listOf(clients: Clients, run: ScenarioRun, type: string): Promise<string[]> {
  const list = await runTool(clients.pgRestore, [
    '--list',
    path.join(run.outputs['backup-uri'] ?? '', 'database.backup'),
  ]);
  const entries = list.matchAll(new RegExp(`^\\d+; \\d+ \\d+ ${type} (?!DATA )(\\S+) (\\S+) `, 'gm'));
  return [...entries].map((match) => `${match[1]}.${match[2]}`).sort();
}

describeWith(await clientTools(17), 'A backup of a part', (clients) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: MORE_SCHEMAS });
  });
  afterAll(() => scenario?.stop());

  interface Expected {
    /** With their rows. */
    rows: string[];
    /** Defined without rows. */
    defined?: string[];
  }

  async function expectPart(inputs: Record<string, string>, { rows, defined = [] }: Expected): Promise<Contents> {
    const before = scenario.state();
    const run = await scenario.run({ inputs });
    await expectProven(scenario, run, before);
    const contents = scenario.contents(run);
    expect(names(contents.tables)).toEqual(rows);
    expect(names(contents.definedOnly)).toEqual(defined);
    expect(await listOf(clients, run, 'TABLE DATA')).toEqual(rows);
    const definitions = inputs.content === 'data' ? [] : [...rows, ...defined].sort();
    expect(await listOf(clients, run, 'TABLE')).toEqual(definitions);
    expect(run.outputs.tables).toBe(String(rows.length));
    const whole = inputs.content !== undefined;
    expect(scenario.manifest(run).scope).toMatchObject({ content: inputs.content ?? 'all', wholeDatabase: whole });
    if (!whole) expect(run.summary).toContain('A part of the database only');
    return contents;
  }

  test('takes the schemas that are named, by pattern too', () =>
    expectPart({ schemas: 'billing\nlo*' }, { rows: ['billing.invoices', 'logs.errors', 'logs.requests'] }));

  test('leaves the schemas out that are named', () =>
    expectPart({ 'exclude-schemas': 'logs' }, { rows: ['billing.invoices', ...SHOP] }));

  test('takes the tables that are named', () =>
    expectPart(
      { tables: 'public.order*\nlogs.errors' },
      { rows: ['logs.errors', 'public.order_items', 'public.orders'] },
    ));

  test('leaves the tables out that are named', () =>
    expectPart({ 'exclude-tables': 'logs.*' }, { rows: EVERYTHING.filter((name) => !name.startsWith('logs.')) }));

  test('leaves the rows of tables out that are named, and keeps their definitions', () =>
    expectPart(
      { 'exclude-table-data': 'logs.requests' },
      { rows: EVERYTHING.filter((name) => name !== 'logs.requests'), defined: ['logs.requests'] },
    ));

  test('takes definitions alone', async () => {
    const contents = await expectPart({ content: 'schema' }, { rows: [], defined: EVERYTHING });
    expect(contents.sequences).toEqual([]);
  });

  test('takes rows alone', async () => {
    const contents = await expectPart({ content: 'data' }, { rows: EVERYTHING });
    expect(contents.objects.map(({ type }) => type)).not.toContain('TABLE');
    expect(contents.sequences).toHaveLength(4);
  });

  test('is not compared with a backup of the whole', async () => {
    await scenario.run({ inputs: { name: 'mixed' } });
    const run = await scenario.run({ inputs: { name: 'mixed', tables: 'logs.errors' } });
    expect(run.annotations).toEqual([]);
  });
});

/** As the archive's own header tells, and the manifest. */
async function compressionOf(clients: Clients, scenario: Scenario, inputs: Record<string, string>) {
  const before = scenario.state();
  const run = await scenario.run({ inputs });
  await expectProven(scenario, run, before);
  const archive = path.join(run.outputs['backup-uri'] ?? '', 'database.backup');
  const header = await runTool(clients.pgRestore, ['--list', archive]);
  return {
    recorded: scenario.manifest(run).archive.compression,
    header: /Compression: (\S+)/.exec(header)?.[1],
    bytes: readFileSync(archive).byteLength,
  };
}

describeWith(await clientTools(17), 'The archive of Postgres 17', (clients) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients);
  });
  afterAll(() => scenario?.stop());

  test.each([
    ['', 'zstd:1', 'zstd'],
    ['zstd:9', 'zstd:9', 'zstd'],
    ['gzip:6', 'gzip:6', 'gzip'],
    ['lz4', 'lz4:1', 'lz4'],
    ['none', 'none', 'none'],
  ])('is compressed as %j asks', async (compression, recorded, header) => {
    expect(await compressionOf(clients, scenario, { compression })).toMatchObject({ recorded, header });
  });

  test('is the smaller the more is asked for', async () => {
    const [none, fast, thorough] = [
      await compressionOf(clients, scenario, { compression: 'none' }),
      await compressionOf(clients, scenario, { compression: 'zstd:1' }),
      await compressionOf(clients, scenario, { compression: 'zstd:19' }),
    ];
    expect(fast.bytes).toBeLessThan(none.bytes / 2);
    expect(thorough.bytes).toBeLessThan(fast.bytes);
  });
});

describeWith(await clientTools(15), 'The archive of Postgres 15', (clients) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients);
  });
  afterAll(() => scenario?.stop());

  test('is compressed by gzip, which is all that its pg_dump knows', async () => {
    expect(await compressionOf(clients, scenario, {})).toMatchObject({ recorded: 'gzip:1' });
    expect(await compressionOf(clients, scenario, { compression: 'gzip:9' })).toMatchObject({ recorded: 'gzip:9' });
  });

  test('is refused as zstd before anything is read', async () => {
    const before = scenario.state();
    const run = await scenario.run({ inputs: { compression: 'zstd' } });
    expect(run.exitCode).toBe(1);
    expect(run.annotations.at(-1)?.message).toContain('zstd needs pg_dump 16 or newer; this server is 15');
    expect(scenario.state()).toEqual(before);
  });
});
