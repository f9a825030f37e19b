/** Rows and large objects of the restored database, read by several sessions in one snapshot, each table once. */
import type pg from 'pg';
import type { ArchivedLargeObjects } from '../../domain/archive-report.ts';
import type { ContentsTable } from '../../domain/contents.ts';
import { messageOf } from '../../domain/errors.ts';
import type { CopySettings, SourceDigests } from '../../domain/facts.ts';
import { relationKey } from '../../domain/relations.ts';
import { tablesToProve, type UnreadTable } from '../../domain/restored-proof/rows.ts';
import { largeObjectsToProve } from '../../domain/restored-proof/values.ts';
import { copyOut } from '../../postgres/copy-out.ts';
import { RowsDigester } from '../../postgres/digest/rows-digester.ts';
import { digestLargeObjects } from '../../postgres/large-object-digest.ts';
import { isServerAnswer, sqlState } from '../../postgres/session.ts';
import { adoptSettings, copyStatement } from '../../postgres/source-digest.ts';
import type { RestoredProofParts, SharedSnapshot } from './parts.ts';

/** SQLSTATEs of a table, schema or column that is not there, or is something else than a table. */
const MISSING = ['42P01', '3F000', '42703', '42809'];

export interface ReadContent {
  digests: SourceDigests;
  unread: Map<string, UnreadTable>;
  largeObjects?: ArchivedLargeObjects | Error;
}

/** Reads everything that the plan restored. Throws when a session is lost; what the server refuses is noted. */
export async function readContent(parts: RestoredProofParts, snapshot: SharedSnapshot): Promise<ReadContent> {
  const { contents, toc, plan } = parts;
  const content: ReadContent = { digests: new Map(), unread: new Map() };
  const tables = tablesToProve(contents, plan).sort((one, other) => other.bytes - one.bytes);
  const tasks: Task[] = tables.map((table) => ({ table }));
  // First, because its size is known of all large objects together alone.
  if (largeObjectsToProve(contents, toc, plan) === 'all') tasks.unshift('large-objects');
  const sessions = Math.max(1, Math.min(parts.jobs, tasks.length));
  await Promise.all(
    Array.from({ length: sessions }, (_, at) => readInSession(parts, snapshot, tasks, content, at + 1)),
  );
  return content;
}

type Task = { table: ContentsTable } | 'large-objects';

async function readInSession(
  { access, database, contents, signal }: RestoredProofParts,
  snapshot: SharedSnapshot,
  tasks: Task[],
  content: ReadContent,
  number: number,
): Promise<void> {
  if (tasks.length === 0) return;
  await access.use(`proof ${number}`, database, async ({ client }) => {
    await enterSnapshot(client, snapshot, contents.settings);
    const digester = new RowsDigester();
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      signal.throwIfAborted();
      const failure =
        task === 'large-objects'
          ? await attempt(async () => {
              content.largeObjects = await digestLargeObjects(client);
            })
          : await readTable(client, digester, task.table, contents.settings.client_encoding, content);
      if (failure === undefined) continue;
      if (task === 'large-objects') content.largeObjects = failure;
      else content.unread.set(relationKey(task.table), unreadTable(failure));
      await client.query('ROLLBACK');
      await beginInSnapshot(client, snapshot);
    }
  });
}

async function readTable(
  client: pg.Client,
  digester: RowsDigester,
  table: ContentsTable,
  encoding: string,
  content: ReadContent,
): Promise<Error | undefined> {
  return await attempt(async () => {
    digester.reset();
    await copyOut(client, copyStatement(table, encoding), (block) => digester.feedRows(block));
    const { rows, digest } = digester.finish();
    content.digests.set(relationKey(table), { rows, digest });
  });
}

/** The server's refusal, after which the session lives on in a failed transaction; anything else is thrown. */
async function attempt(body: () => Promise<void>): Promise<Error | undefined> {
  try {
    await body();
    return undefined;
  } catch (error) {
    if (!isServerAnswer(error)) throw error;
    return error as Error;
  }
}

function unreadTable(error: Error): UnreadTable {
  const kind = MISSING.includes(sqlState(error) ?? '') ? 'missing' : 'refused';
  return { kind, message: messageOf(error) };
}

/** Makes the session write the recorded COPY text, and see the shared state of the database. */
export async function enterSnapshot(
  client: pg.Client,
  snapshot: SharedSnapshot,
  settings: CopySettings,
): Promise<void> {
  await adoptSettings(client, settings);
  await withoutLimits(client);
  await beginInSnapshot(client, snapshot);
}

async function beginInSnapshot(client: pg.Client, { id }: SharedSnapshot): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query(`SET TRANSACTION SNAPSHOT '${id.replaceAll("'", "''")}'`);
}

/** Whatever role, database and server say of how long a transaction may take. */
export async function withoutLimits(client: pg.Client): Promise<void> {
  await client.query(
    `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
      WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'lock_timeout')`,
  );
}
