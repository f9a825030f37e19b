/** `command: backup`: preflight → snapshot → dump ⇉ (proof, encryption → storage) → manifest last. */
import { randomBytes } from 'node:crypto';
import { Destinations } from '../backup/destinations.ts';
import { finish } from '../backup/finish.ts';
import { newestOf } from '../backup/history.ts';
import { type Prepared, prepare } from '../backup/prepare.ts';
import { rehearse } from '../backup/rehearse.ts';
import { findReusable } from '../backup/reuse.ts';
import { SetWriter } from '../backup/set-writer.ts';
import { sweepStale } from '../backup/sweep.ts';
import { takeArchive, takeSnapshot } from '../backup/take.ts';
import type { BackupResult, CommandContext, CommandResult } from '../command.ts';
import { openCipher } from '../crypto/age.ts';
import { formatBackupId, RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { countOf } from '../domain/words.ts';
import type { BackupInputs } from '../inputs/types.ts';
import { pruneSeries } from '../prune/prune-series.ts';
import { occasionOf } from '../restore/audit.ts';
import { openTrial } from '../restore/trial.ts';
import { Supervisor } from '../runner/supervisor.ts';
import { openStorage } from '../storage/open.ts';
import { openForTheEnd } from './recovery-run.ts';

/**
 * Takes one backup, or says why none is needed. Resolves with a set that is committed, `proven` or `unproven`, at every
 * destination that did not fail. Rejects with the first failure; then nothing is visible in storage, and older backups
 * are untouched.
 */
export async function backup(inputs: BackupInputs, context: CommandContext): Promise<CommandResult> {
  await using resources = new AsyncDisposableStack();
  const { clock, log } = context;
  const startedAt = clock.now();
  const supervisor = new Supervisor(context.signal);
  resources.defer(() => supervisor.close());
  const deadline = setTimeout(() => supervisor.fail(tooLate(inputs)), inputs.maxDurationMinutes * 60_000);
  resources.defer(() => clearTimeout(deadline));
  const under = { ...context, signal: supervisor.signal };
  const destinations = openDestinations(inputs, under);
  resources.defer(() => destinations.close());

  context.tell({ stage: 'preparing', location: destinations.first.storage.location });
  const prepared = await log.group('Preflight', () =>
    supervisor.guard(prepare(inputs, under, destinations, supervisor)),
  );
  const lastGood = newestOf(prepared.history, destinations.first.storage, prepared.name);
  context.tell({ findings: prepared.findings, lastGood });
  if (inputs.dryRun) {
    return await log.group('Dry run', () => supervisor.guard(rehearse(inputs, under, prepared, destinations)));
  }
  const reusable = await supervisor.guard(findReusable(inputs, under, prepared, destinations));
  if (reusable !== undefined) return reusable;
  prepared.findings.push(...(await supervisor.guard(sweepStale(destinations, prepared.name, under))));
  const result = await takeBackup({ inputs, context: under, prepared, supervisor, destinations, startedAt });
  return await pruneAfter(result, { inputs, context: under, destinations, startedAt });
}

/** Only after a backup that is proven at every destination: what is not may be the reason to need an older one. */
async function pruneAfter(
  result: BackupResult,
  { inputs, context, destinations, startedAt }: Pick<BackupParts, 'inputs' | 'context' | 'destinations' | 'startedAt'>,
): Promise<BackupResult> {
  const { pruneAfterBackup: retention, runner } = inputs;
  if (retention === undefined) return result;
  if (result.manifest.verdict !== 'proven' || result.lost.length > 0) {
    return { ...result, findings: [...result.findings, NOT_PRUNED] };
  }
  context.tell({ stage: 'pruning' });
  const pruned = await pruneSeries({
    ...{ retention, context, targets: destinations.all, dryRun: false, series: result.manifest.name },
    occasion: occasionOf(runner, { now: startedAt, version: context.version }),
    openForTheEnd: openForTheEnd(context),
  });
  return { ...result, pruned, findings: [...result.findings, ...pruned.findings] };
}

const NOT_PRUNED: Finding = {
  code: 'not-pruned',
  severity: 'notice',
  seen: 'Nothing was pruned, because this backup is not proven at every destination',
  action: 'The next proven backup prunes.',
};

interface BackupParts {
  inputs: BackupInputs;
  context: CommandContext;
  prepared: Prepared;
  supervisor: Supervisor;
  destinations: Destinations;
  startedAt: Date;
}

async function takeBackup(run: BackupParts): Promise<BackupResult> {
  await using resources = new AsyncDisposableStack();
  const { inputs, context, prepared, supervisor, destinations, startedAt } = run;
  const { clock, log } = context;
  const trial = inputs.verifyRestore
    ? await log.group('Local server', () => openTrial({ inputs, context, prepared, supervisor }))
    : undefined;
  resources.defer(() => trial?.close());
  const held = await log.group('Snapshot', () => supervisor.guard(takeSnapshot(run)));
  resources.defer(() => held.snapshot.close());
  const preparedAt = clock.now();
  const id = formatBackupId(
    new Date(held.snapshot.facts.snapshotAt),
    inputs.label,
    randomSuffix(randomBytes(RANDOM_CHARACTERS)),
  );
  const cipher = openCipher(inputs.encryption);
  const { stallTimeoutSeconds: stallSeconds } = inputs;
  const set = new SetWriter({ destinations, series: prepared.name, id, cipher, stallSeconds, log });
  context.tell({
    stage: 'writing',
    name: prepared.name,
    backupId: id,
    location: destinations.first.storage.location,
    backupUri: set.at(destinations.first).uri(),
  });
  let finishing: Promise<BackupResult> | undefined;
  try {
    const parts = {
      ...{ inputs, context, prepared, supervisor, held, set },
      ...(trial === undefined ? {} : { trial }),
    };
    const taken = await log.group('Dump, proof and upload', () => takeArchive(parts));
    const result = await log.group('Store the set', () => {
      finishing = finish({ ...parts, destinations, taken, startedAt, preparedAt });
      return supervisor.guard(finishing);
    });
    await set.discard(
      destinations.lost.map(({ target }) => target),
      openForTheEnd(context),
    );
    return result;
  } catch (error) {
    supervisor.fail(error);
    // What is being written now may come to be stored, and only then is known to be there.
    await finishing?.catch(() => undefined);
    const { uncertain } = set;
    context.tell(uncertain.length === 0 ? { stage: 'writing' } : { backupUri: uncertain.join(', ') });
    await set.discard(destinations.all, openForTheEnd(context));
    throw supervisor.signal.reason;
  }
}

function openDestinations(inputs: BackupInputs, context: CommandContext): Destinations {
  const { stallTimeoutSeconds } = inputs;
  const targets = inputs.destinations.map((destination) => {
    return { destination, storage: openStorage(destination, { ...context, stallTimeoutSeconds }) };
  });
  return new Destinations({ targets, signal: context.signal, log: context.log });
}

function tooLate(inputs: BackupInputs): BackupError {
  return new BackupError(
    'ERR_DEADLINE',
    `The backup was not done after ${countOf(inputs.maxDurationMinutes, 'minute')}`,
    {
      op: 'backup',
      hint: 'Raise `max-duration-minutes` (a hosted runner ends a job after 360), leave large tables out with `exclude-table-data`, or use a machine nearer to the database.',
    },
  );
}
