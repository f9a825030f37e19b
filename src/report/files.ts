/** The files that a run leaves besides its summary: which, where, and what stands in them. Pure. */
import type { CommandResult, RunNews } from '../command.ts';
import { VERSION } from '../version.ts';
import { checkFiles } from './check-files.ts';
import { dashboardPage } from './dashboard/page.ts';
import { reportPaths } from './drill-files.ts';
import { drillReport } from './drill-report.ts';
import type { FailureWords } from './failure-words.ts';
import { failedIncidentReport, incidentReport } from './incident-report.ts';
import { drillJUnit, failedDrillJUnit } from './junit.ts';

export interface RunFile {
  kind: 'report' | 'dashboard';
  path: string;
  text: string;
}

export interface FileParts {
  /** When the run came to its end. */
  now: Date;
  redact(text: string): string;
  /** Absent outside of a workflow. */
  runUrl: string | undefined;
}

/** In the order in which they are written: the one for people last. Empty where nobody asked for any. */
export function filesOf(result: CommandResult, { now, redact, runUrl }: FileParts): RunFile[] {
  switch (result.outcome) {
    case 'restored':
      return result.reportPath === undefined ? [] : [report(result.reportPath, incidentReport(result, now, redact))];
    case 'drilled': {
      if (result.reportPath === undefined) return [];
      const { junit, markdown } = reportPaths(result.reportPath);
      return [report(junit, drillJUnit(result, redact)), report(markdown, drillReport(result, redact))];
    }
    case 'checked':
      return result.reportPath === undefined
        ? []
        : checkFiles(result, result.reportPath, redact).map(({ path, text }) => report(path, text));
    case 'watched': {
      if (result.dashboardPath === undefined) return [];
      const options = { version: VERSION, redact, ...(runUrl === undefined ? {} : { runUrl }) };
      return [{ kind: 'dashboard', path: result.dashboardPath, text: dashboardPage(result.report, options) }];
    }
    default:
      return [];
  }
}

/** Of a restore or drill that did not come to its end, where a report was asked for. */
export function filesOfFailure(
  words: FailureWords,
  news: Partial<RunNews>,
  { now, redact }: Pick<FileParts, 'now' | 'redact'>,
): RunFile[] {
  const { command, reportPath } = news;
  if (reportPath === undefined) return [];
  const incident = (path: string): RunFile => report(path, failedIncidentReport(words, news, now, redact));
  if (command !== 'drill') return [incident(reportPath)];
  const { junit, markdown } = reportPaths(reportPath);
  return [report(junit, failedDrillJUnit(words, news, now, redact)), incident(markdown)];
}

function report(path: string, text: string): RunFile {
  return { kind: 'report', path, text };
}
