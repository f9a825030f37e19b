/** What a check says in a few words: the last line of the log, annotations, and why a run is red. */
import type { CheckResult, WayBack } from '../command.ts';
import { failing, worstFirst } from '../domain/check/judge.ts';
import { type HealthResult, type HealthStatus, isFailure } from '../domain/check/model.ts';
import type { Finding, Severity } from '../domain/findings.ts';
import { countOf, fewOf } from '../domain/words.ts';
import { type FailureWords, titled } from './failure-words.ts';

const DETAILS_NAMED = 5;
const PROBLEMS_NAMED = 20;

/** Why a check is red; `undefined` when it is not. */
export function describeUnhealthy(result: CheckResult): FailureWords | undefined {
  if (result.verdict !== 'failed') return undefined;
  const { name, results, strict, error } = result;
  const failed = failing(results, strict);
  const [worst] = failed;
  const code = error?.code ?? 'ERR_CHECK';
  const unseen = failed.filter(({ status }) => status === 'not-run');
  return {
    ...titled({ command: 'check', code, outcome: 'failed' }, name),
    level: error === undefined ? 'warning' : 'critical',
    condition: failed.map((each) => each.code).join(','),
    happened: whatHappened(failed, results.length),
    problems: failed.length <= 1 ? namedDetails(worst) : failed.slice(0, PROBLEMS_NAMED).map(problemWords),
    causes: [],
    safety: 'A check only reads: nothing in the database was changed. Backups are untouched.',
    action: worst === undefined ? 'Switch some checks on: `checks` turned all of them off.' : worst.action,
    toType: unseen.length === 0 ? [] : [strictStep(unseen)],
  };
}

function whatHappened(failed: readonly HealthResult[], all: number): string {
  const [worst] = failed;
  if (worst === undefined) return 'No check was made at all';
  const first = `${worst.code}: ${worst.seen}`;
  const unseen = failed.filter(({ status }) => status === 'not-run').length;
  const broken = failed.length - unseen;
  if (unseen === 0) return broken === 1 ? first : `${broken} of ${all} checks failed, the first: ${first}`;
  const counts =
    broken === 0 ? `No check failed, but ${unseen} of ${all}` : `${broken} of ${all} checks failed, and ${unseen}`;
  return `${counts} could not run, which \`strict\` counts as failed; the first: ${first}`;
}

/** What could not run is red by the user's own word, so it is for the user to take that back, or a part of it. */
function strictStep(unseen: readonly HealthResult[]): WayBack {
  return {
    words:
      'What could not run is red only because of `strict: true`. Do what each of them asks for, add its line to `checks` if it need not be looked at, or remove `strict`: then it is a warning.',
    commands: ['checks: |', ...unseen.slice(0, PROBLEMS_NAMED).map(({ code }) => `  ${code}=off`)],
  };
}

function problemWords(result: HealthResult): string {
  const { code, status, seen } = result;
  return [`${code}${status === 'not-run' ? ' (not run)' : ''}: ${seen}`, ...namedDetails(result)].join('; ');
}

function namedDetails(result: HealthResult | undefined): string[] {
  return fewOf(result?.details ?? [], DETAILS_NAMED, 'in the job summary');
}

/** Each as an annotation; what passed has none. */
export function checkAnnotations({ results, strict, findings }: CheckResult): Finding[] {
  const severity = (status: HealthStatus): Severity =>
    isFailure(status, strict) ? 'error' : status === 'warning' ? 'warning' : 'notice';
  const found = worstFirst(results, strict)
    .filter(({ status }) => status !== 'passed')
    .map((result) => ({
      code: result.status === 'not-run' ? `${result.code} (not run)` : result.code,
      severity: severity(result.status),
      seen: [result.seen, ...namedDetails(result)].join('; '),
      action: result.action,
    }));
  return [...found, ...findings];
}

/** `38 passed, 2 warnings, 1 not run` */
export function countWords(results: readonly HealthResult[]): string {
  const count = (status: HealthStatus): number => results.filter((result) => result.status === status).length;
  const [failed, warning, notRun] = [count('failed'), count('warning'), count('not-run')];
  return [
    `${count('passed')} passed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(warning === 0 ? [] : [countOf(warning, 'warning')]),
    ...(notRun === 0 ? [] : [`${notRun} not run`]),
  ].join(', ');
}

/** Of a check that is not red. */
export function checkLine({ where, results, verdict, comparison }: CheckResult): string {
  const worse = comparison?.worse.length ?? 0;
  return `Checked ${where}, ${verdict}: ${countWords(results)}${worse === 0 ? '' : `; ${countOf(worse, 'check')} worse than at ${comparison?.since}`}`;
}
