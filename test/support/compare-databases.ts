/**
 * The content of a live database, read by a path that shares nothing with the action: one psql runs `COPY … TO STDOUT`
 * for every table, and the `xxhash-wasm` package digests the rows. Compared with contents.json, the source and a
 * restored database must all be equal.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import xxhash from 'xxhash-wasm';
import type { Contents, ContentsTable } from '../../src/domain/contents.ts';
import type { Clients } from './clients.ts';
import type { PostgresServer } from './postgres-server.ts';
import { runTool } from './run-tool.ts';

const SECOND_SEED = 0x9e3779b185ebca87n;
const NEWLINE = 0x0a;

export interface LiveDatabase {
  server: PostgresServer;
  database: string;
  /** Of the server's major or newer. */
  clients: Clients;
}

/** Plain values throughout, so that a test's `toEqual` shows what differs. */
export interface DatabaseContent {
  /** `"schema"."name"` of a table with rows → `rows digest`. */
  rows: Record<string, string>;
  /** Every table that is not an extension's, sorted: `"schema"."name" kind`. */
  tables: string[];
  /** `"schema"."name"` → `last_value`, or `last_value (not called)`. */
  sequences: Record<string, string>;
  /** `count bytes digest`, a row `oid TAB sha256` for each. */
  largeObjects: string;
}

/** What contents.json says, in the same form. */
export function recordedContent(contents: Contents): DatabaseContent {
  const tables = [
    ...contents.tables.map((table) => `${quoted(table)} with rows`),
    ...contents.definedOnly.map((table) => `${quoted(table)} ${table.kind === 'table' ? 'with rows' : table.kind}`),
  ];
  const { count, bytes, digest } = contents.largeObjects;
  return {
    rows: Object.fromEntries(contents.tables.map((table) => [quoted(table), `${table.rows} ${table.digest}`])),
    tables: tables.sort(),
    sequences: Object.fromEntries(
      contents.sequences.map((each) => [quoted(each), sequenceWords(each.dumped.lastValue, each.dumped.isCalled)]),
    ),
    largeObjects: `${count} ${bytes} ${digest}`,
  };
}

/** What a live database holds. The rows are those of the tables and columns that `contents` names. */
export async function liveContent(live: LiveDatabase, contents: Contents): Promise<DatabaseContent> {
  return {
    rows: await digestTables(live, contents),
    tables: await listTables(live),
    sequences: await readSequences(live),
    largeObjects: await digestLargeObjects(live),
  };
}

/** One sentence for each thing that two databases do not have in common; empty when they are equal. */
export function contentDifferences(left: DatabaseContent, right: DatabaseContent): string[] {
  const [one, other] = [everything(left), everything(right)];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => one[name] !== other[name])
    .map((name) => `${name}: ${one[name] ?? 'missing'} and ${other[name] ?? 'missing'}`);
}

function everything(content: DatabaseContent): Record<string, string> {
  return {
    ...Object.fromEntries(content.tables.map((table) => [`table ${table}`, 'there'])),
    ...prefixed('rows of', content.rows),
    ...prefixed('sequence', content.sequences),
    'large objects': content.largeObjects,
  };
}

/**
 * The definitions of a database as its own pg_dump prints them, sorted, one entry an object. Two databases that were
 * restored from one archive, one of them by `--schema-only`, must agree; a source need not, because a faithful
 * restore prints some definitions in other words.
 */
export async function schemaEntries({ server, database, clients }: LiveDatabase): Promise<string[]> {
  const sql = await runTool(clients.pgDump, ['--schema-only', '--no-password'], libpqEnv(server, database));
  return sql
    .replaceAll(/^\\(un)?restrict .*$/gm, '')
    .replace(/^--\n-- PostgreSQL database dump complete\n--$/m, '')
    .split(/^--\n(?=-- Name: )/m)
    .slice(1)
    .map((entry) => entry.trim())
    .sort();
}

/**
 * Restores the definitions alone into a new database of the same server: the reference for {@link schemaEntries}.
 * `prepare` is SQL that the archive needs before it.
 */
export async function referenceRestore(live: LiveDatabase, archive: string, prepare?: string): Promise<LiveDatabase> {
  const database = `reference_${randomUUID()}`;
  await live.server.createDatabase(database, 'TEMPLATE template0');
  if (prepare !== undefined) await live.server.query(prepare, database);
  const args = ['--schema-only', '--exit-on-error', '--no-password', `--dbname=${database}`, archive];
  await runTool(live.clients.pgRestore, args, libpqEnv(live.server));
  return { ...live, database };
}

/** A name that libpq finds there is never taken for connection parameters. */
function libpqEnv(server: PostgresServer, database?: string): Record<string, string> {
  const where = { PGHOST: server.host, PGPORT: String(server.port), PGUSER: server.superuser };
  return { ...where, PGCLIENTENCODING: 'UTF8', ...(database === undefined ? {} : { PGDATABASE: database }) };
}

async function digestTables({ server, database, clients }: LiveDatabase, contents: Contents) {
  const marker = randomUUID();
  // The driver of the script stays at UTF-8; what COPY writes is a matter of its own option.
  const { client_encoding: encoding, ...copySettings } = contents.settings;
  const settings = { ...copySettings, search_path: '', row_security: 'off', synchronize_seqscans: 'off' };
  const script = [
    ...Object.entries(settings).map(([name, value]) => `SELECT set_config('${name}', '${value}', false) \\g /dev/null`),
    ...contents.tables.map((table) => `${copyOf(table)} WITH (ENCODING '${encoding}');\n\\echo ${marker}`),
  ].join('\n');
  const child = spawn(clients.psql, ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'], {
    env: { ...process.env, ...libpqEnv(server, database) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const messages: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => messages.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.end(script);
  const digests = await digestBlocks(child.stdout as AsyncIterable<Buffer>, Buffer.from(marker));
  const code = await ended;
  if (code !== 0 || digests.length !== contents.tables.length) {
    throw new Error(`psql ended with ${code} after ${digests.length} tables: ${Buffer.concat(messages)}`);
  }
  return Object.fromEntries(contents.tables.map((table, index) => [quoted(table), digests[index] as string]));
}

function copyOf(table: ContentsTable): string {
  const columns = table.columns.length === 0 ? '' : ` (${table.columns.map(identifier).join(', ')})`;
  if (table.extensionCondition === undefined || table.extensionCondition === '') {
    return `COPY ${quoted(table)}${columns} TO STDOUT`;
  }
  const list = table.columns.length === 0 ? '*' : table.columns.map(identifier).join(', ');
  return `COPY (SELECT ${list} FROM ${quoted(table)} ${table.extensionCondition}) TO STDOUT`;
}

/** `rows digest` of each block of lines that `marker` ends. */
async function digestBlocks(output: AsyncIterable<Buffer>, marker: Buffer): Promise<string[]> {
  const digests: string[] = [];
  let digest = await RowsDigest.create();
  let partial: Buffer[] = [];
  for await (const chunk of output) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      const line = partial.length === 0 ? piece : Buffer.concat([...partial, piece]);
      partial = [];
      start = end + 1;
      if (line.equals(marker)) {
        digests.push(digest.words());
        digest = await RowsDigest.create();
      } else {
        digest.add(line);
      }
    }
    if (start < chunk.length) partial.push(Buffer.from(chunk.subarray(start)));
  }
  return digests;
}

/** `rows-xxh64x2` as docs/format.md defines it, from another implementation of XXH64. */
class RowsDigest {
  static readonly #hash = xxhash();
  readonly #h64: (bytes: Uint8Array, seed: bigint) => bigint;
  #rows = 0;
  #sums: [bigint, bigint] = [0n, 0n];

  static async create(): Promise<RowsDigest> {
    return new RowsDigest((await RowsDigest.#hash).h64Raw);
  }

  private constructor(h64: (bytes: Uint8Array, seed: bigint) => bigint) {
    this.#h64 = h64;
  }

  add(row: Uint8Array): void {
    this.#rows += 1;
    const [first, second] = this.#sums;
    this.#sums = [
      BigInt.asUintN(64, first + this.#h64(row, 0n)),
      BigInt.asUintN(64, second + this.#h64(row, SECOND_SEED)),
    ];
  }

  hex(): string {
    return this.#sums.map((sum) => sum.toString(16).padStart(16, '0')).join('');
  }

  words(): string {
    return `${this.#rows} ${this.hex()}`;
  }
}

async function listTables({ server, database }: LiveDatabase): Promise<string[]> {
  const rows = await server.query<{ schema: string; name: string; kind: string }>(
    `SELECT n.nspname AS schema, c.relname AS name,
            CASE c.relkind WHEN 'p' THEN 'partitioned-table' WHEN 'f' THEN 'foreign-table' ELSE 'with rows' END AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND n.nspname !~ '^(pg_|information_schema$)'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
    database,
  );
  return rows.map((row) => `${quoted(row)} ${row.kind}`).sort();
}

async function readSequences({ server, database }: LiveDatabase): Promise<Record<string, string>> {
  const sequences = await server.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, sequencename AS name FROM pg_sequences`,
    database,
  );
  const values: Record<string, string> = {};
  const client = await server.connect(database);
  try {
    for (const sequence of sequences) {
      const { rows } = await client.query<{ last: string; called: boolean }>(
        `SELECT last_value::text AS last, is_called AS called FROM ${quoted(sequence)}`,
      );
      const [row] = rows;
      if (row !== undefined) values[quoted(sequence)] = sequenceWords(row.last, row.called);
    }
  } finally {
    await client.end();
  }
  return values;
}

async function digestLargeObjects({ server, database }: LiveDatabase): Promise<string> {
  const objects = await server.query<{ line: string; bytes: number }>(
    `SELECT oid || E'\\t' || encode(sha256(lo_get(oid)), 'hex') AS line, length(lo_get(oid)) AS bytes FROM pg_largeobject_metadata`,
    database,
  );
  const digest = await RowsDigest.create();
  for (const { line } of objects) digest.add(Buffer.from(line));
  return `${objects.length} ${objects.reduce((sum, { bytes }) => sum + bytes, 0)} ${digest.hex()}`;
}

function sequenceWords(last: string, called: boolean): string {
  return called ? last : `${last} (not called)`;
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value]));
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoted({ schema, name }: { schema: string; name: string }): string {
  return `${identifier(schema)}.${identifier(name)}`;
}
