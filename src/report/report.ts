/** How a run ends for its user: outputs, job summary, annotations, exit code. Nothing else sets any of these. */
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as core from '@actions/core';
import type { BackupOutcome, CommandResult, PlanToConfirm, RecoveryResult, RunNews, StatusResult } from '../command.ts';
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { PruneResult } from '../domain/retention/result.ts';
import { countOf, formatBytes, formatDuration } from '../domain/words.ts';
import { runnerEnvironment } from '../inputs/runner-environment.ts';
import type { RunLog } from '../runner/log.ts';
import { checkReport } from './check-report.ts';
import { checkAnnotations, checkLine } from './check-words.ts';
import { drillReport } from './drill-report.ts';
import { describeFailure, describeTrouble } from './failure.ts';
import { failureSummary } from './failure-summary.ts';
import { describeDoubts, type FailureWords, failureMessage } from './failure-words.ts';
import { filesOf, filesOfFailure, type RunFile } from './files.ts';
import { Markdown } from './markdown.ts';
import { dryRunSummary, plannedSummary, reusedSummary } from './other-outcomes.ts';
import { DASHBOARD_PATH, ISSUE_NUMBER, outputsOf, REPORT_PATH } from './outputs.ts';
import { pruneLine, pruneSummary } from './prune-report.ts';
import { recoverySummary } from './restore-summary.ts';
import { statusLine, statusSummary } from './status-summary.ts';
import { newestOf } from './status-words.ts';
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

export interface ReportParts extends Surroundings {
  /** When the run came to its end. */
  now: Date;
}

export function reportResult(given: CommandResult, { env, log, now }: ReportParts): Ending {
  const surroundings = { env, log };
  const redact = (text: string): string => log.redact(text);
  const files = filesOf(given, { now, redact, runUrl: runnerEnvironment(env).run?.url });
  const result = { ...given, findings: [...given.findings, ...writeFiles(files, surroundings)] };
  setOutputs(result, surroundings);
  annotateFindings(result.outcome === 'checked' ? checkAnnotations(result) : result.findings, log);
  writeSummary(summaryOf(result, redact), surroundings);
  const trouble = describeTrouble(result);
  if (trouble !== undefined) return fail(trouble, log);
  warnOfAccepted(result, log);
  log.info(lastLine(result));
  const proven = provenBy(result);
  return proven === undefined ? { exitCode: 0 } : { exitCode: 0, proven };
}

/** `accept-partial` makes a failure a warning, and not nothing. */
function warnOfAccepted(result: CommandResult, log: RunLog): void {
  if (result.outcome !== 'restored' && result.outcome !== 'drilled') return;
  const { verdict, checks } = result.recovery;
  if (verdict !== 'partial') return;
  const { happened, problems } = describeDoubts(checks);
  const text = [`${happened}, which \`accept-partial\` accepts.`, ...problems.map((problem) => `- ${problem}`)].join(
    '\n',
  );
  log.annotate('warning', text, `The ${result.command} is partial`);
}

function provenBy(result: CommandResult): Proven | undefined {
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

function lastLine(result: CommandResult): string {
  switch (result.outcome) {
    case 'planned':
      return [
        `Dry run: nothing was touched. A ${result.command} would be:`,
        ...planLines(result),
        ...(result.toConfirm === undefined ? [] : confirmLines(result.toConfirm)),
      ].join('\n');
    case 'restored':
    case 'drilled':
      return recoveryLine(result);
    case 'pruned':
      return pruneLine(result);
    case 'watched':
      return statusLine(result);
    case 'checked':
      return checkLine(result);
    default:
      return backupLine(result);
  }
}

function planLines({ plan }: Pick<Extract<CommandResult, { plan: unknown }>, 'plan'>): string[] {
  return plan.map(([what, words]) => `  ${what}: ${words}`);
}

function confirmLines({ uris, until, plannedBy, typed }: PlanToConfirm): string[] {
  return [
    `Until ${until} somebody other than ${plannedBy.join(' and ')} carries it out, with all inputs as they were but these:`,
    ...typed.map((line) => `  ${line}`),
    `The plan was kept in ${uris.join(', ')}`,
  ];
}

function recoveryLine({ command, recovery }: RecoveryResult): string {
  const { source, target, totals, verdict, totalSeconds } = recovery;
  const done = command === 'restore' ? `Restored into ${target.database}` : 'Drilled';
  return `${done}, ${verdict}: ${source.id}, ${countOf(totals.tables, 'table')}, ${countOf(totals.rows, 'row')}, in ${formatDuration(totalSeconds)}`;
}

function backupLine(result: BackupOutcome): string {
  if (result.outcome === 'dry-run') {
    return ['Dry run: nothing was written, nothing was backed up. A backup would be:', ...planLines(result)].join('\n');
  }
  const { manifest, copies } = result;
  if (result.outcome === 'reused') return `No new backup: ${result.reason}. It is in ${copies.join(', ')}`;
  const { tables, rows, storedBytes } = manifest.totals;
  return `Proven: ${manifest.id}, ${countOf(tables, 'table')}, ${countOf(rows, 'row')}, ${formatBytes(storedBytes)} stored in ${formatDuration(manifest.timings.totalSeconds)}: ${copies.join(', ')}`;
}

/** Never throws. */
export function reportFailure(error: unknown, news: Partial<RunNews>, { env, log, now }: ReportParts): Ending {
  const words = describeFailure(error, news);
  const findings = [...(news.findings ?? []), ...writeIncident(words, news, { env, log, now })];
  annotateFindings(findings, log);
  if (error instanceof Error && error.stack !== undefined) log.debug(error.stack);
  writeSummary(
    failureSummary(words, findings, (text) => log.redact(text)),
    { env, log },
  );
  return fail(words, log);
}

/** The report of a run that was ended from outside, where one was asked for. Never throws. */
export function reportIncident(words: FailureWords, news: Partial<RunNews>, parts: ReportParts): void {
  annotateFindings(writeIncident(words, news, parts), parts.log);
}

/** @returns what could not be written */
function writeIncident(words: FailureWords, news: Partial<RunNews>, { env, log, now }: ReportParts): Finding[] {
  return writeFiles(filesOfFailure(words, news, { now, redact: (text) => log.redact(text) }), { env, log });
}

/** Step by step: below /proc Node's own recursion never ends. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Each becomes an output. One that cannot be written changes nothing of what was done. @returns a warning of each such one */
function writeFiles(files: readonly RunFile[], surroundings: Surroundings): Finding[] {
  const { log } = surroundings;
  return files.flatMap(({ kind, path, text }) => {
    try {
      makeFolder(dirname(path));
      writeFileSync(path, log.redact(text));
      setOutput(kind === 'dashboard' ? DASHBOARD_PATH : REPORT_PATH, path, surroundings);
      return [];
    } catch (error) {
      return [
        {
          code: 'report-not-written',
          severity: 'warning',
          seen: `The ${kind} could not be written to ${path}: ${messageOf(error)}`,
          action:
            'Give a path in a folder that this job may write to. What was done is done: nothing else depends on this file.',
        },
      ];
    }
  });
}

function fail(words: FailureWords, log: RunLog): Ending {
  log.annotate('error', failureMessage(words), words.title);
  return { exitCode: 1, failure: words };
}

/** The issue that tells of this run. */
export function reportIssue(number: number, surroundings: Surroundings): void {
  setOutput(ISSUE_NUMBER, String(number), surroundings);
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
  writeSummary(`> ⚠️ ${new Markdown((text) => surroundings.log.redact(text)).text(seen)}`, surroundings);
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
