/** How a run ended, and what it has shown. */
import type { CommandResult, StatusResult } from '../command.ts';
import type { PruneResult } from '../domain/retention/result.ts';
import type { FailureWords } from './failure-words.ts';
import { newestOf } from './status-words.ts';

/** How a run ended, told already. Only what is proven is green. */
export type Ending =
  | { exitCode: 0; proven: Proven }
  /** Nothing new is proven: a dry run, an earlier backup that was taken, a partial verdict that was accepted. */
  | { exitCode: 0 }
  | { exitCode: 1; failure: FailureWords };

/** What a run has shown: that this backup is good, was brought back, or is kept. It ends the alarm of its command. */
export interface Proven {
  command: CommandResult['command'];
  /** Of the backup. */
  id: string;
  uri: string;
}

/** What a run with this result has shown; `undefined` when it is nothing new. */
export function provenBy(result: CommandResult): Proven | undefined {
  if (result.outcome === 'taken') return { command: 'backup', id: result.manifest.id, uri: result.backupUri };
  if (result.outcome === 'pruned') return provenByPrune(result);
  if (result.outcome === 'watched') return provenByStatus(result);
  if (result.outcome === 'checked') return { command: 'check', id: result.name, uri: result.where };
  if (result.outcome !== 'restored' && result.outcome !== 'drilled') return undefined;
  const { verdict, source } = result.recovery;
  return verdict === 'passed' ? { command: result.command, id: source.id, uri: source.uri } : undefined;
}

/** A prune that removed nothing because nothing is proven has shown nothing. */
function provenByPrune({ dryRun, destinations }: PruneResult): Proven | undefined {
  const newest = destinations.find(({ newestProven }) => newestProven !== undefined)?.newestProven;
  return dryRun || newest === undefined ? undefined : { command: 'prune', ...newest };
}

/** One that ends green although something is critical, because nothing was to be red, has shown nothing. */
function provenByStatus({ report }: StatusResult): Proven | undefined {
  const newest = newestOf(report);
  return report.level === 'critical' || newest === undefined
    ? undefined
    : { command: 'status', id: newest.id, uri: newest.uri };
}
