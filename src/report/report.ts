/** How a run ends for its user: outputs, job summary, annotations, files, exit code. */
import type { CommandResult, RunNews } from '../command.ts';
import type { Finding } from '../domain/findings.ts';
import { runnerEnvironment } from '../inputs/runner-environment.ts';
import type { RunLog } from '../runner/log.ts';
import { checkReport } from './check-report.ts';
import { checkAnnotations } from './check-words.ts';
import { drillReport } from './drill-report.ts';
import { type Ending, provenBy, type Warning, warningsOf } from './ending.ts';
import { describeFailure, describeTrouble } from './failure.ts';
import { failureSummary } from './failure-summary.ts';
import { describeDoubts, type FailureWords, failureMessage } from './failure-words.ts';
import { filesOf, filesOfFailure } from './files.ts';
import { lastLine } from './last-line.ts';
import { Markdown } from './markdown.ts';
import { dryRunSummary, plannedSummary, reusedSummary } from './other-outcomes.ts';
import {
  annotateFindings,
  outputsNotWritten,
  type Surroundings,
  setOutput,
  setOutputs,
  writeFiles,
  writeSummary,
} from './outlets.ts';
import { ISSUE_NUMBER } from './outputs.ts';
import { pruneSummary } from './prune-report.ts';
import { recoverySummary } from './restore-summary.ts';
import { statusSummary } from './status-summary.ts';
import { backupSummary } from './summary.ts';

export interface ReportParts extends Surroundings {
  /** When the run came to its end. */
  now: Date;
}

/** Throws when a run that ended well cannot hand its outputs on: the next step would take them for empty. */
export function reportResult(given: CommandResult, { env, log, now }: ReportParts): Ending {
  const surroundings = { env, log };
  const { redact } = log;
  const files = filesOf(given, { now, redact, runUrl: runnerEnvironment(env).run?.url });
  const result = { ...given, findings: [...given.findings, ...writeFiles(files, surroundings)] };
  const unwritten = setOutputs(result, surroundings);
  const ending = tellResult(result, surroundings);
  if (unwritten === undefined) return ending;
  if (ending.exitCode === 0) throw unwritten;
  log.annotate('warning', `${unwritten.message}.\n${unwritten.hint}`, 'outputs-not-written');
  return ending;
}

function tellResult(result: CommandResult, surroundings: Surroundings): Ending {
  const { log } = surroundings;
  const findings = result.outcome === 'checked' ? checkAnnotations(result) : result.findings;
  annotateFindings(findings, log);
  writeSummary(summaryOf(result, log.redact), surroundings);
  const trouble = describeTrouble(result);
  if (trouble !== undefined) return fail(trouble, log);
  const accepted = warnOfAccepted(result, log);
  log.info(lastLine(result));
  const proven = provenBy(result);
  const warnings = [...accepted, ...warningsOf(result, findings)];
  return { exitCode: 0, ...(proven === undefined ? {} : { proven }), warnings };
}

/** `accept-partial` makes a failure a warning, and not nothing. */
function warnOfAccepted(result: CommandResult, log: RunLog): Warning[] {
  if (result.outcome !== 'restored' && result.outcome !== 'drilled') return [];
  const { verdict, checks } = result.recovery;
  if (verdict !== 'partial') return [];
  const { happened, problems } = describeDoubts(checks);
  const seen = `${happened}, which \`accept-partial\` accepts.`;
  const text = [seen, ...problems.map((problem) => `- ${problem}`)].join('\n');
  log.annotate('warning', text, `The ${result.command} is partial`);
  return [{ condition: 'partial', level: 'warning', seen, action: 'Read in the summary of the run what it was.' }];
}

function summaryOf(result: CommandResult, redact: (text: string) => string): string {
  switch (result.outcome) {
    case 'dry-run':
      return dryRunSummary(result, redact);
    case 'reused':
      return reusedSummary(result, redact);
    case 'planned':
      return plannedSummary(result, redact);
    case 'restored':
      return recoverySummary(result, redact);
    case 'drilled':
      return drillReport(result, redact);
    case 'taken':
      return backupSummary(result, redact);
    case 'pruned':
      return pruneSummary(result, redact);
    case 'watched':
      return statusSummary(result, redact);
    case 'checked':
      return checkReport(result, redact);
  }
}

/** Never throws. */
export function reportFailure(error: unknown, news: Partial<RunNews>, { env, log, now }: ReportParts): Ending {
  const words = describeFailure(error, news);
  const findings = [...(news.findings ?? []), ...writeIncident(words, news, { env, log, now })];
  annotateFindings(findings, log);
  if (error instanceof Error && error.stack !== undefined) log.debug(error.stack);
  writeSummary(failureSummary(words, findings, log.redact), { env, log });
  return fail(words, log);
}

/** The report of a run that was ended from outside, where one was asked for. Never throws. */
export function reportIncident(words: FailureWords, news: Partial<RunNews>, parts: ReportParts): void {
  annotateFindings(writeIncident(words, news, parts), parts.log);
}

/** @returns what could not be written */
function writeIncident(words: FailureWords, news: Partial<RunNews>, { env, log, now }: ReportParts): Finding[] {
  return writeFiles(filesOfFailure(words, news, { now, redact: log.redact }), { env, log });
}

function fail(words: FailureWords, log: RunLog): Ending {
  log.annotate('error', failureMessage(words), words.title);
  return { exitCode: 1, failure: words };
}

/** The issue that tells of this run. */
export function reportIssue(number: number, surroundings: Surroundings): void {
  try {
    setOutput(ISSUE_NUMBER, String(number), surroundings);
  } catch (cause) {
    surroundings.log.warning(`${outputsNotWritten(cause).message}. The issue is #${number}.`);
  }
}

/**
 * Somebody who should be told of this run was not: a warning and a line of the summary, neither with an address.
 * @param input that it was given by
 * @param why as the end of a sentence
 * @param advice what to do, whole sentences
 */
export function reportUntold(
  { input, why, advice }: { input: string; why: string; advice: string },
  surroundings: Surroundings,
): void {
  const seen = `\`${input}\` was not told of this run: ${why}.`;
  surroundings.log.annotate('warning', `${seen}\nThe run itself is as it says. ${advice}`, 'channel-not-told');
  writeSummary(`> ⚠️ ${new Markdown(surroundings.log.redact).text(seen)}`, surroundings);
}
