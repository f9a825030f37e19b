/** The form in which a failure is told, whatever failed. */
import type { CommandResult, WayBack } from '../command.ts';
import type { Check } from '../domain/checks.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Level } from '../domain/status/model.ts';
import { fewOf, shareOf } from '../domain/words.ts';

const NAMED_DETAILS = 3;

export interface FailureWords {
  command: CommandResult['command'];
  code: ErrorCode;
  /** Of a failure that brings its own; else the alarm judges it by the good backups that there are. */
  level?: Level;
  /** What is wrong, stable, where `code` alone does not tell one condition from another: codes of findings. */
  condition?: string;
  /** What became of the backup, restore, drill or prune: `failed`, `is missing at 1 of several destinations`. */
  outcome: string;
  /** What the run is about, where it came to know that; the inputs need not say it. */
  series?: string;
  /** `The backup of "shop" failed (ERR_AUTH)`. */
  title: string;
  /** What happened, one sentence. Of several wrong inputs, how many. */
  happened: string;
  /** Each thing that is wrong, where there are several. */
  problems: readonly string[];
  /** What lies behind it, outermost first. */
  causes: readonly string[];
  /** What became of this backup and of older ones; of a restore: of the database that is there. */
  safety: string;
  /** What to do now. */
  action: string;
  /** What to type now, the most urgent first. */
  toType: readonly WayBack[];
}

type Outcome = Pick<FailureWords, 'command' | 'code' | 'outcome'>;

/** @param series where it is known */
export function failureTitle({ command, code, outcome }: Outcome, series: string | undefined): string {
  return `${subjectWords(command, series)} ${outcome} (${code})`;
}

/** `The backup of "shop"` */
export function subjectWords(command: string, series: string | undefined): string {
  return series === undefined ? `The ${command}` : `The ${command} of "${series}"`;
}

export function titled(outcome: Outcome, series: string | undefined): Outcome & Pick<FailureWords, 'title' | 'series'> {
  return { ...outcome, ...(series === undefined ? {} : { series }), title: failureTitle(outcome, series) };
}

/** Which checks did not pass, and why. */
export function describeDoubts(checks: readonly Check[]): Pick<FailureWords, 'happened' | 'problems'> {
  const doubtful = checks.filter(({ status }) => status !== 'passed');
  return {
    happened:
      checks.length === 0
        ? 'No check was done at all'
        : `${shareOf(doubtful.length, checks.length, 'check')} did not pass: ${doubtful.map(({ id }) => id).join(', ')}`,
    problems: doubtful.map(
      ({ id, status, reason, details }) =>
        `${id} (${status}): ${[reason, ...fewOf(details, NAMED_DETAILS, 'in the job summary')].join('; ')}`,
    ),
  };
}

/** An empty critical table is no fault of the copy: the rows may be missing in the database itself. */
export function isOnlyCritical(failed: readonly Check[]): boolean {
  return failed.length > 0 && failed.every(({ id }) => id === 'critical-tables');
}

/** For an annotation; its title is {@link FailureWords.title}. */
export function failureMessage(words: FailureWords): string {
  return [
    sentence(words.happened),
    ...words.problems.map((problem) => `- ${problem}`),
    ...words.causes.map((cause) => `Because: ${cause}`),
    words.safety,
    `What to do: ${words.action}`,
    ...words.toType.flatMap((step) => [step.words, ...step.commands.map((line) => `    ${line}`)]),
  ].join('\n');
}

export function sentence(text: string): string {
  return /[.!?…:]$/.test(text) ? text : `${text}.`;
}
