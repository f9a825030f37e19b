/** Backups of real databases without storage, restored by the stock pg_restore, and the proof of what came of it. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { contentsOf } from '../../src/backup/describe.ts';
import type { CommandContext } from '../../src/command.ts';
import type { Check, CheckId } from '../../src/domain/checks.ts';
import { parseConnection } from '../../src/domain/connection.ts';
import type { Contents } from '../../src/domain/contents.ts';
import type { EntryPlan } from '../../src/domain/entry-plan.ts';
import { type Scope, WHOLE } from '../../src/domain/scope.ts';
import type { Toc, TocEntry } from '../../src/domain/toc.ts';
import { ArchiveReader } from '../../src/postgres/archive-reader.ts';
import type { ClientTools } from '../../src/postgres/client-tools.ts';
import { dumpArgs } from '../../src/postgres/dump.ts';
import { openSnapshot } from '../../src/postgres/snapshot.ts';
import { readToc } from '../../src/postgres/toc.ts';
import { TargetAccess } from '../../src/restore/access.ts';
import type { RestoredProofParts } from '../../src/restore/prove/parts.ts';
import { proveRestored, type RestoredProof } from '../../src/restore/prove.ts';
import { proveForeign } from '../../src/restore/prove-foreign.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { Supervisor } from '../../src/runner/supervisor.ts';
import type { Clients } from './clients.ts';
import type { PostgresServer } from './postgres-server.ts';
import { runTool } from './run-tool.ts';
import { silentLog } from './silent-log.ts';

export interface BenchBackup {
  contents: Contents;
  toc: Toc;
  plan: EntryPlan;
  archive: { kind: 'file'; format: 'custom'; path: string };
}

/** A backup as the action takes it: one snapshot, `pg_dump` of the server's major, the archive read to its end. */
export async function backUpInto(
  folder: string,
  server: PostgresServer,
  clients: Clients,
  database: string,
  scope: Partial<Scope> = {},
): Promise<BenchBackup> {
  const chosen: Scope = { ...WHOLE, ...scope };
  const client = new pg.Client({ connectionString: server.uri(database) });
  await client.connect();
  const snapshot = await openSnapshot(client, {
    scope: chosen,
    criticalTables: [],
    lockTimeoutSeconds: 20,
    signal: new AbortController().signal,
    log: silentLog,
  });
  const file = path.join(folder, `${randomUUID()}.backup`);
  try {
    const { facts, id } = snapshot;
    const args = dumpArgs({
      major: server.major,
      snapshotId: id,
      scope: chosen,
      compression: { method: 'none', level: 0 },
      encoding: facts.settings.client_encoding,
      lockTimeoutSeconds: 20,
      unloggedData: true,
    });
    await runTool(clients.pgDump, [...args, `--file=${file}`, `--dbname=${server.uri(database)}`]);
    await snapshot.readSequencesAfter();
    const report = await readArchive(clients, file);
    const evidence = {
      id: '20261121_020000_nightly_k3v9qa',
      inputs: { scope: chosen },
      taken: { facts, report },
      objects: [],
    } as unknown as Parameters<typeof contentsOf>[0];
    const contents = contentsOf(evidence, []);
    const run = { env: {}, signal: new AbortController().signal };
    const toc = await readToc(benchTools(clients), { path: file }, run);
    return { contents, toc, plan: planOf(toc), archive: { kind: 'file', format: 'custom', path: file } };
  } finally {
    await snapshot.close();
  }
}

async function readArchive({ pgRestore }: Clients, file: string) {
  const reader = new ArchiveReader();
  const child = spawn(pgRestore, ['--file=-', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', (chunk: Buffer) => reader.write(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`pg_restore ended with ${code}`);
  return reader.end();
}

/** The whole archive, or the entries that `keep` chooses. */
export function planOf(toc: Toc, keep?: (entry: TocEntry) => boolean): EntryPlan {
  return {
    restored: keep === undefined ? toc.entries : toc.entries.filter(keep),
    whole: keep === undefined,
    leftOut: [],
    gaps: [],
    missingRoles: [],
    rolesToCreate: [],
    findings: [],
  };
}

export function benchTools(clients: Clients): ClientTools {
  const { major, version, pgDump, pgRestore, pgDumpall } = clients;
  return { major, version, pgDump, pgRestore, pgDumpall, source: 'system', env: {} };
}

/** Restores with stock pg_restore into a new database. */
export async function restoreTo(
  server: PostgresServer,
  clients: Clients,
  backup: BenchBackup,
  database: string,
  flags: readonly string[] = [],
): Promise<void> {
  await server.createDatabase(database, 'TEMPLATE template0');
  await runTool(clients.pgRestore, [...flags, `--dbname=${server.uri(database)}`, backup.archive.path]);
}

export interface ProveOptions extends Partial<RestoredProofParts> {
  user?: string;
}

/** The way to `database` as a command has it; `close` ends it. */
async function accessTo(folder: string, server: PostgresServer, database: string, user: string | undefined) {
  const { signal } = new AbortController();
  const workDir = await mkdtemp(path.join(folder, 'proof-'));
  const context = { log: silentLog, clock: systemClock, env: {}, signal, workDir } as unknown as CommandContext;
  const supervisor = new Supervisor(signal);
  const connection = parseConnection(server.uri(database, user), {});
  const access = new TargetAccess({ connection, context, supervisor, stallSeconds: 60, connectWindowSeconds: 5 });
  return { access, workDir, signal, close: () => supervisor.close() };
}

/** The look at a database that was restored from a dump made by other means. */
export async function lookAt(
  folder: string,
  server: PostgresServer,
  database: string,
  criticalTables: readonly string[],
  user?: string,
): Promise<RestoredProof> {
  const { access, signal, close } = await accessTo(folder, server, database, user);
  try {
    return await proveForeign({ access, database, criticalTables, signal, clock: systemClock });
  } finally {
    close();
  }
}

/** The proof of `database`, by default with the right to make a reference. */
export async function prove(
  folder: string,
  server: PostgresServer,
  clients: Clients,
  backup: BenchBackup,
  database: string,
  { user, ...over }: ProveOptions = {},
): Promise<RestoredProof> {
  const { access, workDir, signal, close } = await accessTo(folder, server, database, user);
  const reference = `reference_${randomUUID()}`;
  const execute = (sql: string): Promise<void> =>
    access.attempt('reference', 'postgres', async ({ client }) => void (await client.query(sql)));
  try {
    return await proveRestored({
      access,
      database,
      alone: true,
      ...backup,
      tools: benchTools(clients),
      owner: 'keep',
      privileges: 'keep',
      jobs: 2,
      criticalTables: [],
      reference: {
        database: reference,
        create: () => execute(`CREATE DATABASE "${reference}" TEMPLATE template0`),
        drop: () => execute(`DROP DATABASE IF EXISTS "${reference}"`),
      },
      lockTimeoutSeconds: 20,
      workDir,
      signal,
      log: silentLog,
      clock: systemClock,
      ...over,
    });
  } finally {
    close();
  }
}

/** The check of this id. */
export function checkOf({ checks }: { checks: readonly Check[] }, id: CheckId): Check {
  const check = checks.find((each) => each.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  return check;
}

/** What is not passed, for a test's `toEqual([])`. */
export function doubts({ checks }: { checks: readonly Check[] }): Check[] {
  return checks.filter(({ status }) => status !== 'passed');
}
