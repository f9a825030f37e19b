/** Drills of real sets: two destinations, keys, a throwaway server that is given, and a machine that has its own. */
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, vi } from 'vitest';
import { type DrillRecord, parseDrillRecord } from '../../src/domain/drill-record.ts';
import { type ScenarioOptions, type ScenarioRun, startScenario } from './backup-scenario.ts';
import { makeToolCache, type ToolCache } from './client-shims.ts';
import type { Clients } from './clients.ts';
import { expectNoSecret } from './expect-run.ts';
import { postgresBinaries, serverAccount } from './postgres-binaries.ts';
import { processesWith } from './process-watch.ts';
import { schemaErrors } from './published-schemas.ts';
import type { RunOptions } from './run-action.ts';

/** Row data, and what could never stand in a report. */
export const ROW = 'row-that-nobody-reads';
const EVENTS = `CREATE TABLE events (id int PRIMARY KEY, what text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  INSERT INTO events (id, what) SELECT g, '${ROW} ' || g FROM generate_series(1, 50) g;`;

export interface DrillRunOptions extends RunOptions {
  /** Names of databases and of copies are those of this server. By default the drill starts a server of its own. */
  target?: string;
  tools?: ToolCache;
  /** RUNNER_TEMP is the runner's own folder instead of one that everybody may enter. */
  privateTemp?: boolean;
}

export interface KeptRecord {
  record: DrillRecord;
  file: string;
  text: string;
}

export type DrillBench = Awaited<ReturnType<typeof startDrillBench>>;

/** Backups of `shop` go, encrypted, to two directories. The caller stops it. */
export async function startDrillBench(clients: Clients, options: ScenarioOptions = {}) {
  await using started = new AsyncDisposableStack();
  const scenario = await startScenario(clients, { ...options, sql: `${EVENTS}\n${options.sql ?? ''}` });
  started.defer(() => scenario.stop());
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const second = path.join(scenario.folder, 'second');
  const temp = path.join(scenario.folder, 'temp');
  for (const folder of [second, temp]) mkdirSync(folder);
  // A server of root's run belongs to another account, which must get there.
  chmodSync(scenario.folder, 0o755);
  const storage = `${scenario.storage}\n${second}`;
  const tools = await machineWithServer(clients);
  started.defer(() => tools.remove());
  let databases = 0;

  /** The id of a new set. */
  async function backUp(inputs: Record<string, string> = {}, more: RunOptions = {}): Promise<string> {
    const run = await scenario.run({
      ...more,
      inputs: { storage, encryption: '', 'age-recipients': recipient, ...inputs },
    });
    expect(run.exitCode, run.maskedLog).toBe(0);
    return run.outputs['backup-id'] ?? '';
  }

  function drill({ target, tools: own, privateTemp = false, ...more }: DrillRunOptions = {}): Promise<ScenarioRun> {
    return scenario.run({
      tools: own ?? tools,
      ...more,
      inputs: {
        command: 'drill',
        'database-url': '',
        encryption: '',
        storage,
        'age-identity': identity,
        ...(target === undefined ? {} : { 'target-database-url': target }),
        ...more.inputs,
      },
      env: { ...(privateTemp ? {} : { RUNNER_TEMP: temp }), ...more.env },
    });
  }

  /** The URL of a new empty database on the server that the backups come from. */
  async function emptyDatabase(): Promise<string> {
    databases += 1;
    const name = `empty_${databases}`;
    await scenario.server.createDatabase(name);
    return scenario.server.uri(name);
  }

  /** Of one destination, oldest first. */
  /** Oldest first; names of one second have no order. */
  function recordsIn(folder: string, id: string, series = 'shop'): KeptRecord[] {
    const place = path.join(folder, series, '_drills', id);
    const records = namesIn(place).map((name) => {
      const file = path.join(place, name);
      const text = readFileSync(file, 'utf8');
      return { file, text, record: parseDrillRecord(text) };
    });
    return records.sort((one, other) => Date.parse(one.record.startedAt) - Date.parse(other.record.startedAt));
  }

  /** The newest, which is the same at both destinations and as the schema has it. */
  function lastRecord(id: string, series = 'shop'): DrillRecord {
    const [first, other] = [scenario.storage, second].map((folder) => recordsIn(folder, id, series).at(-1));
    expect(first?.text).toBe(other?.text);
    expect(schemaErrors('drill', JSON.parse(first?.text ?? ''))).toEqual([]);
    return first?.record as DrillRecord;
  }

  /** No server, no file, no process and no word of a secret is left; no database that nobody may use either. */
  async function expectNothingLeft(run: ScenarioRun): Promise<void> {
    expect(run.post?.exitCode).toBe(0);
    expect(namesIn(temp)).toEqual([]);
    expect(run.filesLeftBehind).toEqual([]);
    // The guard of a drill's own server outlives the run by a breath, to see that the folder is gone.
    const left = () => processesWith(run.temp).map(({ commandLine }) => commandLine);
    await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 10_000, interval: 200 });
    expectNoSecret(run, [identity]);
  }

  const all = started.move();
  return {
    scenario,
    identity,
    recipient,
    second,
    storage,
    temp,
    tools,
    backUp,
    drill,
    emptyDatabase,
    recordsIn,
    lastRecord,
    expectNothingLeft,
    /** Names of all databases of the server that is given. */
    databases: async (): Promise<string[]> => {
      const rows = await scenario.query<{ datname: string }>('SELECT datname FROM pg_database ORDER BY 1', 'postgres');
      return rows.map(({ datname }) => datname);
    },
    stop: () => all.disposeAsync(),
  };
}

export type ServerScripts = Readonly<Partial<Record<'initdb' | 'postgres' | 'pg_restore', string>>>;

/**
 * A tool cache with the clients and a server of the same major. Programs can be shell scripts instead: `$REAL` is the
 * real one, and asked for its version a script is not.
 */
export async function machineWithServer(clients: Clients, scripts: ServerScripts = {}): Promise<ToolCache> {
  const cache = await makeToolCache(clients);
  await chmod(cache.folder, 0o755);
  const { bin: real } = await postgresBinaries(clients.major, serverAccount());
  const version = path.join(cache.folder, 'postgresql-server', String(clients.major), process.arch);
  await mkdir(path.dirname(version), { recursive: true });
  if (scripts.initdb === undefined && scripts.postgres === undefined) {
    await symlink(path.dirname(real), version);
  } else {
    const bin = path.join(version, 'bin');
    await mkdir(bin, { recursive: true });
    for (const name of ['initdb', 'postgres'] as const) await script(bin, name, `${real}/${name}`, scripts[name]);
  }
  if (scripts.pg_restore !== undefined) {
    const bin = path.join(cache.folder, 'postgresql-client', clients.version, process.arch, 'bin');
    await rm(path.join(bin, 'pg_restore'));
    await script(bin, 'pg_restore', clients.pgRestore, scripts.pg_restore);
  }
  return cache;
}

async function script(folder: string, name: string, real: string, body = 'exec "$REAL" "$@"'): Promise<void> {
  const text = `#!/bin/sh\nREAL='${real}'\n[ "$1" = --version ] && exec "$REAL" "$1"\n${body}\n`;
  await writeFile(path.join(folder, name), text);
  await chmod(path.join(folder, name), 0o755);
}

/** In their order; none when the folder is not there. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Status of each check of a record. */
export function statuses({ checks }: DrillRecord): Record<string, string> {
  return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
}
