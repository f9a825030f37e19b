/** `command: backup`: preflight → snapshot → dump ⇉ (proof, encryption → storage) → manifest last. */
import { randomBytes } from 'node:crypto';
import { finish } from '../backup/finish.ts';
import { newestOf } from '../backup/history.ts';
import { prepare } from '../backup/prepare.ts';
import { SetWriter } from '../backup/set-writer.ts';
import { takeArchive, takeSnapshot } from '../backup/take.ts';
import type { BackupResult, CommandContext } from '../command.ts';
import { openCipher } from '../crypto/age.ts';
import { formatBackupId, RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { BackupError } from '../domain/errors.ts';
import type { BackupInputs } from '../inputs/types.ts';
import { Supervisor } from '../runner/supervisor.ts';
import { openStorage } from '../storage/open.ts';

/** A cancelled run has about 7 s before the runner ends it. */
const CLEAN_UP_MS = 5_000;

/**
 * Takes one backup. Resolves with a set that is committed, `proven` or `unproven`.
 * Rejects with the first failure; then nothing is visible in storage, and older backups are untouched.
 */
export async function backup(inputs: BackupInputs, context: CommandContext): Promise<BackupResult> {
  await using resources = new AsyncDisposableStack();
  const { clock, log } = context;
  const startedAt = clock.now();
  const supervisor = new Supervisor(context.signal);
  resources.defer(() => supervisor.close());
  const deadline = setTimeout(() => supervisor.fail(tooLate(inputs)), inputs.maxDurationMinutes * 60_000);
  resources.defer(() => clearTimeout(deadline));
  const { stallTimeoutSeconds } = inputs;
  const storage = openStorage(inputs.destinations[0], { ...context, stallTimeoutSeconds, signal: supervisor.signal });
  resources.defer(() => storage.close());
  const under = { ...context, signal: supervisor.signal };

  context.tell({ stage: 'preparing', location: storage.location });
  const prepared = await log.group('Preflight', () => supervisor.guard(prepare(inputs, under, storage, supervisor)));
  context.tell({ findings: prepared.findings, lastGood: newestOf(prepared.history, storage, prepared.name) });
  const held = await log.group('Snapshot', () =>
    supervisor.guard(takeSnapshot({ inputs, context: under, prepared, supervisor })),
  );
  resources.defer(() => held.snapshot.close());
  const preparedAt = clock.now();
  const id = formatBackupId(
    new Date(held.snapshot.facts.snapshotAt),
    inputs.label,
    randomSuffix(randomBytes(RANDOM_CHARACTERS)),
  );
  const cipher = openCipher(inputs.encryption);
  const set = new SetWriter({ storage, series: prepared.name, id, cipher, log });
  context.tell({
    stage: 'writing',
    name: prepared.name,
    backupId: id,
    location: storage.location,
    backupUri: set.uri(),
  });
  try {
    const parts = { inputs, context: under, prepared, supervisor, held, set };
    const taken = await log.group('Dump, proof and upload', () => takeArchive(parts));
    return await log.group('Store the set', () =>
      supervisor.guard(finish({ ...parts, storage, taken, startedAt, preparedAt })),
    );
  } catch (error) {
    supervisor.fail(error);
    if (!set.isUncertain) context.tell({ stage: 'writing' });
    const cleaner = openStorage(inputs.destinations[0], { ...context, signal: AbortSignal.timeout(CLEAN_UP_MS) });
    await set.discard(cleaner).finally(() => cleaner.close());
    throw supervisor.signal.reason;
  }
}

function tooLate(inputs: BackupInputs): BackupError {
  return new BackupError('ERR_DEADLINE', `The backup was not done after ${inputs.maxDurationMinutes} minutes`, {
    op: 'backup',
    hint: 'Raise `max-duration-minutes` (a hosted runner ends a job after 360), leave large tables out with `exclude-table-data`, or use a machine nearer to the database.',
  });
}
