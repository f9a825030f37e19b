/**
 * Real backups in real storage, taken by the command `backup` from src/: for tests of everything that reads them. One
 * is taken once and copied for every test, which may then spoil its copy.
 */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { BackupResult, CommandContext } from '../../src/command.ts';
import { backup } from '../../src/commands/backup.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { makeToolCache } from './client-shims.ts';
import type { Clients } from './clients.ts';
import { type Fixture, loadDatabase } from './databases/index.ts';
import { backupInputsOf, step } from './inputs.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { recordingLog } from './silent-log.ts';
import { realClock } from './storage-bench.ts';

export interface TakeOptions {
  clients: Clients;
  /** `postgresql://…` */
  url: string;
  /** Lines of `storage`. */
  storage: readonly string[];
  /** Over the defaults: the series `shop`, no encryption. */
  inputs?: Readonly<Record<string, string>>;
  /** Credentials of a bucket. */
  env?: Readonly<Record<string, string>>;
}

/** Takes one backup with all of its proofs; throws what the command throws. */
export async function takeBackup({ clients, url, storage, inputs, env }: TakeOptions): Promise<BackupResult> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'take-'));
  const tools = await makeToolCache(clients);
  try {
    const variables = step(
      { name: 'shop', 'database-url': url, storage: storage.join('\n'), encryption: 'none', ...inputs },
      { PATH: process.env.PATH ?? '', HOME: folder, RUNNER_TEMP: folder, RUNNER_TOOL_CACHE: tools.folder, ...env },
    );
    const result = await backup(backupInputsOf(variables), contextIn(folder, variables));
    if (!('outcome' in result) || result.outcome !== 'taken') throw new Error('no backup was taken');
    return result;
  } finally {
    await tools.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What commands of src/ are given, with `workDir` as their private folder. */
export function contextIn(workDir: string, env: Record<string, string> = {}): CommandContext {
  const script = (name: string): URL => new URL(`../../src/postgres/${name}.ts`, import.meta.url);
  return {
    log: recordingLog(),
    clock: realClock,
    env,
    signal: new AbortController().signal,
    workDir,
    version: '0.0.0-test',
    threads: { proof: script('archive-proof-worker'), cache: script('client-cache-worker') },
    tell: () => undefined,
  };
}

export interface StoredSet {
  readonly manifest: Manifest;
  /** The secret key and its recipient. */
  readonly identity: string;
  readonly recipient: string;
  /** Below a destination's root: `shop/2026…`. */
  readonly setFolder: string;
  /** Two directories that hold the set, to be spoiled by one test; removed with all others by `remove`. */
  copies(): Promise<[first: string, second: string]>;
  /** An empty folder for whatever a test needs. */
  folder(): Promise<string>;
  remove(): Promise<void>;
}

export interface StoredSetOptions {
  clients: Clients;
  fixture?: Fixture;
  /** Inputs over the defaults: by default the set is encrypted to `recipient`. */
  inputs?: Readonly<Record<string, string>>;
}

/** One backup of a database that is gone afterwards, in two directories, encrypted to a key of its own. */
export async function storeSet({ clients, fixture = 'shop', inputs }: StoredSetOptions): Promise<StoredSet> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'stored-sets-'));
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const taken = path.join(root, 'taken');
  let server: PostgresServer | undefined;
  let folders = 0;
  const folder = async (): Promise<string> => {
    const made = path.join(root, `test-${++folders}`);
    await mkdir(made);
    return made;
  };
  try {
    server = await startPostgres({ major: clients.major });
    await loadDatabase(server, 'shop', fixture);
    const encrypted = { encryption: 'age', 'age-recipients': recipient };
    const storage = [path.join(taken, 'first'), path.join(taken, 'second')];
    const url = server.uri('shop');
    const { manifest } = await takeBackup({ clients, url, storage, inputs: inputs ?? encrypted });
    return {
      manifest,
      identity,
      recipient,
      setFolder: `shop/${manifest.id}`,
      folder,
      async copies() {
        const home = await folder();
        await cp(taken, home, { recursive: true });
        return [path.join(home, 'first'), path.join(home, 'second')];
      },
      remove: () => rm(root, { recursive: true, force: true }),
    };
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  } finally {
    await server?.stop();
  }
}
