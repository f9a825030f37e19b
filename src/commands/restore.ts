/** `command: restore`: select → plan → second person → audit → fetch → safety backup → restore → prove → [swap] → audit. */
import type { CommandContext, RecoveryDryRun, RecoveryNews, RestoreResult } from '../command.ts';
import type { Recovery } from '../domain/recovery.ts';
import { expectedSeconds } from '../drill/expected-time.ts';
import { secretsIn } from '../inputs/secrets.ts';
import type { RestoreInputs } from '../inputs/types.ts';
import { readAfterRestoreSql } from '../restore/after-restore.ts';
import { type Audit, occasionOf, openAudit } from '../restore/audit.ts';
import { auditSeries, auditSubject } from '../restore/audit-records.ts';
import { type CarriedOut, type CarryOutParts, carryOut } from '../restore/carry-out.ts';
import { type FoundBackup, findBackup } from '../restore/find.ts';
import { describePlan } from '../restore/plan-words.ts';
import { safetySeries } from '../restore/safety-backup.ts';
import { askSecondPerson, keepPlan } from '../restore/second-person.ts';
import { settle } from '../restore/settle.ts';
import { Timeline } from '../restore/timeline.ts';
import { backup } from './backup.ts';
import { everRestored, openForTheEnd, openRun, plannedRun, type RecoveryRun, takeTarget } from './recovery-run.ts';

/**
 * Brings one backup back, or says what it would do. Resolves with what was restored, whatever its verdict. Rejects with
 * the first failure: then the database that is there is what it was, or the words say what it is and what to do.
 */
export async function restore(inputs: RestoreInputs, given: CommandContext): Promise<RestoreResult | RecoveryDryRun> {
  await using resources = new AsyncDisposableStack();
  const run = openRun(inputs, given, resources);
  const { context, supervisor, told, targets, startedAt } = run;
  const { log, clock, version } = context;
  const occasion = occasionOf(inputs.runner, { now: startedAt, version, reason: inputs.reason });
  const timeline = new Timeline(context);
  const { strategy, reportPath } = inputs;
  context.tell({ stage: 'looking', occasion, strategy, ...(reportPath === undefined ? {} : { reportPath }) });
  if (inputs.afterRestoreSql !== undefined) await readAfterRestoreSql(inputs.afterRestoreSql);

  const found = await log.group('Backup', () =>
    findBackup({ inputs, context, targets, resources, restoredIds: (series) => everRestored(targets, series) }),
  );
  const { facts, access } = await log.group('Target', () => takeTarget(inputs.target, inputs, run, resources));
  const { fingerprint, database } = facts;
  context.tell({ targetFingerprint: fingerprint, database: database.name });
  const settled = await log.group('Plan', () => settle({ ...inputs, inputs, context, found, facts, access }));
  const findings = [...settled.findings];
  const parts: CarryOutParts = {
    ...{ inputs, context, found, settled, facts, access, timeline },
    takeBackup: backup,
    secrets: secretsIn(context.env),
  };
  if (inputs.dryRun) {
    const series = safetySeries(facts, found, database.name);
    const plan = describePlan({ ...parts, ...(inputs.safetyBackup ? { safetySeries: series } : {}) });
    const dry = plannedRun('restore', parts, plan);
    if (inputs.checkConfirm) {
      const { findings: doubts } = await askSecondPerson({ ...parts, targets, occasion });
      return { ...dry, findings: [...dry.findings, ...doubts] };
    }
    const toConfirm = await keepPlan({ ...parts, targets, occasion });
    return toConfirm === undefined ? dry : { ...dry, toConfirm, findings: [...dry.findings, ...toConfirm.findings] };
  }
  const second = await askSecondPerson({ ...parts, targets, occasion });
  findings.push(...second.findings);
  const audit = await openAudit({
    targets,
    ...auditSeries(parts),
    record: { ...occasion, ...auditSubject(parts), ...second.record },
    clock,
    signal: context.signal,
    openForTheEnd: openForTheEnd(context),
  });
  try {
    context.tell({ begins: await expectations(run, found) });
    const done = await carryOut(parts);
    findings.push(...done.findings, ...done.copy.findings, ...audit.findings);
    const recovery = recoveryOf(parts, done, (clock.now().getTime() - startedAt.getTime()) / 1000, findings);
    findings.push(...(await audit.finished({ recovery, safetyBackup: done.safetyBackup })));
    return resultOf(parts, done, { recovery, audit, findings, occasion });
  } catch (error) {
    supervisor.fail(error);
    const { reason } = supervisor.signal;
    await audit.finished({ error: reason, news: told });
    throw reason;
  }
}

/** For those who hear that it begins; where nobody does, nothing is read for it. */
async function expectations(
  { context, targets: [target] }: RecoveryRun,
  { source: { series } }: FoundBackup,
): Promise<RecoveryNews['begins']> {
  if (context.isAnnounced !== true || target === undefined || series === undefined) return {};
  const seconds = await expectedSeconds(target.storage, series, context);
  return seconds === undefined ? {} : { expectedSeconds: seconds };
}

function recoveryOf(
  { found }: CarryOutParts,
  { copy, verdict, target }: CarriedOut,
  totalSeconds: number,
  findings: Recovery['findings'],
): Recovery {
  const { findings: _told, ...facts } = copy;
  return { source: found.source, target, verdict, totalSeconds, ...facts, findings };
}

function resultOf(
  { inputs, timeline }: CarryOutParts,
  { safetyBackup, wayBack }: CarriedOut,
  rest: Pick<RestoreResult, 'recovery' | 'findings' | 'occasion'> & { audit: Audit },
): RestoreResult {
  const { recovery, audit, findings, occasion } = rest;
  return {
    command: 'restore',
    outcome: 'restored',
    recovery,
    strategy: inputs.strategy,
    acceptPartial: inputs.acceptPartial,
    ...(safetyBackup === undefined ? {} : { safetyBackup }),
    wayBack,
    occasion,
    timeline: timeline.entries,
    auditUris: audit.uris,
    ...(inputs.reportPath === undefined ? {} : { reportPath: inputs.reportPath }),
    findings,
  };
}
