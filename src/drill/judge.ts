/** What a drill asks of a restored copy beyond its proof. */

import type { Assertion } from '../domain/assertions.ts';
import type { Check } from '../domain/checks.ts';
import { checkAssertions, checkMinTables } from '../domain/drill-checks.ts';
import type { DrillInputs } from '../inputs/types.ts';
import { runAssertions } from '../postgres/assertions.ts';
import type { BringBackParts, ProvenCopy } from '../restore/bring-back.ts';

/** An assertion that takes longer is none for a drill. */
const STATEMENT_TIMEOUT_SECONDS = 300;

/** `min-tables` and `assertions`, where they were given. Throws only when the session or the run is lost. */
export async function judgeCopy(
  parts: BringBackParts & { inputs: DrillInputs },
  assertions: readonly Assertion[] | undefined,
  { totals }: ProvenCopy,
): Promise<Check[]> {
  const { inputs, context, access, settled, found } = parts;
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
