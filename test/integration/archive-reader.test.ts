/** The reader's report of a real archive against what SQL says, and against digests made from psql's output. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';
import type { ArchiveReport } from '../../src/domain/archive-report.ts';
import { ArchiveReader } from '../../src/postgres/archive-reader.ts';
import { describeWith } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';

const MAJOR = 17;
const { h64Raw } = await xxhash();
const clients = await clientTools(MAJOR);

/** Standard output of a process, piece by piece. */
async function output(file: string, args: readonly string[], take: (part: Buffer) => void): Promise<void> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', take);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${path.basename(file)} ended with ${code}`);
}

/** `rows-xxh64x2` as docs/format.md defines it, one row after the other, by another library. */
function independentDigest(text: Buffer): { rows: number; digest: string; bytes: number } {
  let [rows, first, second] = [0, 0n, 0n];
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf(0x0a, at);
    const row = text.subarray(at, newline);
    first += h64Raw(row, 0n);
    second += h64Raw(row, 0x9e3779b185ebca87n);
    rows += 1;
    at = newline + 1;
  }
  const hex = (sum: bigint) => BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
  return { rows, digest: hex(first) + hex(second), bytes: text.length };
}

describeWith(clients, 'the reader of a real archive', ({ pgDump, pgRestore, psql }: Clients) => {
  let server: PostgresServer;
  let folder: string;
  let report: ArchiveReport;

  /** The report of an archive of the database, read in chunks as they come. */
  async function readArchive(dumpOptions: readonly string[], restoreOptions: readonly string[] = []) {
    const file = path.join(folder, `archive-${dumpOptions.join('')}`);
    await runTool(pgDump, ['-Fc', '-Z', '0', ...dumpOptions, '-f', file, '-d', server.uri('trap')]);
    const reader = new ArchiveReader();
    await output(pgRestore, ['-f', '-', ...restoreOptions, file], (part) => reader.write(part));
    return reader.end();
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'archive-reader-'));
    server = await startPostgres({ major: MAJOR });
    await server.createDatabase('trap');
    await server.query(await readFile(new URL('./archive-reader.sql', import.meta.url), 'utf8'), 'trap');
    report = await readArchive([]);
  });

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('has every table with its columns, rows and digest', async () => {
    const tables = await server.query<{ schema: string; name: string; columns: string[]; copy: string }>(
      `SELECT n.nspname AS schema, relname AS name, coalesce(columns, '{}') AS columns,
         format('COPY %I.%I %s TO STDOUT', n.nspname, relname, '(' || list || ')') AS copy
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace, LATERAL (
         SELECT array_agg(attname::text ORDER BY attnum) AS columns, string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS list
         FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') a
       WHERE relkind = 'r' AND nspname !~ '^pg_|^information_schema$'`,
      'trap',
    );
    expect(tables.length).toBeGreaterThan(20);
    const expected = [];
    for (const { copy, ...table } of tables) {
      const parts: Buffer[] = [];
      await output(psql, ['-XAtq', '-c', copy, server.uri('trap')], (part) => parts.push(part));
      expected.push({ ...table, ...independentDigest(Buffer.concat(parts)) });
    }
    expect(new Set(report.tables)).toEqual(new Set(expected));
    expect(report.tables).toHaveLength(expected.length);
    expect(report.tables.find((table) => table.name === 'long_rows')?.bytes).toBeGreaterThan(50 * 1024 * 1024);
    expect(report.tables.find((table) => table.name === 'no_columns')).toMatchObject({ columns: [], rows: 7 });
  });

  test('has every sequence with its value', async () => {
    const names = await server.query<{ schema: string; name: string; sql: string }>(
      `SELECT n.nspname AS schema, relname AS name, format('SELECT last_value::text AS "lastValue", is_called AS "isCalled" FROM %I.%I', nspname, relname) AS sql
       FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S'`,
      'trap',
    );
    const expected = [];
    for (const { sql, ...name } of names) expected.push({ ...name, ...(await server.query(sql, 'trap'))[0] });
    expect(expected).toHaveLength(7);
    expect(new Set(report.sequences)).toEqual(new Set(expected));
  });

  test('has every relation that the archive defines, and the extensions', async () => {
    const relations = await server.query(
      `SELECT n.nspname AS schema, relname AS name,
         (array['table', 'table', 'foreign-table', 'view', 'materialized-view', 'sequence'])[strpos('rpfvmS', relkind::text)] AS kind
       FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND nspname !~ '^pg_|^information_schema$'`,
      'trap',
    );
    expect(new Set(report.relations)).toEqual(new Set(relations));
    expect(report.relations).toHaveLength(relations.length);
    expect([...report.extensions].sort()).toEqual(['postgres_fdw', 'uuid-ossp']);
  });

  test('has every large object', async () => {
    const objects = await server.query<{ oid: string; bytes: Buffer }>(
      'SELECT oid::text, lo_get(oid) AS bytes FROM pg_largeobject_metadata',
      'trap',
    );
    const rows = objects.map(({ oid, bytes }) => `${oid}\t${createHash('sha256').update(bytes).digest('hex')}\n`);
    expect(report.largeObjects).toEqual({
      count: 4,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes.length, 0),
      digest: independentDigest(Buffer.from(rows.join(''))).digest,
    });
  });

  test('digests definitions that share a name one by one, and forged ones not at all', () => {
    const named = (type: string, name: string) =>
      report.objects.find((object) => object.type === type && object.name === name)?.digests.length;
    expect(named('OPERATOR', '===')).toBe(2);
    expect(named('FUNCTION', 'fools(integer)')).toBe(1);
    expect(named('FUNCTION', 'atomic_body(integer)')).toBe(1);
    expect(named('PROCEDURE', 'empty_atomic()')).toBe(1);
    expect(named('RULE', 'landmarks two_statements')).toBe(1);
    expect(named('TABLE', 'x; Type: TABLE; Schema: trap; Owner: me')).toBe(1);
    expect(report.objects.filter((object) => object.name.startsWith('forged') && object.schema !== 'trap')).toEqual([]);
  });

  test('is the same of the same archive, and of another one of the same database', async () => {
    const again = await readArchive(['-E', 'UTF8']);
    // Only the random key of \restrict differs, and it has the same length.
    expect(again).toEqual(report);
  });

  test('has definitions without rows, and rows without definitions', async () => {
    const schema = await readArchive(['--schema-only']);
    expect(schema).toMatchObject({ tables: [], sequences: [], largeObjects: { count: 0 } });
    expect(schema.relations).toEqual(report.relations);
    const withoutRefresh = report.objects.filter(
      ({ type, name }) => type !== 'MATERIALIZED VIEW DATA' && name !== 'LARGE OBJECTS',
    );
    expect(schema.objects).toEqual(withoutRefresh);
    const data = await readArchive(['--data-only']);
    expect(data.relations).toEqual([]);
    expect(data.sequences).toEqual(report.sequences);
    expect(data.largeObjects).toEqual(report.largeObjects);
    const rows = (tables: ArchiveReport['tables']) => new Set(tables.map(({ rows, digest }) => `${rows} ${digest}`));
    expect(rows(data.tables)).toEqual(rows(report.tables));
  });

  test('changes when one byte of one row changes', async () => {
    await server.query(
      "UPDATE trap.rows_of_all_lengths SET body = overlay(body placing 'a' from 200) WHERE id = 300",
      'trap',
    );
    const changed = await readArchive(['-t', 'trap.rows_of_all_lengths']);
    const before = report.tables.find((table) => table.name === 'rows_of_all_lengths');
    expect(changed.tables[0]).toMatchObject({ rows: before?.rows, bytes: before?.bytes });
    expect(changed.tables[0]?.digest).not.toBe(before?.digest);
  });
});
