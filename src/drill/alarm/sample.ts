/** A small archive with rows of the restored database: what broken copies are made of. */
import type { Contents } from '../../domain/contents.ts';
import { BackupError } from '../../domain/errors.ts';
import { displayName, type QualifiedName, quoteIdentifier, quoteQualified } from '../../domain/relations.ts';
import type { ClientTools } from '../../postgres/client-tools.ts';
import type { TargetAccess } from '../../restore/access.ts';
import { startProcess } from '../../runner/process.ts';

const TABLES = 3;
/** Of COPY text in each of them. */
const MAX_TABLE_BYTES = 256 * 1024;
const MAX_ARCHIVE_BYTES = 16 * 1024 * 1024;
/** Where no table is small enough, or none has rows. */
const OWN_SCHEMA = 'db-backup-action alarm';
const OWN_TABLE: QualifiedName = { schema: OWN_SCHEMA, name: 'sample' };

export interface SampleParts {
  access: TargetAccess;
  /** The restored copy. */
  database: string;
  contents: Contents;
  tools: ClientTools;
  signal: AbortSignal;
}

export interface Sample {
  whole: Buffer;
  /** The same without the rows of one table. */
  withoutRows: Buffer;
}

/** Two runs of pg_dump over up to three small tables. Throws `ERR_DUMP_FAILED` or the server's error. */
export async function takeSample(parts: SampleParts): Promise<Sample> {
  const tables = smallTables(parts.contents);
  if (tables.length > 0) return await dumpBoth(parts, tables);
  try {
    await makeOwnTable(parts);
    return await dumpBoth(parts, [OWN_TABLE]);
  } finally {
    await parts.access.use('alarm sample', parts.database, ({ client }) =>
      client.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(OWN_SCHEMA)} CASCADE`),
    );
  }
}

/** The smallest that have rows. */
export function smallTables(contents: Contents): QualifiedName[] {
  return contents.tables
    .filter(({ rows, bytes, columns, extensionCondition }) => {
      return rows > 0 && columns.length > 0 && bytes <= MAX_TABLE_BYTES && extensionCondition === undefined;
    })
    .toSorted((one, other) => one.bytes - other.bytes)
    .slice(0, TABLES);
}

async function makeOwnTable({ access, database }: SampleParts): Promise<void> {
  await access.use('alarm sample', database, async ({ client }) => {
    await client.query(`CREATE SCHEMA ${quoteIdentifier(OWN_SCHEMA)}`);
    await client.query(
      `CREATE TABLE ${quoteQualified(OWN_TABLE)} AS SELECT g AS id, 'row ' || g AS words FROM generate_series(1, 100) g`,
    );
  });
}

async function dumpBoth(parts: SampleParts, tables: readonly QualifiedName[]): Promise<Sample> {
  const [first] = tables as [QualifiedName];
  const chosen = tables.map((table) => `--table=${quoteQualified(table)}`);
  return {
    whole: await dump(parts, chosen, tables),
    withoutRows: await dump(parts, [...chosen, `--exclude-table-data=${quoteQualified(first)}`], tables),
  };
}

/** Without compression, so that a flipped bit is one of a row, and nothing but its digest can tell. */
async function dump(
  { access, database, tools, signal }: SampleParts,
  args: string[],
  tables: readonly QualifiedName[],
) {
  const env = await access.childEnv(tools, database);
  const common = ['--format=custom', '--compress=0', '--no-password', '--no-owner', '--no-privileges'];
  const child = startProcess(tools.pgDump, [...common, ...args], { env, signal, stdout: 'pipe' });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ARCHIVE_BYTES) child.kill();
    else chunks.push(chunk);
  }
  const end = await child.ended;
  signal.throwIfAborted();
  if (end.code === 0 && bytes <= MAX_ARCHIVE_BYTES) return Buffer.concat(chunks);
  const why =
    bytes > MAX_ARCHIVE_BYTES ? 'it is larger than expected' : end.stderr || `it ended with ${end.signal ?? end.code}`;
  throw new BackupError(
    'ERR_DUMP_FAILED',
    `No sample of ${tables.map(displayName).join(', ')} could be dumped: ${why}`,
    {
      op: 'make broken copies',
      hint: 'The restored copy cannot be dumped again. Read what pg_dump said.',
    },
  );
}

/** What pg_dump writes behind the last row of a table. */
const END_OF_ROWS = Buffer.from('\\.\n\n\n');
/** Of a piece of the archive: a sign and four bytes, the lowest first. */
const LENGTH_BYTES = 5;
const NEWLINE = 0x0a;

/** `undefined` when the archive has no rows where they are expected. */
export function breakArchive(whole: Buffer, how: 'truncated' | 'flipped'): Buffer | undefined {
  const rowEnd = endOfLastRow(whole);
  if (rowEnd === undefined) return undefined;
  if (how === 'truncated') return whole.subarray(0, rowEnd);
  const copy = Buffer.from(whole);
  // The last character of the last row.
  copy[rowEnd - 1] = (copy[rowEnd - 1] as number) ^ 1;
  return copy;
}

/** Where its line break is. The rows and what ends them are pieces of their own, or one. */
function endOfLastRow(whole: Buffer): number | undefined {
  const end = whole.lastIndexOf(END_OF_ROWS);
  if (end < LENGTH_BYTES + 2) return undefined;
  const isPiece = whole.readUInt32LE(end - LENGTH_BYTES + 1) === END_OF_ROWS.length;
  const rowEnd = (isPiece ? end - LENGTH_BYTES : end) - 1;
  return whole[rowEnd] === NEWLINE ? rowEnd : undefined;
}
