/** `command: prune`: look → plan → rails → audit → delete → audit, at each destination by itself. */
import { sweepOne } from '../backup/sweep.ts';
import type { CommandContext } from '../command.ts';
import type { LifecycleLook, PruneResult } from '../domain/retention/result.ts';
import type { PruneInputs } from '../inputs/types.ts';
import { lookAtLifecycle } from '../prune/lifecycle.ts';
import { pruneSeries } from '../prune/prune-series.ts';
import { occasionOf } from '../restore/audit.ts';
import { openForTheEnd, openRun } from './recovery-run.ts';

/**
 * Removes what the policy does not keep, or says what that would be. Resolves whatever became of the single
 * destinations: that is in the result. Rejects when the run ends before that, or when there is nothing of the series.
 */
export async function prune(inputs: PruneInputs, given: CommandContext): Promise<PruneResult> {
  await using resources = new AsyncDisposableStack();
  const { context, supervisor, targets, startedAt } = openRun(inputs, given, resources);
  const { version } = context;
  const { name: series, retention, lifecycle, dryRun } = inputs;
  context.tell({ stage: 'preparing', name: series });
  try {
    const pruned = await pruneSeries({
      ...{ series, retention, dryRun, targets, context },
      occasion: occasionOf(inputs.runner, { now: startedAt, version }),
      openForTheEnd: openForTheEnd(context),
    });
    const looked = await lookAtLifecycle({ lifecycle, policy: retention.policy, series, targets, context });
    const result = looked === undefined ? pruned : withLifecycle(pruned, looked);
    if (dryRun) return result;
    const answering = targets.filter((_, index) => result.destinations[index]?.plan !== undefined);
    const swept = await Promise.all(answering.map(({ storage }) => sweepOne(storage, series, context)));
    return { ...result, findings: [...result.findings, ...swept.flat()] };
  } catch (error) {
    // What a storage throws because the run ended is not what went wrong.
    supervisor.fail(error);
    throw supervisor.signal.reason;
  }
}

function withLifecycle(result: PruneResult, lifecycle: LifecycleLook): PruneResult {
  return { ...result, lifecycle, findings: [...result.findings, ...lifecycle.findings] };
}
