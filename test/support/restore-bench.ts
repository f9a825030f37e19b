/** Archives of one server, restored into another by the modules themselves. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { EntryPlan, EntryPlanInput } from '../../src/domain/entry-plan.ts';
import { planEntries } from '../../src/domain/entry-plan.ts';
import type { ClientTools } from '../../src/postgres/client-tools.ts';
import type { RestoreOptions } from '../../src/postgres/restore.ts';
import type { RestoreSource } from '../../src/postgres/restore-source.ts';
import { readRoleUse, readToc } from '../../src/postgres/toc.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { type Clients, clientTools, type Skipped } from './clients.ts';
import type { Fixture } from './databases/index.ts';
import { loadDatabase } from './databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from './postgres-server.ts';
import { runTool } from './run-tool.ts';
import { silentLog } from './silent-log.ts';
import { SUPERUSER } from './target-facts.ts';

/** The client that dumps, and the one that restores. */
export interface RestoreClients {
  dump: Clients;
  restore: Clients;
}

export async function restoreClients(sourceMajor: number, targetMajor: number): Promise<RestoreClients | Skipped> {
  const missing = [sourceMajor, targetMajor].find((major) => !availableMajors().includes(major));
  if (missing !== undefined) return { skipped: `no server of major ${missing}` };
  const dump = await clientTools(sourceMajor);
  const restore = await clientTools(Math.max(sourceMajor, targetMajor));
  if ('skipped' in dump) return dump;
  return 'skipped' in restore ? restore : { dump, restore };
}

export class RestoreBench {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  readonly folder: string;
  readonly tools: ClientTools;
  readonly #clients: RestoreClients;
  readonly #read = new Map<string, Pick<EntryPlanInput, 'toc' | 'roleUse'>>();
  #databases = 0;

  static async start(clients: RestoreClients, targetMajor: number): Promise<RestoreBench> {
    const [source, target] = await Promise.all([
      startPostgres({ major: clients.dump.major }),
      startPostgres({ major: targetMajor }),
    ]);
    return new RestoreBench(clients, source, target, await mkdtemp(path.join(os.tmpdir(), 'restore-')));
  }

  private constructor(clients: RestoreClients, source: PostgresServer, target: PostgresServer, folder: string) {
    this.#clients = clients;
    this.source = source;
    this.target = target;
    this.folder = folder;
    const { bin: _bin, ...tools } = clients.restore;
    this.tools = { ...tools, source: 'system', env: {} };
  }

  async stop(): Promise<void> {
    await Promise.all([this.source.stop(), this.target.stop()]);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A dump of `database`, which is filled with the fixture first where one is named. */
  async dump(
    database: string,
    options: { fixture?: Fixture; format?: 'custom' | 'directory' | 'sql' } = {},
  ): Promise<Extract<RestoreSource, { kind: 'file' }>> {
    const { fixture, format = 'custom' } = options;
    if (fixture !== undefined) await loadDatabase(this.source, database, fixture);
    this.#databases += 1;
    const file = path.join(this.folder, `${database}-${this.#databases}`);
    const flag = format === 'sql' ? 'plain' : format;
    await runTool(this.#clients.dump.pgDump, [
      `--format=${flag}`,
      `--file=${file}`,
      `--dbname=${this.source.uri(database)}`,
    ]);
    return { kind: 'file', format, path: file };
  }

  async newDatabase(options = 'TEMPLATE template0'): Promise<string> {
    this.#databases += 1;
    const name = `restored_${this.#databases}`;
    await this.target.createDatabase(name, options);
    return name;
  }

  async #readArchive(archive: { path: string }): Promise<Pick<EntryPlanInput, 'toc' | 'roleUse'>> {
    const roles = await this.source.query<{ rolname: string }>('SELECT rolname FROM pg_roles');
    const known = { roles: roles.map(({ rolname }) => rolname) };
    const run = { env: {}, signal: never(), workDir: this.folder };
    const toc = await readToc(this.tools, archive, { ...run, known });
    return { toc, roleUse: await readRoleUse(this.tools, archive, toc, run) };
  }

  /** Everything of a target that a superuser restores into, unless said otherwise. */
  async plan(
    archive: Extract<RestoreSource, { kind: 'file' }>,
    part: { choices?: Partial<EntryPlanInput['choices']>; input?: Partial<EntryPlanInput> } = {},
  ): Promise<EntryPlan> {
    const read = this.#read.get(archive.path) ?? (await this.#readArchive(archive));
    this.#read.set(archive.path, read);
    const names = async (sql: string): Promise<string[]> =>
      (await this.target.query<{ name: string }>(sql)).map(({ name }) => name);
    return planEntries({
      ...read,
      target: {
        roles: await names('SELECT rolname AS name FROM pg_roles'),
        role: SUPERUSER,
        availableExtensions: await names('SELECT name FROM pg_available_extensions'),
        server: { version: String(this.target.major), major: this.target.major, isStandby: false },
      },
      existing: { schemas: [], extensions: [] },
      choices: { schemas: [], tables: [], owner: 'keep', privileges: 'keep', createRoles: false, ...part.choices },
      creatableRoles: [],
      becomesProduction: true,
      madeNew: true,
      ...part.input,
    });
  }

  options(
    database: string,
    archive: RestoreSource,
    plan: EntryPlan,
    part: Partial<RestoreOptions> = {},
  ): RestoreOptions {
    return {
      archive,
      plan,
      tools: this.tools,
      targetMajor: this.target.major,
      env: this.env(database),
      jobs: 2,
      owner: 'keep',
      privileges: 'keep',
      criticalTables: [],
      workDir: this.folder,
      signal: never(),
      clock: systemClock,
      log: silentLog,
      stallSeconds: 60,
      askServer: async () => 'working',
      ...part,
    };
  }

  env(database: string, user = 'postgres'): Record<string, string> {
    const { PATH = '' } = process.env;
    const { host, port } = this.target;
    return { PATH, LC_ALL: 'C', PGHOST: host, PGPORT: String(port), PGUSER: user, PGDATABASE: database };
  }
}

/** The same bytes as a stream, from the beginning each time. */
export function asStream(archive: Extract<RestoreSource, { kind: 'file' }>): RestoreSource {
  const format = archive.format === 'sql' ? 'sql' : 'custom';
  return { kind: 'stream', format, open: async () => createReadStream(archive.path) };
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal;
}

/**
 * Every table with its rows and columns in no order, every other object by name: two databases with equal answers hold the same
 * rows and the same kinds of things.
 */
export async function inventory(server: PostgresServer, database: string): Promise<Record<string, string>> {
  const client = await server.connect(database);
  try {
    await client.query("SET search_path TO ''; SET row_security TO off; SET TimeZone TO 'UTC'; SET DateStyle TO ISO");
    const { rows } = await client.query<{ kind: string; name: string; sql: string | null }>(INVENTORY);
    const found: Record<string, string> = {};
    for (const { kind, name, sql } of rows) {
      const digest = sql === null ? undefined : await client.query<{ digest: string }>(sql);
      found[`${kind} ${name}`] = digest?.rows[0]?.digest ?? '';
    }
    return found;
  } finally {
    await client.end();
  }
}

const INVENTORY = `
  WITH mine AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
                 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'),
       relation AS (SELECT c.*, m.nspname FROM pg_catalog.pg_class c JOIN mine m ON m.oid = c.relnamespace)
  SELECT 'relation ' || relkind::text AS kind, pg_catalog.format('%I.%I', nspname, relname) AS name,
         CASE WHEN relkind = 'S' THEN pg_catalog.format('SELECT pg_catalog.format(''%%s %%s'', last_value, is_called) AS digest FROM %I.%I', nspname, relname)
              WHEN relkind IN ('r', 'm') AND relispopulated THEN pg_catalog.format('SELECT pg_catalog.count(*) || pg_catalog.md5(pg_catalog.string_agg(pg_catalog.md5(pg_catalog.to_jsonb(t)::pg_catalog.text), '''' ORDER BY pg_catalog.md5(pg_catalog.to_jsonb(t)::pg_catalog.text))) AS digest FROM ONLY %I.%I t', nspname, relname)
         END AS sql
    FROM relation WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I')
  UNION ALL
  SELECT 'constraint', pg_catalog.format('%I.%I %I %s', nspname, relname, conname, convalidated), NULL
    FROM pg_catalog.pg_constraint k JOIN relation r ON r.oid = k.conrelid WHERE contype NOT IN ('t', 'n')
  UNION ALL
  SELECT 'trigger', pg_catalog.format('%I.%I %I %s', nspname, relname, tgname, tgenabled), NULL
    FROM pg_catalog.pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT tgisinternal
  UNION ALL
  SELECT 'policy', pg_catalog.format('%I.%I %I', nspname, relname, polname), NULL
    FROM pg_catalog.pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL
  SELECT 'inheritance', i.inhrelid::pg_catalog.regclass || ' ' || i.inhparent::pg_catalog.regclass, NULL
    FROM pg_catalog.pg_inherits i JOIN relation r ON r.oid = i.inhrelid
  UNION ALL
  SELECT 'function', p.oid::pg_catalog.regprocedure::pg_catalog.text, NULL
    FROM pg_catalog.pg_proc p JOIN mine ON mine.oid = p.pronamespace
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  UNION ALL SELECT 'extension', extname, NULL FROM pg_catalog.pg_extension
  UNION ALL SELECT 'publication', pubname, NULL FROM pg_catalog.pg_publication
  UNION ALL SELECT 'event trigger', pg_catalog.format('%I %s', evtname, evtenabled), NULL FROM pg_catalog.pg_event_trigger
  UNION ALL
  SELECT 'large object', l.oid::pg_catalog.text,
         pg_catalog.format('SELECT pg_catalog.md5(pg_catalog.lo_get(%s)) AS digest', l.oid)
    FROM pg_catalog.pg_largeobject_metadata l
   ORDER BY 1, 2`;
