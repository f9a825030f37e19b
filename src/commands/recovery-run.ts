/** What restore, drill, prune, status and check begin with: a deadline, the storages, and what was told so far. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext, RecoveryDryRun, RunNews } from '../command.ts';
import type { ConnectionRequest } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import { countOf } from '../domain/words.ts';
import { restoredIds } from '../drill/records.ts';
import type {
  CheckInputs,
  DrillInputs,
  PruneInputs,
  RecoveryInputs,
  RestoreInputs,
  StatusInputs,
} from '../inputs/types.ts';
import type { Storage } from '../ports.ts';
import { type ExaminedTarget, examineTarget } from '../restore/examine-target.ts';
import type { FoundBackup } from '../restore/find.ts';
import type { Settled } from '../restore/settle.ts';
import { lockTarget } from '../restore/target-lock.ts';
import { tidyTarget } from '../restore/tidy-target.ts';
import { rememberTold } from '../restore/told.ts';
import { Supervisor } from '../runner/supervisor.ts';
import { openStorage } from '../storage/open.ts';

/** A cancelled run has about 7 s before the runner ends it. */
const CLEAN_UP_MS = 5_000;

export interface RecoveryRun {
  /** Its signal is the supervisor's; what is told is remembered. */
  context: CommandContext;
  supervisor: Supervisor;
  told: Partial<RunNews>;
  /** The lines of `storage`, opened. */
  targets: readonly Target[];
  startedAt: Date;
}

/** What a run needs of the inputs of its command. */
type RunInputs = Pick<
  RestoreInputs | DrillInputs | PruneInputs | StatusInputs | CheckInputs,
  'command' | 'destinations' | 'maxDurationMinutes' | 'stallTimeoutSeconds'
>;

/** @param resources end what is opened here */
export function openRun(inputs: RunInputs, given: CommandContext, resources: AsyncDisposableStack): RecoveryRun {
  const startedAt = given.clock.now();
  const { context: telling, told } = rememberTold(given);
  const supervisor = new Supervisor(telling.signal);
  resources.defer(() => supervisor.close());
  const deadline = setTimeout(() => supervisor.fail(tooLate(inputs)), inputs.maxDurationMinutes * 60_000);
  resources.defer(() => clearTimeout(deadline));
  const context: CommandContext = { ...telling, signal: supervisor.signal };
  const { stallTimeoutSeconds } = inputs;
  const targets = inputs.destinations.map((destination) => {
    const storage = openStorage(destination, { ...context, stallTimeoutSeconds });
    resources.defer(() => storage.close());
    return { destination, storage };
  });
  return { context, supervisor, told, targets, startedAt };
}

/**
 * Looks at the target, keeps other restores out of it until `resources` end, and sets right what a killed one left. A dry
 * run looks alone. Throws what `examineTarget` throws, and `ERR_TARGET_BUSY`.
 */
export async function takeTarget(
  connection: ConnectionRequest,
  inputs: RecoveryInputs,
  { context, supervisor }: RecoveryRun,
  resources: AsyncDisposableStack,
): Promise<ExaminedTarget> {
  const { stallTimeoutSeconds: stallSeconds, connectWindowSeconds } = inputs;
  const look = () => examineTarget(connection, { context, supervisor, stallSeconds, connectWindowSeconds });
  const seen = await look();
  if (inputs.dryRun) return seen;
  const lock = await lockTarget(seen.access, seen.facts, context.log);
  resources.defer(() => lock.release());
  if (seen.facts.leftovers.length === 0 && seen.facts.pause === undefined) return seen;
  await tidyTarget(seen.access, seen.facts, context);
  return await look();
}

/** Ids of sets that a drill has brought back, wherever its verdict is stored. */
export async function everRestored(targets: readonly Target[], series: string): Promise<ReadonlySet<string>> {
  const found = await Promise.all(targets.map(({ storage }) => restoredIds(storage, series)));
  return new Set(found.flatMap(({ ids }) => [...ids]));
}

function tooLate({ command, maxDurationMinutes }: RunInputs): BackupError {
  return new BackupError('ERR_DEADLINE', `The ${command} was not done after ${countOf(maxDurationMinutes, 'minute')}`, {
    op: command,
    hint: 'Raise `max-duration-minutes` (a hosted runner ends a job after 360), or use a machine nearer to the database and the bucket.',
  });
}

/** For the last words of a run whose own storages end with it. The caller closes what is opened. */
export function openForTheEnd(context: CommandContext): (target: Target) => Storage {
  return ({ destination }) => openStorage(destination, { ...context, signal: AbortSignal.timeout(CLEAN_UP_MS) });
}

/** What a dry run ends with. */
export function plannedRun(
  command: RecoveryDryRun['command'],
  { found, settled }: { found: FoundBackup; settled: Settled },
  plan: RecoveryDryRun['plan'],
): RecoveryDryRun {
  const { id, uri, series } = found.source;
  return {
    command,
    outcome: 'planned',
    ...(series === undefined ? {} : { name: series }),
    backup: { id, uri },
    plan,
    findings: settled.findings,
  };
}
