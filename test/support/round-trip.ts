/** From a live database through the action into storage, and by RESTORE.md into another server. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { Contents } from '../../src/domain/contents.ts';
import { makeToolCache, type ToolCache } from './client-shims.ts';
import type { Clients } from './clients.ts';
import {
  type LiveDatabase,
  liveContent,
  recordedContent,
  referenceRestore,
  schemaEntries,
} from './compare-databases.ts';
import { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts';
import { type GuideOptions, restoreByGuide } from './restore-by-guide.ts';
import { type ActionResult, type RunOptions, runAction } from './run-action.ts';

/** A server to back up from and a fresh one of the same major to restore to. */
export interface RoundTripStage {
  readonly clients: Clients;
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  /** The directory of the backups. */
  readonly storage: string;
  readonly folder: string;
  readonly tools: ToolCache;
  stop(): Promise<void>;
}

export async function setRoundTripStage(
  clients: Clients,
  options: Pick<PostgresOptions, 'settings'> = {},
): Promise<RoundTripStage> {
  const { major } = clients;
  const [source, target] = await Promise.all([startPostgres({ major, ...options }), startPostgres({ major })]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'round-trip-'));
  const tools = await makeToolCache(clients);
  return {
    clients,
    source,
    target,
    folder,
    storage: path.join(folder, 'backups'),
    tools,
    stop: async () => {
      await Promise.all([source.stop(), target.stop()]);
      await tools.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Backs `database` up, by default into the directory and unencrypted; expects it to be proven. */
export async function backUp(stage: RoundTripStage, database: string, options: RunOptions = {}): Promise<ActionResult> {
  const run = await runAction({
    runner: 'self-hosted',
    ...options,
    inputs: {
      'database-url': stage.source.uri(database),
      storage: stage.storage,
      encryption: 'none',
      ...options.inputs,
    },
    env: { HOME: stage.folder, RUNNER_TOOL_CACHE: stage.tools.folder, ...options.env },
  });
  expect(run.exitCode, run.maskedLog).toBe(0);
  expect(run.outputs.verdict).toBe('proven');
  return run;
}

export interface Restored extends LiveDatabase {
  /** Holds the decrypted files of the set. */
  folder: string;
  contents: Contents;
  /** What the guide printed. */
  output: string;
}

/** Runs the guide against the target server; the new database has the name of the source's. */
export async function restore(
  stage: RoundTripStage,
  guide: string,
  database: string,
  options: Partial<GuideOptions> = {},
): Promise<Restored> {
  const folder = await mkdtemp(path.join(stage.folder, 'restore-'));
  const { target: server, clients } = stage;
  const output = await restoreByGuide(guide, { folder, server, database, clients, ...options });
  const contents = JSON.parse(readFileSync(path.join(folder, 'contents.json'), 'utf8')) as Contents;
  return { server, database, clients, folder, contents, output };
}

/** RESTORE.md of a set that lies in a directory. */
export function guideOf(run: ActionResult): string {
  return readFileSync(path.join(run.outputs['backup-uri'] ?? '', 'RESTORE.md'), 'utf8');
}

/** Every table's digest, every sequence and large object: equal in source, contents.json and restored database. */
export async function expectSameContent(source: LiveDatabase, restored: Restored): Promise<void> {
  const recorded = recordedContent(restored.contents);
  expect(await liveContent(source, restored.contents)).toEqual(recorded);
  expect(await liveContent(restored, restored.contents)).toEqual(recorded);
}

/** Every definition is the one that a restore of the definitions alone gives on the same server, after `prepare`. */
export async function expectSameSchema(restored: Restored, prepare?: string): Promise<void> {
  const reference = await referenceRestore(restored, path.join(restored.folder, 'database.backup'), prepare);
  const expected = await schemaEntries(reference);
  expect(expected.length).toBeGreaterThan(0);
  expect(await schemaEntries(restored)).toEqual(expected);
}
