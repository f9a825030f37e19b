/** `command: status`: list → read manifests → read some bytes again → judge. It writes nothing. */
import type { CommandContext, StatusResult } from '../command.ts';
import type { DestinationFacts } from '../domain/status/facts.ts';
import { asFinding } from '../domain/status/finding.ts';
import { judgeStatus } from '../domain/status/judge.ts';
import type { StatusInputs } from '../inputs/types.ts';
import { openClientCache } from '../postgres/client-cache.ts';
import { lastGoodOf } from '../report/status-words.ts';
import { growHeapSlowly } from '../runner/memory.ts';
import { lookAtAll } from '../status/look.ts';
import { MANIFESTS, Memory } from '../status/memory.ts';
import { verifyStored } from '../status/verify-stored.ts';
import { openRun, type RecoveryRun } from './recovery-run.ts';

/** Rejects when no destination can be looked at, and when the run ends before that. */
export async function status(inputs: StatusInputs, given: CommandContext): Promise<StatusResult> {
  growHeapSlowly();
  await using resources = new AsyncDisposableStack();
  const run = openRun(inputs, given, resources);
  const { context, supervisor } = run;
  const { name, limits, failOn, dashboardPath } = inputs;
  context.tell({ stage: 'looking', ...(name === undefined ? {} : { name }) });
  try {
    const destinations = await look(inputs, run);
    const verified = await verify(inputs, destinations, run);
    const report = judgeStatus({
      now: context.clock.now(),
      ...{ limits, destinations },
      expectedNames: name === undefined ? inputs.expectedNames : [name],
      ...(verified === undefined ? {} : { verified }),
    });
    context.tell(lastGoodOf(report));
    const findings = report.findings.map(asFinding);
    return {
      command: 'status',
      outcome: 'watched',
      ...(name === undefined ? {} : { name }),
      ...{ report, failOn, findings },
      ...(dashboardPath === undefined ? {} : { dashboardPath }),
    };
  } catch (error) {
    // What a storage throws because the run ended is not what went wrong.
    supervisor.fail(error);
    throw supervisor.signal.reason;
  }
}

function look(inputs: StatusInputs, { context, targets }: RecoveryRun): Promise<DestinationFacts[]> {
  return context.log.group('Storage', async () => {
    const { env, workDir, log, signal, threads } = context;
    const { tempDirectory } = inputs.runner;
    const cache = openClientCache({
      purpose: MANIFESTS,
      env,
      tempDirectory,
      workDir,
      workerUrl: threads.cache,
      log,
      signal,
    });
    const memory = await Memory.recall({
      cache: inputs.cacheManifests ? cache : undefined,
      subject: [inputs.name ?? '', ...targets.map(({ storage }) => storage.location)],
      ...{ workDir, log },
    });
    const destinations = await lookAtAll({ targets, series: inputs.name, memory, context });
    await memory.save();
    return destinations;
  });
}

/** Nothing when it was not asked for. */
async function verify(
  { verifyStoredDays: days, stallTimeoutSeconds: stallSeconds }: StatusInputs,
  destinations: readonly DestinationFacts[],
  { context, targets }: RecoveryRun,
) {
  if (days === undefined) return undefined;
  return await context.log.group('Stored bytes', () =>
    verifyStored({ targets, destinations, days, stallSeconds, context }),
  );
}
