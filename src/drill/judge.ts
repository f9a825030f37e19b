/** What a drill asks of a restored copy beyond its proof. */
import { probeIssues } from '../backup/rehearse.ts';
import type { Assertion } from '../domain/assertions.ts';
import type { Check } from '../domain/checks.ts';
import { checkAssertions, checkMinTables, checkRestoreTime } from '../domain/drill-checks.ts';
import type { DrillInputs } from '../inputs/types.ts';
import { runAssertions } from '../postgres/assertions.ts';
import type { BringBackParts, ProvenCopy } from '../restore/bring-back.ts';
import { alarmDetectors } from './alarm-detectors.ts';
import { proveTheAlarm } from './prove-the-alarm.ts';

/** An assertion that takes longer is none for a drill. */
const STATEMENT_TIMEOUT_SECONDS = 300;

export interface JudgeParts extends BringBackParts {
  inputs: DrillInputs;
}

/**
 * `min-tables`, `assertions`, `max-restore-minutes` and `prove-the-alarm`, where they were given. Throws only when the
 * session or the run is lost.
 */
export async function judgeCopy(
  parts: JudgeParts,
  assertions: readonly Assertion[] | undefined,
  copy: ProvenCopy,
): Promise<Check[]> {
  const { log } = parts.context;
  const { maxRestoreMinutes, proveTheAlarm: wanted } = parts.inputs;
  const asked = await log.group('Assertions', () => askCopy(parts, assertions, copy));
  const alarm = wanted ? await log.group('Alarm', () => rehearseAlarm(parts)) : [];
  const time = maxRestoreMinutes === undefined ? [] : [checkRestoreTime(copy.phases, maxRestoreMinutes)];
  return [...asked, ...time, ...alarm];
}

async function askCopy(
  { inputs, context, access, settled, found }: JudgeParts,
  assertions: readonly Assertion[] | undefined,
  { totals }: ProvenCopy,
): Promise<Check[]> {
  const { minTables } = inputs;
  const checks = minTables === undefined ? [] : [checkMinTables(totals.tables, minTables)];
  if (assertions === undefined) return checks;
  const { snapshotAt } = found.source;
  const results = await access.use('assertions', settled.strategy.database, ({ client }) =>
    runAssertions(client, assertions, {
      statementTimeoutSeconds: STATEMENT_TIMEOUT_SECONDS,
      ...(snapshotAt === undefined ? {} : { backupAt: new Date(snapshotAt) }),
      now: context.clock.now(),
      signal: context.signal,
    }),
  );
  for (const { line, status, words } of results) context.log.info(`assertion in line ${line}: ${status}. ${words}`);
  return [...checks, checkAssertions(results)];
}

/** Nothing for a dump made by other means: nothing is recorded that a broken copy could be held against. */
async function rehearseAlarm({ found, settled, access, context }: JudgeParts): Promise<Check[]> {
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
    delivery: async () => [...(await probeIssues(context)), ...((await context.probeChannels?.(signal)) ?? [])],
  });
  context.log.info(`alarm: ${check.status}. ${check.reason}`);
  return [check];
}
