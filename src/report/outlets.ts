/** Where words for users go besides the log: outputs, job summary, annotations, files. Nothing else writes any of them. */
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as core from '@actions/core';
import type { CommandResult } from '../command.ts';
import type { Environment } from '../domain/destination.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { countOf } from '../domain/words.ts';
import type { RunLog } from '../runner/log.ts';
import type { RunFile } from './files.ts';
import { DASHBOARD_PATH, outputsOf, REPORT_PATH } from './outputs.ts';
import { fitSummary } from './summary.ts';

/** Of each kind the runner shows ten annotations of a step; one is kept for saying that there are more. */
const MAX_ANNOTATIONS_PER_KIND = 9;

/** Where words go besides the log. */
export interface Surroundings {
  env: Environment;
  log: RunLog;
}

/** Without a runner there is nobody to hand outputs to; the log names them instead. */
export function setOutput(name: string, value: string, { env, log }: Surroundings): void {
  const safe = log.redact(value);
  if (env.GITHUB_OUTPUT) core.setOutput(name, safe);
  else log.debug(`output ${name}=${safe}`);
}

/** Gives what went wrong, since that must hide nothing of the result. */
export function setOutputs(result: CommandResult, surroundings: Surroundings): BackupError | undefined {
  try {
    for (const [name, value] of outputsOf(result)) setOutput(name, value, surroundings);
    return undefined;
  } catch (cause) {
    return outputsNotWritten(cause);
  }
}

export function outputsNotWritten(cause: unknown): BackupError {
  return new BackupError('ERR_INTERNAL', `The outputs of this run could not be written: ${messageOf(cause)}`, {
    op: 'hand on outputs',
    hint: 'Free space on the disk of the runner, and look into the log for what was done: what the run itself did is done.',
    cause,
  });
}

/** A summary that cannot be written does not make a backup worse. */
export function writeSummary(markdown: string, { env, log }: Surroundings): void {
  const file = env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  try {
    appendFileSync(file, `${fitSummary(log.redact(markdown))}\n`);
  } catch (error) {
    log.warning(`The job summary could not be written: ${messageOf(error)}`);
  }
}

/** Each becomes an output. One that cannot be written changes nothing of what was done. @returns a warning of each such one */
export function writeFiles(files: readonly RunFile[], surroundings: Surroundings): Finding[] {
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

/** Step by step: below /proc Node's own recursion never ends. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Of each kind as many as the runner shows. */
export function annotateFindings(findings: readonly Finding[], log: RunLog): void {
  for (const severity of ['error', 'warning', 'notice'] as const) {
    const all = findings.filter((finding) => finding.severity === severity);
    for (const { code, seen, action } of all.slice(0, MAX_ANNOTATIONS_PER_KIND)) {
      log.annotate(severity, action === '' ? seen : `${seen}\n${action}`, code);
    }
    const more = all.length - MAX_ANNOTATIONS_PER_KIND;
    if (more > 0) log.annotate(severity, `${countOf(more, 'more is', 'more are')} in the job summary.`, 'and more');
  }
}
