/** `command: check`: connect → look → judge → compare → record. Reads only. */
import { randomBytes } from 'node:crypto';
import { type CheckFiles, readCheckFiles } from '../check/files.ts';
import { lookAtEverything } from '../check/look.ts';
import { openHealth } from '../check/open.ts';
import { readPast } from '../check/past.ts';
import { readNewestRecord, writeCheckRecord } from '../check/records.ts';
import type { CheckResult, CommandContext } from '../command.ts';
import { RANDOM_CHARACTERS, randomSuffix, seriesNameFrom } from '../domain/backup-id.ts';
import { compareChecks } from '../domain/check/compare.ts';
import { judgeHealth } from '../domain/check/judge.ts';
import { healthVerdict } from '../domain/check/model.ts';
import { checkRecord } from '../domain/check/record.ts';
import { unreachable } from '../domain/check/unreachable.ts';
import { displayHost } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { CheckInputs } from '../inputs/types.ts';
import { occasionOf } from '../restore/audit.ts';
import { growHeapSlowly } from '../runner/memory.ts';
import { openRun, type RecoveryRun } from './recovery-run.ts';

/**
 * Resolves with a verdict whatever the checks say, also when the server does not answer. Rejects when the inputs name
 * files that cannot be read, and when the run ends.
 */
export async function check(inputs: CheckInputs, given: CommandContext): Promise<CheckResult> {
  growHeapSlowly();
  await using resources = new AsyncDisposableStack();
  const run = openRun(inputs, given, resources);
  const { context, supervisor, targets, startedAt } = run;
  const { connection, strict, dryRun } = inputs;
  const name = inputs.name ?? seriesNameFrom(connection.dbname);
  const occasion = occasionOf(inputs.runner, { now: startedAt, version: context.version });
  context.tell({ stage: 'looking', name, occasion });
  try {
    const files = await readCheckFiles(inputs);
    const earlier =
      inputs.baseline === 'storage' ? await readNewestRecord(targets, name, context.signal) : files.baseline;
    const looking = { inputs, files, run, name, resources };
    const seen = await supervisor.guard(context.log.group('Look', () => lookAndJudge(looking)));
    const { results, server, databaseBytes, error } = seen;
    for (const { code, status, seen: words } of results) context.log.info(`${status.padEnd(7)} ${code}: ${words}`);
    const verdict = healthVerdict(results, strict);
    const record = checkRecord({
      ...{ name, verdict, strict, results, occasion, finishedAt: context.clock.now() },
      server: server === undefined ? null : { version: server.version, major: server.major },
      ...(databaseBytes === undefined ? {} : { databaseBytes }),
      ...(error === undefined ? {} : { error: error.code }),
    });
    const random = randomSuffix(randomBytes(RANDOM_CHARACTERS));
    const written = dryRun
      ? { uris: [], findings: [] }
      : await writeCheckRecord(targets, record, random, context.signal);
    return {
      ...{ command: 'check', outcome: 'checked', name, where: seen.where, verdict, strict, results, record },
      overview: seen.overview,
      ...(earlier !== undefined && 'checks' in earlier ? { comparison: compareChecks(earlier, results) } : {}),
      recordUris: written.uris,
      ...(inputs.reportPath === undefined ? {} : { reportPath: inputs.reportPath }),
      ...(seen.schemaList === undefined ? {} : { schemaList: seen.schemaList }),
      ...(error === undefined ? {} : { error }),
      findings: [
        ...connection.notices,
        ...(earlier !== undefined && 'severity' in earlier ? [earlier] : []),
        ...written.findings,
      ],
    };
  } catch (error) {
    supervisor.fail(error);
    throw supervisor.signal.reason;
  }
}

type Judged = Pick<CheckResult, 'results' | 'overview' | 'schemaList' | 'where' | 'error'> & {
  server?: { version: string; major: number };
  databaseBytes?: number;
};

interface LookingParts {
  inputs: CheckInputs;
  files: CheckFiles;
  run: RecoveryRun;
  /** The series. */
  name: string;
  resources: AsyncDisposableStack;
}

/** A server that does not answer is a result too: the worst one. */
async function lookAndJudge({ inputs, files, run, name, resources }: LookingParts): Promise<Judged> {
  const { context, targets } = run;
  const { connection, settings } = inputs;
  try {
    const opened = await openHealth(inputs, context, resources);
    const past = await readPast(targets, name, context);
    const { looked, server, overview, schemaList } = await lookAtEverything({
      ...{ inputs, files, context, opened, targets, series: name, past },
    });
    const results = judgeHealth(looked, settings, context.clock.now());
    const { database } = looked;
    return {
      ...{ results, server, overview, where: opened.where },
      ...(schemaList === undefined ? {} : { schemaList }),
      ...(database !== undefined && 'seen' in database ? { databaseBytes: database.seen.bytes } : {}),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof BackupError) || error.op !== 'connect') throw error;
    const where = `${connection.hosts.map(displayHost).join(', ')}/${connection.dbname}`;
    return { results: [unreachable(error)], overview: [], where, error };
  }
}
