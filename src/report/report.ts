/** How a run ends for its user: outputs, job summary, annotations, exit code. Nothing else sets any of these. */
import { appendFileSync } from 'node:fs';
import * as core from '@actions/core';
import type { CommandResult, RunNews } from '../command.ts';
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { countOf, formatBytes, formatDuration } from '../domain/words.ts';
import type { RunLog } from '../runner/log.ts';
import { describeFailure, describeTrouble, type FailureWords, failureMessage } from './failure.ts';
import { failureSummary } from './failure-summary.ts';
import { dryRunSummary, reusedSummary } from './other-outcomes.ts';
import { ISSUE_NUMBER, outputsOf } from './outputs.ts';
import { backupSummary, fitSummary } from './summary.ts';

/** Of each kind the runner shows ten annotations of a step; one is kept for saying that there are more. */
const MAX_ANNOTATIONS_PER_KIND = 9;

/** Where words go besides the log. */
export interface Surroundings {
  env: Environment;
  log: RunLog;
}

/** How a run ended, told already. Only what is proven is green. */
export type Ending =
  | { exitCode: 0; proven: { id: string; uri: string } }
  /** Nothing new is known of the backups: a dry run, or an earlier backup that was taken. */
  | { exitCode: 0 }
  | { exitCode: 1; failure: FailureWords };

export function reportResult(result: CommandResult, { env, log }: Surroundings): Ending {
  setOutputs(result, { env, log });
  annotateFindings(result.findings, log);
  writeSummary(
    summaryOf(result, (text) => log.redact(text)),
    { env, log },
  );
  const trouble = describeTrouble(result);
  if (trouble !== undefined) return fail(trouble, log);
  log.info(lastLine(result));
  if (result.outcome !== 'taken') return { exitCode: 0 };
  return { exitCode: 0, proven: { id: result.manifest.id, uri: result.backupUri } };
}

function summaryOf(result: CommandResult, redact: (text: string) => string): string {
  if (result.outcome === 'dry-run') return dryRunSummary(result, redact);
  return result.outcome === 'reused' ? reusedSummary(result, redact) : backupSummary(result, redact);
}

function lastLine(result: CommandResult): string {
  if (result.outcome === 'dry-run') {
    const plan = result.plan.map(([what, words]) => `  ${what}: ${words}`);
    return ['Dry run: nothing was written, nothing was backed up. A backup would be:', ...plan].join('\n');
  }
  const { manifest, copies } = result;
  if (result.outcome === 'reused') return `No new backup: ${result.reason}. It is in ${copies.join(', ')}`;
  const { tables, rows, storedBytes } = manifest.totals;
  return `Proven: ${manifest.id}, ${countOf(tables, 'table')}, ${countOf(rows, 'row')}, ${formatBytes(storedBytes)} stored in ${formatDuration(manifest.timings.totalSeconds)}: ${copies.join(', ')}`;
}

/** Never throws. */
export function reportFailure(error: unknown, news: Partial<RunNews>, { env, log }: Surroundings): Ending {
  const words = describeFailure(error, news);
  const findings = news.findings ?? [];
  annotateFindings(findings, log);
  if (error instanceof Error && error.stack !== undefined) log.debug(error.stack);
  writeSummary(
    failureSummary(words, findings, (text) => log.redact(text)),
    { env, log },
  );
  return fail(words, log);
}

function fail(words: FailureWords, log: RunLog): Ending {
  log.annotate('error', failureMessage(words), words.title);
  return { exitCode: 1, failure: words };
}

/** The issue that tells of this run. */
export function reportIssue(number: number, surroundings: Surroundings): void {
  setOutput(ISSUE_NUMBER, String(number), surroundings);
}

function setOutputs(result: CommandResult, surroundings: Surroundings): void {
  for (const [name, value] of outputsOf(result)) setOutput(name, value, surroundings);
}

/** Without a runner there is nobody to hand outputs to; the log names them instead. */
function setOutput(name: string, value: string, { env, log }: Surroundings): void {
  const safe = log.redact(value);
  if (env.GITHUB_OUTPUT) core.setOutput(name, safe);
  else log.debug(`output ${name}=${safe}`);
}

/** A summary that cannot be written does not make a backup worse. */
function writeSummary(markdown: string, { env, log }: Surroundings): void {
  const file = env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  try {
    appendFileSync(file, `${fitSummary(log.redact(markdown))}\n`);
  } catch (error) {
    log.warning(`The job summary could not be written: ${messageOf(error)}`);
  }
}

function annotateFindings(findings: readonly Finding[], log: RunLog): void {
  for (const severity of ['error', 'warning', 'notice'] as const) {
    const all = findings.filter((finding) => finding.severity === severity);
    for (const { code, seen, action } of all.slice(0, MAX_ANNOTATIONS_PER_KIND)) {
      log.annotate(severity, action === '' ? seen : `${seen}\n${action}`, code);
    }
    const more = all.length - MAX_ANNOTATIONS_PER_KIND;
    if (more > 0) log.annotate(severity, `${more} more are in the job summary.`, 'and more');
  }
}
