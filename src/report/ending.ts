/** How a run ended, and what it has shown. */
import type { CommandResult, StatusResult } from '../command.ts';
import type { Finding } from '../domain/findings.ts';
import type { PruneResult } from '../domain/retention/result.ts';
import type { Level } from '../domain/status/model.ts';
import type { FailureWords } from './failure-words.ts';
import { newestOf } from './status-words.ts';

/** How a run ended, told already. Only what is proven is green. */
export type Ending = GreenEnding | { exitCode: 1; failure: FailureWords };

export interface GreenEnding {
  exitCode: 0;
  /** Absent where nothing new is: a dry run, an earlier backup that was taken, a partial verdict that was accepted. */
  proven?: Proven;
  warnings: readonly Warning[];
}

/** Something that keeps no run from being green, and that somebody should know. */
export interface Warning {
  /** Stable: its code and, where a run looks at several series, which one. */
  condition: string;
  level: Level;
  /** One sentence. May name tables. */
  seen: string;
  /** What to do, in the imperative. */
  action: string;
}

/** @param findings all that the run showed, as they stand in its annotations */
export function warningsOf(result: CommandResult, findings: readonly Finding[]): Warning[] {
  if (result.outcome === 'watched') {
    return result.report.findings
      .filter(({ level }) => level !== 'info')
      .map(({ code, series, ...rest }) => ({ condition: series === undefined ? code : `${code}:${series}`, ...rest }));
  }
  return findings
    .filter(({ severity }) => severity !== 'notice')
    .map(({ code, seen, action }) => ({ condition: code, level: 'warning', seen, action }));
}

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
