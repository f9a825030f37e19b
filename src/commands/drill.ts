/** `command: drill`: select → throwaway server → fetch → restore → prove → assertions → prove the alarm → record. */
import type { CommandContext, DrillResult, RecoveryDryRun } from '../command.ts';
import type { Assertion } from '../domain/assertions.ts';
import { recoveryVerdict } from '../domain/recovery.ts';
import { readAssertions } from '../drill/assertions.ts';
import { judgeCopy } from '../drill/judge.ts';
import { assertThrowaway, throwawayServer } from '../drill/throwaway.ts';
import { type DrillParts, keepFailure, keepVerdict } from '../drill/verdict.ts';
import { secretsIn } from '../inputs/secrets.ts';
import type { DrillInputs } from '../inputs/types.ts';
import { afterProof } from '../restore/after-proof.ts';
import { readAfterRestoreSql } from '../restore/after-restore.ts';
import { occasionOf } from '../restore/audit.ts';
import { bringArchive, type ProvenCopy } from '../restore/bring-back.ts';
import { type ChosenBackup, findBackup } from '../restore/find.ts';
import { openToEverybody, withNewCopy } from '../restore/new-copy.ts';
import { describePlan } from '../restore/plan-words.ts';
import { settle } from '../restore/settle.ts';
import { Timeline } from '../restore/timeline.ts';
import { everRestored, openForTheEnd, openRun, plannedRun, takeTarget } from './recovery-run.ts';

/**
 * Restores one backup into a throwaway Postgres and judges it. Resolves with the verdict, which is stored beside the
 * set. Rejects with the first failure; then that is stored as a failed drill.
 */
export async function drill(inputs: DrillInputs, given: CommandContext): Promise<DrillResult | RecoveryDryRun> {
  await using resources = new AsyncDisposableStack();
  const run = openRun(inputs, given, resources);
  const { context, supervisor, targets, startedAt } = run;
  const { log, version } = context;
  const occasion = occasionOf(inputs.runner, { now: startedAt, version });
  const { reportPath } = inputs;
  context.tell({ stage: 'looking', occasion, ...(reportPath === undefined ? {} : { reportPath }) });
  const assertions = inputs.assertions === undefined ? undefined : await readAssertions(inputs.assertions);
  if (inputs.afterRestoreSql !== undefined) await readAfterRestoreSql(inputs.afterRestoreSql);
  const known: { chosen?: ChosenBackup } = {};
  try {
    const found = await log.group('Backup', () =>
      findBackup({
        ...{ inputs, context, targets, resources },
        restoredIds: (series) => everRestored(targets, series),
        onChosen: (chosen) => Object.assign(known, { chosen }),
      }),
    );
    const { source } = found;
    const server = await throwawayServer({ inputs, context, source, supervisor, resources });
    const { facts, access } = await log.group('Target', () => takeTarget(server.connection, inputs, run, resources));
    assertThrowaway(facts);
    const choices = { strategy: 'new-database', safetyBackup: false, pauseWrites: false } as const;
    const settled = await log.group('Plan', () => settle({ ...choices, inputs, context, found, facts, access }));
    const timeline = new Timeline(context);
    const parts: DrillParts = { inputs, context, found, settled, facts, access, timeline, occasion, targets };
    if (inputs.dryRun) return plannedRun('drill', parts, describePlan(parts));
    const copy = await restoreAndJudge(parts, assertions);
    return await keepVerdict(parts, { ...copy, phases: [...server.phases, ...copy.phases] });
  } catch (error) {
    supervisor.fail(error);
    const { reason } = supervisor.signal;
    const { chosen: found } = known;
    if (!inputs.dryRun && found !== undefined) {
      await keepFailure(reason, { inputs, found, context, occasion, openForTheEnd: openForTheEnd(context) });
    }
    throw reason;
  }
}

/** The copy, and every check of it. When a part throws, the copy is gone. */
async function restoreAndJudge(parts: DrillParts, assertions: readonly Assertion[] | undefined): Promise<ProvenCopy> {
  const { inputs, context, settled } = parts;
  const { database } = settled.strategy;
  const fetched = await context.log.group('Fetch and check', () => bringArchive(parts));
  const judge = async (copy: ProvenCopy): Promise<ProvenCopy> => {
    const checks = [...copy.checks, ...(await judgeCopy(parts, assertions, copy))];
    context.tell({ checks });
    if (recoveryVerdict(checks) !== 'failed') {
      await afterProof({ ...parts, secrets: secretsIn(context.env) }, database);
      await openToEverybody(parts, database);
    }
    return { ...copy, checks };
  };
  // A server of the drill's own goes with all it holds, and may be gone already: nobody waits for its answer then.
  const undo = inputs.target === undefined ? async () => context.tell({ leftOverDatabase: '' }) : undefined;
  return await withNewCopy(parts, fetched, judge, undo);
}
