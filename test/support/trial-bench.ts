/** Backups with `verify: restore`, taken by the command itself, without a bundle: real servers, real clients, a directory. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { BackupResult, CommandContext } from '../../src/command.ts';
import { backup } from '../../src/commands/backup.ts';
import type { Check } from '../../src/domain/checks.ts';
import { parseConnection } from '../../src/domain/connection.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import type { BackupInputs } from '../../src/inputs/types.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { Clients } from './clients.ts';
import type { PostgresServer } from './postgres-server.ts';
import { searchWithServer } from './server-search.ts';
import { recordingLog, type SilentLog } from './silent-log.ts';

export interface TrialBench {
  readonly folder: string;
  readonly log: SilentLog;
  /** Where the clients are looked for: `bin` may be replaced by links and scripts. */
  readonly clientBin: string;
  run(database: string, given?: Partial<BackupInputs>, signal?: AbortSignal): Promise<BackupResult>;
  /** Manifests of all sets that are stored. */
  manifests(): Promise<Manifest[]>;
  /** What lies where runs put their folders, but for their parents. */
  leftovers(): Promise<string[]>;
  remove(): Promise<void>;
}

/** @param options.withServer false: this machine has no server of that major, and no apt */
export async function openTrialBench(
  server: PostgresServer,
  clients: Clients,
  options: { withServer?: boolean } = {},
): Promise<TrialBench> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'trial-'));
  await chmod(folder, 0o755);
  const temp = path.join(folder, 'temp');
  await mkdir(temp);
  if (options.withServer !== false) await searchWithServer(folder, clients.major);
  const clientRoot = path.join(folder, 'cache/postgresql-client', String(clients.major), process.arch);
  await mkdir(clientRoot, { recursive: true });
  const clientBin = path.join(clientRoot, 'bin');
  await symlink(clients.bin, clientBin);
  const log = recordingLog();
  const workDir = (number: number): string => path.join(temp, `db-backup-action-${number}`);
  let runs = 0;
  const storage = path.join(folder, 'backups');
  return {
    folder,
    log,
    clientBin,
    run: async (database, given = {}, signal = new AbortController().signal) => {
      runs += 1;
      const dir = workDir(runs);
      await mkdir(dir, { mode: 0o700 });
      const context: CommandContext = {
        log,
        clock: systemClock,
        env: { PATH: path.join(folder, 'nothing') },
        signal,
        workDir: dir,
        version: '0.0.0',
        threads: {
          proof: new URL('../../src/postgres/archive-proof-worker.ts', import.meta.url),
          cache: new URL('../../src/postgres/client-cache-worker.ts', import.meta.url),
        },
        tell: () => undefined,
      };
      try {
        const inputs = { ...inputsFor(server.uri(database), storage, path.join(folder, 'cache')), ...given };
        const result = await backup(inputs, context);
        if (!('outcome' in result) || result.outcome !== 'taken') throw new Error('no backup was taken');
        return result;
      } finally {
        await rm(dir, { recursive: true });
      }
    },
    manifests: async () => {
      const names = await readdir(storage, { recursive: true }).catch(() => []);
      const files = names.filter((name) => name.endsWith('metadata.json'));
      return await Promise.all(
        files.map(async (name) => JSON.parse(await readFile(path.join(storage, name), 'utf8')) as Manifest),
      );
    },
    leftovers: () => readdir(temp),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The check `restore` of a backup. */
export function restoreCheck({ contents }: BackupResult): Check {
  const check = contents.checks.find(({ id }) => id === 'restore');
  if (check === undefined) throw new Error('there is no check restore');
  return check;
}

function inputsFor(url: string, storage: string, toolCache: string): BackupInputs {
  return {
    command: 'backup',
    name: 'shop',
    connection: parseConnection(url, {}),
    destinations: [{ kind: 'directory', path: storage }],
    encryption: { method: 'none' },
    label: 'manual',
    keepForever: false,
    dryRun: false,
    scope: WHOLE,
    globals: true,
    verifySource: false,
    verifyRestore: true,
    criticalTables: [],
    maxSizeChangePercent: 50,
    lockTimeoutSeconds: 20,
    maxDurationMinutes: 10,
    stallTimeoutSeconds: 60,
    connectWindowSeconds: 5,
    allowEmpty: false,
    allowEphemeral: false,
    acceptNewSource: true,
    aptRepository: { uri: 'http://127.0.0.2:1', key: '' },
    cacheClientTools: false,
    notices: [],
    runner: { run: null, hosted: false, tempDirectory: '/nowhere', toolCache },
  };
}
