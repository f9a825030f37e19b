/** `command: drill`: select → throwaway server → fetch → restore → prove → assertions → prove the alarm → record. */
import { randomBytes } from 'node:crypto';
import { clientSearch } from '../backup/client-search.ts';
import { probeIssues } from '../backup/rehearse.ts';
import type { CommandContext, DrillResult, RecoveryDryRun } from '../command.ts';
import { RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import type { Check } from '../domain/checks.ts';
import type { ConnectionRequest } from '../domain/connection.ts';
import { displayHost } from '../domain/connection.ts';
import { checkRestoreTime } from '../domain/drill-checks.ts';
import { type DrillFacts, drillRecord, failedDrillRecord, trendPoint } from '../domain/drill-record.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type Recovery, type RecoveryPhase, recoveryVerdict } from '../domain/recovery.ts';
import { notThrowaway } from '../domain/target.ts';
import { alarmDetectors } from '../drill/alarm-detectors.ts';
import { readAssertions } from '../drill/assertions.ts';
import { judgeCopy } from '../drill/judge.ts';
import { proveTheAlarm } from '../drill/prove-the-alarm.ts';
import { readDrillRecords, type WrittenRecord, writeDrillRecord } from '../drill/records.ts';
import { secretsIn } from '../inputs/secrets.ts';
import type { DrillInputs } from '../inputs/types.ts';
import { startEphemeralServer } from '../postgres/server/start.ts';
import { afterProof } from '../restore/after-proof.ts';
import { readAfterRestoreSql } from '../restore/after-restore.ts';
import { occasionOf } from '../restore/audit.ts';
import {
  type BringBackParts,
  bringArchive,
  bringRoles,
  makeDatabase,
  openToEverybody,
  type ProvenCopy,
  proveCopy,
  runInto,
  unmakeDatabase,
} from '../restore/bring-back.ts';
import { type ChosenBackup, type FoundBackup, findBackup } from '../restore/find.ts';
import { describePlan } from '../restore/plan-words.ts';
import { settle } from '../restore/settle.ts';
import { Timeline } from '../restore/timeline.ts';
import { openStorage } from '../storage/open.ts';
import { CLEAN_UP_MS, everRestored, openRun, type RecoveryRun, takeTarget } from './recovery-run.ts';

type Occasion = ReturnType<typeof occasionOf>;
type DrillParts = BringBackParts & { inputs: DrillInputs; run: RecoveryRun; occasion: Occasion };

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
    const startedServerAt = context.clock.now().getTime();
    const connection = inputs.target ?? (await log.group('Server', () => ownServer(inputs, found, run, resources)));
    const serverPhase: RecoveryPhase[] =
      inputs.target === undefined ? [{ phase: 'server', seconds: secondsSince(startedServerAt, context) }] : [];
    const { facts, access } = await log.group('Target', () => takeTarget(connection, inputs, run, resources));
    const holds = notThrowaway(facts);
    if (holds !== undefined) throw notEmpty(holds);
    const choices = { strategy: 'new-database', safetyBackup: false, pauseWrites: false } as const;
    const settled = await log.group('Plan', () => settle({ ...choices, inputs, context, found, facts, access }));
    const timeline = new Timeline(context);
    const parts: DrillParts = { inputs, context, found, settled, facts, access, timeline, run, occasion };
    if (inputs.dryRun) return planned(parts);
    const copy = await restoreAndJudge(parts, assertions);
    const recovery = recoveryOf(parts, { ...copy, phases: [...serverPhase, ...copy.phases] });
    return await record(parts, recovery);
  } catch (error) {
    supervisor.fail(error);
    const { reason } = supervisor.signal;
    const { chosen } = known;
    if (!inputs.dryRun && chosen !== undefined) await recordFailure(reason, { inputs, found: chosen, run, occasion });
    throw reason;
  }
}

async function ownServer(
  inputs: DrillInputs,
  { source }: FoundBackup,
  { context, supervisor }: RecoveryRun,
  resources: AsyncDisposableStack,
): Promise<ConnectionRequest> {
  const { env, workDir, log, clock, signal } = context;
  if (source.major === undefined) {
    throw new BackupError('ERR_DRILL_SERVER', 'A dump made by other means does not say which Postgres it came from', {
      op: 'start a server',
      hint: 'Give `target-database-url`, such as a service container of the right version.',
    });
  }
  const search = clientSearch(inputs, context);
  const server = await startEphemeralServer({ major: source.major, workDir, env, search, signal, log, clock });
  resources.defer(() => server.stop());
  supervisor.watch(server.lost);
  log.info(`Postgres ${server.version} was started for this drill alone`);
  return server.connection;
}

/** The copy, and every check of it. When a part throws, the copy is gone. */
async function restoreAndJudge(
  parts: DrillParts,
  assertions: Awaited<ReturnType<typeof readAssertions>> | undefined,
): Promise<ProvenCopy> {
  const { inputs, context, settled } = parts;
  const { create, database } = settled.strategy;
  if (create === undefined) throw new Error('a drill restores into a new database');
  const { log } = context;
  const fetched = await log.group('Fetch and check', () => bringArchive(parts));
  const aboutRoles = await bringRoles(parts);
  context.tell({ stage: 'restoring' });
  await makeDatabase(parts, create);
  try {
    const restored = await log.group('Restore', () => runInto(parts, fetched));
    const copy = await log.group('Proof', () => proveCopy(parts, fetched, restored, aboutRoles));
    const asked = await log.group('Assertions', () => judgeCopy(parts, assertions, copy));
    const alarm = inputs.proveTheAlarm ? await log.group('Alarm', () => rehearseAlarm(parts)) : [];
    const { maxRestoreMinutes } = inputs;
    const time = maxRestoreMinutes === undefined ? [] : [checkRestoreTime(copy.phases, maxRestoreMinutes)];
    const checks = [...copy.checks, ...asked, ...time, ...alarm];
    context.tell({ checks });
    if (recoveryVerdict(checks) !== 'failed') {
      await afterProof({ ...parts, secrets: secretsIn(context.env) }, database);
      await openToEverybody(parts, database);
    }
    return { ...copy, checks };
  } catch (error) {
    // A server of the drill's own goes with all it holds, and may be gone already: nobody waits for its answer then.
    if (inputs.target === undefined) context.tell({ leftOverDatabase: '' });
    else await unmakeDatabase(parts, database);
    throw error;
  }
}

/** Nothing for a dump made by other means: nothing is recorded that a broken copy could be held against. */
async function rehearseAlarm({ found, settled, access, context }: DrillParts): Promise<Check[]> {
  const { selected, documents } = found;
  if (selected.kind === 'foreign' || documents === undefined) return [];
  const { tools, strategy } = settled;
  const { signal } = context;
  const check = await proveTheAlarm({
    ...{ access, tools, signal, context },
    database: strategy.database,
    contents: documents.contents,
    manifest: selected.manifest,
    detectors: alarmDetectors({ ...context, tools }),
    delivery: () => probeIssues(context),
  });
  context.log.info(`alarm: ${check.status}. ${check.reason}`);
  return [check];
}

function recoveryOf({ found, facts, access, settled, context, run }: DrillParts, copy: ProvenCopy): Recovery {
  const { database } = settled.strategy;
  const [host] = access.connection(database).hosts;
  return {
    ...copy,
    source: found.source,
    target: { host: displayHost(host), fingerprint: facts.fingerprint, serverVersion: facts.server.version, database },
    verdict: recoveryVerdict(copy.checks),
    totalSeconds: secondsSince(run.startedAt.getTime(), context),
    findings: [...settled.findings, ...copy.findings],
  };
}

/** Stores the verdict beside the set, and tells how it compares with earlier drills. */
async function record(parts: DrillParts, recovery: Recovery): Promise<DrillResult> {
  const { inputs, context, found, occasion, run } = parts;
  const finishedAt = context.clock.now();
  const facts = drillFacts(parts, finishedAt);
  const { maxRestoreMinutes, reportPath } = inputs;
  const result: DrillResult = {
    ...{ command: 'drill', outcome: 'drilled', recovery, occasion, finishedAt },
    acceptPartial: inputs.acceptPartial,
    recordUris: [],
    ...(maxRestoreMinutes === undefined ? {} : { maxRestoreMinutes }),
    ...(reportPath === undefined ? {} : { reportPath }),
    findings: recovery.findings,
  };
  if (facts === undefined) return result;
  const record = drillRecord(recovery, facts);
  const storages = run.targets.map(({ storage }) => storage);
  const past = await readDrillRecords(storages[0] as (typeof storages)[0], facts.backup.name);
  const written = await writeDrillRecord(copiesOf(found), record, randomSuffix(randomBytes(RANDOM_CHARACTERS)));
  return {
    ...result,
    rpoSeconds: record.dataAgeSeconds,
    recordUris: written.uris,
    trend: { now: trendPoint(record), past: past.records.map(trendPoint) },
    findings: [...result.findings, ...past.findings, ...mustBeStored(written)],
  };
}

/** A verdict that nobody can count on later is no verdict. */
function mustBeStored({ uris, findings }: WrittenRecord): readonly Finding[] {
  const [failure] = findings.filter(({ severity }) => severity === 'error');
  if (uris.length > 0 || failure === undefined) return findings;
  throw new BackupError('ERR_STORAGE', `The verdict of the drill could not be stored: ${failure.seen}`, {
    op: 'store the verdict',
    hint: failure.action,
  });
}

async function recordFailure(
  reason: unknown,
  { inputs, found, run, occasion }: Pick<DrillParts, 'inputs' | 'run' | 'occasion'> & { found: ChosenBackup },
): Promise<void> {
  const { context } = run;
  const facts = drillFacts({ inputs, found, occasion }, context.clock.now());
  if (facts === undefined || found.selected.kind === 'foreign') return;
  const code = reason instanceof BackupError ? reason.code : 'ERR_INTERNAL';
  // The run's own storages end with it.
  const bounded = { ...context, signal: AbortSignal.timeout(CLEAN_UP_MS) };
  const storages = found.selected.copies.map(({ target }) => openStorage(target.destination, bounded));
  try {
    await writeDrillRecord(storages, failedDrillRecord(code, facts), randomSuffix(randomBytes(RANDOM_CHARACTERS)));
  } finally {
    await Promise.all(storages.map((storage) => storage.close()));
  }
}

function copiesOf({ selected }: FoundBackup) {
  return selected.kind === 'foreign' ? [] : selected.copies.map(({ target }) => target.storage);
}

/** `undefined` for a dump made by other means: there is no set to store a verdict beside. */
function drillFacts(
  { inputs, found, occasion }: Pick<DrillParts, 'inputs' | 'occasion'> & { found: ChosenBackup },
  finishedAt: Date,
): DrillFacts | undefined {
  const { id, series, snapshotAt } = found.source;
  if (series === undefined || snapshotAt === undefined) return undefined;
  const targetKind = inputs.target === undefined ? 'own-server' : 'given';
  return { backup: { id, name: series, snapshotAt }, occasion, finishedAt, targetKind };
}

function planned({ inputs, found, settled }: DrillParts): RecoveryDryRun {
  const { id, uri, series } = found.source;
  return {
    command: 'drill',
    outcome: 'planned',
    ...(series === undefined ? {} : { name: series }),
    backup: { id, uri },
    plan: describePlan({ inputs, found, settled }),
    findings: settled.findings,
  };
}

function secondsSince(time: number, { clock }: CommandContext): number {
  return Math.max(0, (clock.now().getTime() - time) / 1000);
}

function notEmpty(words: string): BackupError {
  return new BackupError('ERR_TARGET_NOT_EMPTY', words, {
    op: 'look at the target',
    hint: 'Name an empty database of a throwaway server in `target-database-url`, such as a service container, or leave it out: then the drill starts a server of its own.',
  });
}
