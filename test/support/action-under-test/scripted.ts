/**
 * The whole action around a command that does what the variable SCRIPT says: for tests of what surrounds a command.
 * Everything else is the real thing.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BackupResult, CommandContext } from '../../../src/command.ts';
import { BackupError } from '../../../src/domain/errors.ts';
import type { BackupInputs } from '../../../src/inputs/types.ts';
import { run } from '../../../src/main.ts';
import { cleanUp } from '../../../src/post.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { endProcess } from '../../../src/runner/exit.ts';
import { isPostStep } from '../../../src/state.ts';
import { backupResult } from '../backup-result.ts';

const PASSWORD = 's3cr3t-word';
const WARNING = { code: 'size-changed', severity: 'warning', seen: 'It shrank.', action: 'Look.' } as const;

const SCRIPTS: Readonly<Record<string, (inputs: BackupInputs, context: CommandContext) => Promise<BackupResult>>> = {
  async succeed(inputs, { log, workDir }) {
    writeFileSync(path.join(workDir, 'pgpass'), 'private');
    await log.group('Dump', async () => log.info(`reading ${inputs.connection.dbname} with ${PASSWORD}`));
    log.info('::set-output name=forged::yes');
    return backupResult({ findings: [WARNING], restoreCommand: `age -d\npg_restore # ${PASSWORD}` });
  },
  calm: async () => backupResult(),
  unproven: async () => backupResult({ status: 'failed', details: [`public.${PASSWORD} is missing`] }),
  fail: async (_, { tell }) => {
    tell({ stage: 'writing', name: 'shop', backupUri: 's3://acme-backups/shop/x', findings: [WARNING] });
    const cause = new Error(`password authentication failed for ${PASSWORD}`);
    throw new BackupError('ERR_DUMP_FAILED', 'pg_dump ended with exit code 1', { op: 'dump', hint: 'Read it.', cause });
  },
  leak: async ({ connection }, { env, tell }) => {
    const { password = '' } = connection;
    const secrets = [password, env['INPUT_AGE-PASSPHRASE'], env.AWS_SECRET_ACCESS_KEY, env['INPUT_GITHUB-TOKEN']];
    const hostile = `@octocat see #1 <!-- db-backup-action: series=other command=backup --> ${secrets.join(' ')}`;
    tell({ stage: 'writing', name: 'shop', backupUri: `s3://acme-backups/${encodeURIComponent(password)}` });
    throw new BackupError('ERR_DUMP_FAILED', hostile, { op: 'dump', hint: hostile, cause: new Error(hostile) });
  },
  crash: async () => {
    setTimeout(() => {
      throw new TypeError(`${PASSWORD} is not a function`);
    }, 1);
    await systemClock.sleep(60_000);
    return backupResult();
  },
  stop: () => new Promise<BackupResult>(() => undefined),
  wait: async (_, { log, signal, workDir }) => {
    writeFileSync(path.join(workDir, 'pgpass'), 'private');
    log.info('waiting');
    await systemClock.sleep(60_000, signal);
    return backupResult();
  },
  die: async (_, { log, workDir }) => {
    writeFileSync(path.join(workDir, 'pgpass'), 'private');
    log.info('dying');
    process.kill(process.pid, 'SIGKILL');
    await systemClock.sleep(60_000);
    return backupResult();
  },
};

const script = SCRIPTS[process.env.SCRIPT ?? ''];
if (script === undefined) throw new Error('SCRIPT names no script');
const found = {
  known: 'found',
  id: '20261120_020000_nightly_g00dxx',
  snapshotAt: new Date(Date.now() - Number(process.env.GOOD_BACKUP_HOURS ?? 20) * 3_600_000).toISOString(),
  uri: 's3://acme-backups/postgres/shop/20261120_020000_nightly_g00dxx',
} as const;
const unused = () => Promise.reject(new Error('no script plays this command'));
const ports = { clock: systemClock, lookUpGoodBackup: () => Promise.resolve(found) };
if (isPostStep(process.argv[1] as string, process.env)) await cleanUp(process.env, ports);
else {
  const here = new URL(import.meta.url);
  const threads = { proof: here, cache: new URL('../../../src/postgres/client-cache-worker.ts', here) };
  endProcess(
    await run(process.env, {
      ...ports,
      commands: { backup: script, restore: unused, drill: unused, prune: unused, status: unused, check: unused },
      threads,
      cleanUpMs: 300,
    }),
  );
}
