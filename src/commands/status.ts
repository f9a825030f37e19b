/** `command: status`: list → read manifests → read some bytes again → judge. It writes nothing. */
import type { CommandContext, StatusResult } from '../command.ts';
import type { VerifiedShare } from '../domain/status/facts.ts';
import { asFinding } from '../domain/status/finding.ts';
import { judgeStatus } from '../domain/status/judge.ts';
import type { StatusInputs } from '../inputs/types.ts';
import { openClientCache } from '../postgres/client-cache.ts';
import { lastGoodOf } from '../report/status-words.ts';
import { growHeapSlowly } from '../runner/memory.ts';
import { lookAtAll } from '../status/look.ts';
import { MANIFESTS, Memory } from '../status/memory.ts';
import { type VerifyParts, verifyStored } from '../status/verify-stored.ts';
import { openRun, type RecoveryRun } from './recovery-run.ts';

/** Rejects when no destination can be looked at, and when the run ends before that. */
export async function status(inputs: StatusInputs, given: CommandContext): Promise<StatusResult> {
  growHeapSlowly();
  await using resources = new AsyncDisposableStack();
  const run = openRun(inputs, given, resources);
  const { context, supervisor, targets } = run;
  const { name, limits, failOn, dashboardPath } = inputs;
  context.tell({ stage: 'looking', ...(name === undefined ? {} : { name }) });
  try {
    const memory = await recall(inputs, run);
    const destinations = await context.log.group('Storage', () =>
      lookAtAll({ targets, series: name, memory, context }),
    );
    const verified = await verify(inputs, { destinations, targets, memory, context });
    await memory.save();
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

async function recall({ name, runner, cacheManifests }: StatusInputs, { context, targets }: RecoveryRun) {
  const { env, workDir, log, signal, threads } = context;
  const { tempDirectory } = runner;
  const places = { env, tempDirectory, workDir, workerUrl: threads.cache };
  const cache = cacheManifests ? openClientCache({ purpose: MANIFESTS, ...places, log, signal }) : undefined;
  const subject = [name ?? '', ...targets.map(({ storage }) => storage.location)];
  return await Memory.open({ cache, subject, workDir, log });
}

/** Nothing when it was not asked for. */
async function verify(
  { verifyStoredDays: days, stallTimeoutSeconds: stallSeconds }: StatusInputs,
  parts: Omit<VerifyParts, 'days' | 'stallSeconds'>,
): Promise<VerifiedShare | undefined> {
  if (days === undefined) return undefined;
  return await parts.context.log.group('Stored bytes', () => verifyStored({ ...parts, days, stallSeconds }));
}
