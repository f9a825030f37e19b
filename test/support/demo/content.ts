/** Rows and content digests of every table, read anew from a database, beside what a backup says about them. */
import type { RowsDigest } from '../../../src/domain/archive-report.ts';
import type { Contents } from '../../../src/domain/contents.ts';
import { relationKey } from '../../../src/domain/relations.ts';
import { adoptSettings, digestTables } from '../../../src/postgres/source-digest.ts';
import type { PostgresServer } from '../postgres-server.ts';

export interface ComparedTable {
  /** `public.orders` */
  name: string;
  source: RowsDigest;
  backup: RowsDigest;
  restored: RowsDigest;
  same: boolean;
}

/** Reads each table of `contents` in both databases, with the settings that pg_dump had. */
export async function compareContent(
  server: PostgresServer,
  contents: Contents,
  source: string,
  restored: string,
): Promise<ComparedTable[]> {
  const [before, after] = [await readTables(server, contents, source), await readTables(server, contents, restored)];
  return contents.tables.map((backup) => {
    const key = relationKey(backup);
    const [left, right] = [before.get(key), after.get(key)];
    if (left === undefined || right === undefined) throw new Error(`${backup.name} was not read`);
    const same = [left, right].every(({ rows, digest }) => rows === backup.rows && digest === backup.digest);
    return { name: `${backup.schema}.${backup.name}`, source: left, backup, restored: right, same };
  });
}

/** Names of the ordinary tables of a database, as its own catalog has them. */
export async function tablesOf(server: PostgresServer, database: string): Promise<string[]> {
  const rows = await server.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_catalog.pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    database,
  );
  return rows.map(({ name }) => name);
}

async function readTables(server: PostgresServer, contents: Contents, database: string) {
  const client = await server.connect(database);
  try {
    await adoptSettings(client, contents.settings);
    return await digestTables(client, contents.tables, contents.settings.client_encoding);
  } finally {
    await client.end();
  }
}
